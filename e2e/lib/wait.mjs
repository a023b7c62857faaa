// What appears by itself, or without a live page after a reload, is asked for
// anew a bounded number of times.

// expectVisible waits until find's element is there.
export async function expectVisible(page, find, tries = 60) {
  for (let i = 1; ; i++) {
    try {
      await find().waitFor({ state: "visible", timeout: 500 });
      return;
    } catch (err) {
      if (err.name !== "TimeoutError" || i >= tries) throw err;
      await page.reload();
    }
  }
}

// expectGone reloads until find's element is not there.
export async function expectGone(page, find, tries = 60) {
  for (let i = 1; (await find().count()) > 0; i++) {
    if (i >= tries) throw new Error(`still there after ${tries} looks: ${find()}`);
    await page.waitForTimeout(250);
    await page.reload();
  }
}

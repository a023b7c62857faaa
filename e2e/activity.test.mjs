// Journeys through the log of who did what.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { launch, openPage } from "./lib/browser.mjs";
import { checkAxe, checkLook } from "./lib/checks.mjs";
import { startServer } from "./lib/server.mjs";
import { admin, csv, firstRun, makeTable, submit, waitForRows } from "./lib/steps.mjs";

const rows = (page) => page.getByRole("table", { name: "Activity", exact: true }).getByRole("row");

// downloaded is the text of the file that a link sends.
async function downloaded(page, link) {
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  return readFile(await download.path(), "utf8");
}

for (const javaScript of [true, false]) {
  test(`finds, reads, keeps and exports activity ${javaScript ? "with" : "without"} scripts`, async (t) => {
    const server = await startServer(t);
    const page = await openPage(t, await launch(t), { url: server.url, javaScript });
    await firstRun(page, server);
    await makeTable(page, csv("towns", ["town,people", "Brno,400000"]), { javaScript });
    await waitForRows(page, "towns");
    await page.goto("/profile");
    await page.getByLabel("Name", { exact: true }).fill("Petra N");
    await submit(page, page.getByRole("button", { name: "Save the name" }));

    await page.goto("/tables/towns");
    await page.getByRole("navigation", { name: "Table" }).getByRole("link", { name: "Activity" }).click();
    await page.waitForURL("**/admin/activity?*");
    await rows(page).filter({ hasText: "registered" }).first().waitFor();
    assert.equal(await rows(page).filter({ hasText: "signed in" }).count(), 0, "a table's activity holds no sign-ins");

    await page.goto("/admin/activity");
    await page.getByText(/\d+ events in 24 h by 1 person/).waitFor();
    await page.getByLabel("Action", { exact: true }).fill("user.update");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await page.waitForURL(/action=user\.update/);
    const change = rows(page).nth(1);
    await change.locator("summary").click();
    const fields = change.getByRole("table", { name: "What changed" });
    await fields.getByText(admin.name).waitFor();
    await fields.getByText("Petra N", { exact: false }).last().waitFor();
    assert.equal(await fields.getByRole("row").count(), 2, "only the field that changed is shown");
    if (javaScript) await checkAxe(page, "a change");

    const text = await downloaded(page, page.getByRole("link", { name: "CSV" }));
    assert.equal(text.trim().split("\n").length, 2, text);
    const lines = (await downloaded(page, page.getByRole("link", { name: "JSON lines" }))).trim().split("\n");
    assert.equal(JSON.parse(lines[0]).action, "user.update");

    await page.locator("summary").filter({ hasText: "Views" }).click();
    await page.getByLabel("Keep this filter as").fill("Changed people");
    await submit(page, page.getByRole("button", { name: "Keep view" }));
    await page.getByRole("link", { name: "Changed people" }).waitFor();
    await page.goto("/admin/activity");
    await page.getByRole("link", { name: "Changed people" }).click();
    await page.waitForURL(/action=user\.update/);
    assert.equal(await page.getByRole("link", { name: "Changed people" }).getAttribute("aria-current"), "page");
    await page.getByRole("link", { name: /^Action user\.update/ }).click();
    await page.waitForURL((url) => !url.search.includes("action="));
    await rows(page).filter({ hasText: "exported the activity" }).first().waitFor();

    await page.locator("summary").filter({ hasText: "Views" }).click();
    await submit(page, page.getByRole("button", { name: "Forget Changed people" }));
    assert.equal(await page.getByRole("link", { name: "Changed people" }).count(), 0);
    if (javaScript) await checkLook(page, "activity", async () => { await page.locator("td summary").first().click(); });
  });
}

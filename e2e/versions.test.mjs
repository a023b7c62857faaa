import assert from "node:assert/strict";
import test from "node:test";
import { launch, openPage } from "./lib/browser.mjs";
import { checkLook } from "./lib/checks.mjs";
import { startServer } from "./lib/server.mjs";
import { csv, firstRun, makeTable, replaceRows, runQuery, submit, waitForRows, waitForRun } from "./lib/steps.mjs";
import { expectVisible } from "./lib/wait.mjs";

const people = (...rows) => csv("people", ["id,name", ...rows]);
const many = (n) => csv("stock", ["id,amount", ...Array.from({ length: n }, (_, i) => `${i},${i * 2}`)]);
const versions = (page) => page.getByRole("table", { name: "Versions" }).locator("tbody tr");
const counted = (page, table) => runQuery(page, `SELECT count(*) AS n FROM ${table}`);

// restore goes back to the nth newest version and waits until it is current.
async function restore(page, table, n) {
  await page.goto(`/tables/${table}?tab=versions`);
  await submit(page, versions(page).nth(n).getByRole("button", { name: /^Restore/ }));
  await page.goto(`/tables/${table}?tab=versions`);
  await expectVisible(page, () => versions(page).nth(n).getByText("Current", { exact: true }));
}

test("a table goes back to an earlier version, and forward again", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url });
  await firstRun(page, server);
  await makeTable(page, people("1,Ada"));
  await waitForRows(page, "people");
  await replaceRows(page, "people", people("1,Ada", "2,Grace"));
  await replaceRows(page, "people", csv("people", ["id,name,town", "1,Ada,London", "2,Grace,New York", "3,Edith,Paris"]));

  await page.goto("/tables/people?tab=versions");
  assert.equal(await versions(page).count(), 3, "versions");
  await versions(page).nth(0).getByText(/town/).waitFor();
  await checkLook(page, "versions");

  await restore(page, "people", 2);
  assert.deepEqual(await counted(page, "people"), [["1"]]);
  await page.goto("/tables/people?tab=versions");
  await checkLook(page, "versions-restored");
  await restore(page, "people", 0);
  assert.deepEqual(await runQuery(page, "SELECT town FROM people ORDER BY id DESC LIMIT 1"), [["Paris"]]);
});

test("other columns wait for a person, without JavaScript", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url, javaScript: false });
  await firstRun(page, server);
  await makeTable(page, people("1,Ada"), { javaScript: false });
  await waitForRows(page, "people");
  await page.getByLabel("When the columns change").selectOption("ask");
  await submit(page, page.getByRole("button", { name: "Save", exact: true }));
  await page.getByLabel("When the columns change").waitFor();
  assert.equal(await page.getByLabel("When the columns change").inputValue(), "ask");

  const wider = csv("people", ["id,name,town", "1,Ada,London"]);
  await replaceRows(page, "people", wider, { state: "Held", javaScript: false });
  await page.goto("/tables/people?tab=versions");
  assert.equal(await versions(page).count(), 2, "versions, one of them held");
  await submit(page, page.getByRole("button", { name: /^Keep old/ }));
  await page.goto("/tables/people");
  await expectVisible(page, () => page.getByText(/As uploaded/).first());

  await replaceRows(page, "people", wider, { state: "Held", javaScript: false });
  await page.goto("/tables/people");
  await submit(page, page.getByRole("button", { name: /^Publish anyway/ }));
  await page.goto("/tables/people");
  await expectVisible(page, () => page.getByRole("table", { name: "Columns" }).getByText("town", { exact: true }));
});

test("rows that shrink wait on the Syncs page", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url, expect: [409] });
  await firstRun(page, server);
  await makeTable(page, many(500));
  await waitForRows(page, "stock");

  await page.goto("/add?table=stock");
  await page.locator("input[type=file]").setInputFiles(many(20));
  await page.waitForURL("**/uploads/*");
  await page.getByText("These rows will be held.").waitFor();
  await checkLook(page, "replace-will-hold");
  await page.getByRole("button", { name: "Replace the rows" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/uploads/"));
  await waitForRun(page, "stock", 1, "Held");
  assert.deepEqual(await counted(page, "stock"), [["500"]]);

  await page.goto("/tables/stock");
  await page.getByText("Newer rows are held.").waitFor();
  await checkLook(page, "table-held");
  await page.goto("/tables/stock?tab=versions");
  await checkLook(page, "versions-held");
  await page.goto("/syncs");
  await page.getByRole("region", { name: "Needs you" }).getByText("came back smaller").waitFor();
  await checkLook(page, "syncs-held");
  await submit(page, page.getByRole("button", { name: /^Keep old/ }));
  await page.getByRole("button", { name: /^Keep old/ }).waitFor({ state: "detached" });
  assert.deepEqual(await counted(page, "stock"), [["500"]]);

  await replaceRows(page, "stock", many(30), { state: "Held" });
  await page.goto("/syncs");
  await submit(page, page.getByRole("button", { name: /^Publish anyway/ }));
  await waitForRun(page, "stock", 0, "Done");
  assert.deepEqual(await counted(page, "stock"), [["30"]]);
});

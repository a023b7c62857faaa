import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { launch, openPage } from "./lib/browser.mjs";
import { checkLook } from "./lib/checks.mjs";
import { startServer } from "./lib/server.mjs";
import { csv, firstRun, preview, runQuery, waitForRows, waitForRun } from "./lib/steps.mjs";

const members = csv("members", [
  "7;Ada, Countess;0815;1234,50;31.12.2025",
  "8;Grace;0042;17,25;01.02.2026",
  "9;Edith;0007;n/a;15.03.2026",
]);
// Two of its rows have no number where one is expected.
const orders = csv("orders", ["id,amount", "1,10", "2,twelve", "3,30", "4,forty", "5,50"]);

const show = (page) => page.getByRole("button", { name: "Show it with these corrections" }).click();
const cells = (page) => page.getByRole("table", { name: "First rows of the file" });

for (const javaScript of [true, false]) {
  test(`a file that is read wrongly is put right first, ${javaScript ? "with" : "without"} JavaScript`, async (t) => {
    const server = await startServer(t);
    const page = await openPage(t, await launch(t), { url: server.url, javaScript });
    await firstRun(page, server);

    await preview(page, members, { javaScript });
    const details = page.locator("#corrections");
    if (!(await details.getAttribute("open"))) await details.locator("summary").click();
    await page.getByLabel("Separator").fill(",");
    await page.getByLabel("Column names").selectOption("no");
    await show(page);
    await page.getByRole("cell", { name: "7;Ada" }).first().waitFor();

    await page.getByLabel("Separator").fill(";");
    await page.getByLabel("Decimals").selectOption(",");
    await page.getByLabel("Form of dates").fill("%d.%m.%Y");
    await page.getByLabel("Words for no value").fill("n/a");
    await show(page);
    await cells(page).getByRole("cell", { name: "Ada, Countess" }).waitFor();
    const names = page.getByRole("table", { name: "Columns", exact: true }).getByLabel(/^New name of/);
    for (const [i, name] of ["id", "person", "code", "paid", "joined"].entries()) await names.nth(i).fill(name);
    await page.getByRole("table", { name: "Columns", exact: true }).getByLabel(/^Type of/).nth(2).selectOption("VARCHAR");
    await show(page);
    await cells(page).getByRole("columnheader", { name: /joined/ }).waitFor();
    await cells(page).getByRole("cell", { name: "0815" }).waitFor();
    if (javaScript) await checkLook(page, "corrections", () => show(page));

    await page.getByRole("button", { name: "Make it a table" }).click();
    await page.waitForURL((url) => !url.pathname.startsWith("/uploads/"));
    await waitForRows(page, "members");
    if (!javaScript) return;
    const rows = await runQuery(page, "SELECT person, code, paid::DECIMAL(9,2)::VARCHAR, year(joined)::VARCHAR FROM members ORDER BY id");
    assert.deepEqual(rows, [["Ada, Countess", "0815", "1234.50", "2025"], ["Grace", "0042", "17.25", "2026"], ["Edith", "0007", "NULL", "2026"]]);
  });
}

// makeOrders makes a table of the file that does not fit, with a choice of what becomes of its rows.
async function makeOrders(page, misfits) {
  await preview(page, orders);
  const details = page.locator("#corrections");
  if ((await details.getAttribute("open")) === null) await details.locator("summary").click();
  await page.getByLabel("Type of amount").selectOption("BIGINT");
  await page.getByLabel("Rows that do not fit").selectOption(misfits);
  await show(page);
  if (misfits === "null_cell") await page.getByText(/values become NULL/).waitFor();
  else await page.getByRole("table", { name: "Rows that do not fit" }).getByText("2,twelve").waitFor();
}

test("rows that do not fit are shown, and nothing is taken until somebody chooses", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url, expect: [422] });
  await firstRun(page, server);

  await makeOrders(page, "");
  await page.getByText("2 rows do not fit. Nothing is taken until").waitFor();
  await checkLook(page, "misfits", () => show(page));
  await page.getByRole("button", { name: "Make it a table" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/uploads/"));
  await waitForRun(page, "orders", 0, "Failed");
  await checkLook(page, "misfits-refused");
  await page.goto("/tables/orders");
  await page.getByText("No rows have arrived yet.").waitFor();
});

test("rows that do not fit are left out and kept for download", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url });
  await firstRun(page, server);

  await makeOrders(page, "skip");
  await page.getByText("these are kept aside for download").waitFor();
  await page.getByRole("button", { name: "Make it a table" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/uploads/"));
  await waitForRows(page, "orders");
  await waitForRun(page, "orders", 0, "Done");
  await page.getByText("2 rows did not fit.").or(page.locator("summary")).first().waitFor();
  if (!(await page.getByText("2 rows did not fit.").isVisible())) await page.locator("details > summary").first().click();
  await checkLook(page, "rejects", async () => {
    if (!(await page.getByText("2 rows did not fit.").isVisible())) await page.locator("details > summary").first().click();
  });
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download them" }).click()]);
  const rejects = await readFile(await download.path(), "utf8");
  assert.match(rejects, /2,twelve/);
  assert.match(rejects, /4,forty/);
  assert.deepEqual(await runQuery(page, "SELECT count(*) AS n, sum(amount) AS s FROM orders"), [["3", "90"]]);
});

test("cells that do not fit become NULL and are counted", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url });
  await firstRun(page, server);

  await makeOrders(page, "null_cell");
  await checkLook(page, "misfits-null", () => show(page));
  await page.getByRole("button", { name: "Make it a table" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/uploads/"));
  await waitForRows(page, "orders");
  assert.deepEqual(await runQuery(page, "SELECT count(*) AS n, count(amount) AS m FROM orders"), [["5", "3"]]);
});

import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import test from "node:test";
import { launch, openPage } from "./lib/browser.mjs";
import { checkAxe, checkLook } from "./lib/checks.mjs";
import { writeExtract } from "./lib/extract.mjs";
import { startServer } from "./lib/server.mjs";
import { admin, api, csv, firstRun, makeTable, runQuery, waitForRows } from "./lib/steps.mjs";
import { expectVisible } from "./lib/wait.mjs";

const leads = "SELECT i AS id, 'lead ' || i AS name FROM range(300) t(i)";
const source = (page, name) => page.getByRole("region", { name, exact: true });

// extracts has a source with two tables, one that wants a name that is taken, and outside systems.
async function extracts(t, options = {}) {
  const server = await startServer(t, { env: { KBC_TOKEN: "not a real one" } });
  const page = await openPage(t, await launch(t), { url: server.url, expect: [404, 409, 422], ...options });
  await firstRun(page, server);
  await makeTable(page, csv("orders", ["id,amount", "1,10"]), options);
  await waitForRows(page, "orders");
  await page.goto("/sources");
  await page.getByText("No extractor has brought a table yet.").waitFor();
  await writeExtract(server, "crm", { leads, orders: "SELECT 7 AS id, 'other' AS word" }, {
    remote: [["kbc", "keboola", "https://kbc.example", "KBC_TOKEN"], ["pg", "postgres", "host=x", ""]], outside: ["events"],
  });
  await waitForRows(page, "leads");
  return { server, page };
}

test("a source shows its tables, its collision and what is outside", async (t) => {
  const { page } = await extracts(t);

  await page.goto("/sources");
  const crm = source(page, "crm");
  await crm.getByText("the name is served from").waitFor();
  const outside = crm.getByRole("list", { name: "Outside systems" });
  await outside.getByText("extension_missing").waitFor();
  await outside.getByText("extension_not_allowed").waitFor();
  assert.equal(await page.getByText("kbc.example").count(), 0, "addresses of outside systems");
  await checkLook(page, "sources");

  const left = crm.getByRole("list", { name: "Not served of crm" });
  await left.getByLabel("Name of orders in SQL").fill("leads");
  await left.getByRole("button", { name: /^Serve as/ }).click();
  await crm.locator("[aria-invalid]").first().waitFor();
  await checkAxe(page, "a name that is refused");
  await left.getByLabel("Name of orders in SQL").fill("crm_orders");
  await left.getByRole("button", { name: /^Serve as/ }).click();
  await waitForRows(page, "crm_orders");
  assert.deepEqual(await runQuery(page, "SELECT (SELECT word FROM crm_orders) AS a, (SELECT amount FROM orders) AS b"), [["other", "10"]]);
  await page.goto("/sources");
  assert.equal(await page.getByText("name_taken").count(), 0, "the collision is over");
  await checkLook(page, "sources-mended");
  await page.goto("/tables/events");
  await page.getByText(/Asked live, not served yet/).first().waitFor();
  await checkLook(page, "table-outside");
});

test("a table of a source gets another name without JavaScript", async (t) => {
  const { page } = await extracts(t, { javaScript: false });

  await page.goto("/sources");
  const row = page.getByRole("row", { name: /leads/ });
  await row.locator("summary").click();
  await row.getByRole("textbox", { name: "Name of leads in SQL" }).fill("prospects");
  await row.getByRole("button", { name: /^Serve as/ }).click();
  await page.getByRole("link", { name: "prospects" }).waitFor();
  await page.getByRole("button", { name: /^Look again/ }).click();
  await page.getByText(/Looked at crm/).waitFor();
});

test("a broken extract leaves its last rows, and says so on three pages", async (t) => {
  const { server, page } = await extracts(t);

  await writeFile(path.join(server.dataDir, "extracts", "crm", "extract.duckdb"), "no database any more");
  await page.goto("/sources");
  await expectVisible(page, () => source(page, "crm").getByText("Broken", { exact: true }));
  await checkLook(page, "sources-broken");
  await page.goto("/syncs");
  await page.getByRole("region", { name: "Needs you" }).getByText("cannot be read").first().waitFor();
  const rebuild = page.locator("#rebuild");
  await rebuild.getByText(/^Published \d tables at/).waitFor();
  await checkLook(page, "syncs-broken");
  assert.deepEqual(await runQuery(page, "SELECT count(*) AS n FROM leads"), [["300"]]);

  await writeExtract(server, "crm", { leads: "SELECT 1 AS id, 'one' AS name FROM range(290)", _bad: "SELECT 1 AS x" });
  await page.goto("/sources");
  await expectVisible(page, () => source(page, "crm").getByText("In part", { exact: true }));
  await checkLook(page, "sources-in-part");
});

test("a version that was damaged is replaced, and the rebuild line says so by itself", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url });
  await firstRun(page, server);
  await makeTable(page, csv("orders", ["id,amount", "1,10"]));
  await waitForRows(page, "orders");
  const call = await api(page, admin);
  const { versions } = await call("GET", "/api/admin/registry/orders/versions");
  assert.equal(versions.length, 1);

  await page.goto("/syncs");
  await page.locator("[data-live]").getByText("Live").waitFor();
  const before = await page.locator("#rebuild").innerText();
  const file = path.join(server.dataDir, "versions", "files", "orders");
  for (const name of await readdir(file)) if (name.endsWith(".parquet")) await writeFile(path.join(file, name), "PAR1 cut");
  await call("POST", "/api/admin/rebuild", undefined, 200);
  await page.locator("#rebuild").getByText("left out").waitFor();
  assert.notEqual(await page.locator("#rebuild").innerText(), before);
  await checkLook(page, "syncs-damaged");
});

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { launch, openPage } from "./lib/browser.mjs";
import { checkAxe } from "./lib/checks.mjs";
import { startServer } from "./lib/server.mjs";
import { firstRun, loadSamples, readResult, runQuery } from "./lib/steps.mjs";

async function consoleWithSamples(t, options = {}) {
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url, ...options });
  await firstRun(page, server);
  await loadSamples(page);
  await page.goto("/console");
  return page;
}

// write replaces the text in the editor by typing, as a person does.
async function write(page, sql) {
  await page.locator(".cm-content").click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.press("Delete");
  await page.keyboard.insertText(sql);
}

test("Ctrl-Enter runs what was typed", async (t) => {
  const page = await consoleWithSamples(t);

  await write(page, "SELECT count(*) AS n FROM airports");
  await page.keyboard.press("ControlOrMeta+Enter");

  assert.deepEqual(await readResult(page), [["3376"]]);
  await page.locator("#result").getByText(/1 row in/).waitFor();
});

test("an error says what is wrong, at its line", async (t) => {
  const page = await consoleWithSamples(t);

  await write(page, "SELECT iata,\n  nmae\nFROM airports");
  await page.getByRole("button", { name: /^Run/ }).click();

  const alert = page.getByRole("alert").filter({ hasText: /nmae/ });
  await alert.waitFor();
  await alert.getByText(/Line 2/).waitFor();
  await checkAxe(page, "console error");
});

test("only one reading statement is run", async (t) => {
  const page = await consoleWithSamples(t);

  for (const sql of ["DROP TABLE airports", "COPY airports TO '/tmp/x.csv'", "SELECT * FROM '/etc/passwd'"]) {
    await write(page, sql);
    await page.getByRole("button", { name: /^Run/ }).click();
    await page.locator("#result").getByRole("alert").waitFor();
    await page.goto("/console");
  }

  assert.deepEqual(await runQuery(page, "SELECT count(*) AS n FROM airports"), [["3376"]]);
});

test("typing over marked code breaks no rule of the content policy", async (t) => {
  const page = await consoleWithSamples(t);
  await page.goto(`/console?sql=${encodeURIComponent("SELECT 'a' AS marked FROM airports")}`);

  await page.locator(".cm-content").click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("FROM movies");

  assert.equal((await page.locator(".cm-content").innerText()).trim(), "FROM movies");
});

test("a long query is shown at work, outlives a reload and is cancelled", async (t) => {
  const page = await consoleWithSamples(t);

  await write(page, "SELECT count(*) FROM range(1000000000000) WHERE range % 7 = 3");
  await page.getByRole("button", { name: /^Run/ }).click();
  await page.locator("#result").getByText("Running").waitFor();
  await page.waitForURL("**/console?run=*");
  await page.reload();
  await page.locator("#result").getByText("Running").waitFor();
  await checkAxe(page, "console at work");
  await page.locator(".cm-content").press("Escape");
  await page.locator("#result").getByText("The query was stopped").waitFor();

  assert.deepEqual(await runQuery(page, "SELECT 1 + 1 AS two"), [["2"]]);
});

test("a kept result is paged, sorted and downloaded without running again", async (t) => {
  const page = await consoleWithSamples(t);
  assert.equal((await runQuery(page, "SELECT range AS n, 'row ' || range AS word FROM range(1200)")).length, 500);
  await checkAxe(page, "console result");

  await page.getByRole("link", { name: "Next page" }).click();
  await page.getByText("501–1,000 of 1,200").waitFor();
  const heads = page.getByRole("table", { name: "Query result" }).locator("th");
  await heads.nth(1).getByRole("link").click();
  await page.locator("th[aria-sort=ascending]").waitFor();
  await heads.nth(1).getByRole("link").click();
  await page.locator("th[aria-sort=descending]").waitFor();
  await page.reload();
  assert.deepEqual((await readResult(page))[0], ["1199", "row 1199"]);

  for (const [name, ending] of [["CSV values", "csv"], ["CSV for spreadsheets", "csv"], ["Excel", "xlsx"], ["Parquet", "parquet"], ["NDJSON", "ndjson"]]) {
    await page.getByText("Download", { exact: true }).click();
    await checkAxe(page, "download menu");
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: new RegExp(`^${name}`) }).click()]);
    assert.match(download.suggestedFilename(), new RegExp(`\\.${ending}$`));
    if (name === "CSV values") {
      const lines = (await readFile(await download.path(), "utf8")).trim().split(/\r?\n/);
      assert.deepEqual([lines.length, lines[0], lines[1]], [1201, "n,word", "1199,row 1199"]);
    }
  }
});

test("the console works on after a step back", async (t) => {
  const page = await consoleWithSamples(t);
  await runQuery(page, "SELECT range AS n FROM range(1200)");
  await page.getByRole("link", { name: "Next page" }).click();
  await page.getByText("501–1,000 of 1,200").waitFor();

  await page.goBack();
  await page.getByText("1–500 of 1,200").waitFor();

  await write(page, "SELECT 1 + 1 AS two");
  await page.keyboard.press("ControlOrMeta+Enter");
  await page.locator("#result").getByText(/1 row in/).waitFor();
  assert.deepEqual(await readResult(page), [["2"]]);
});

test("several statements run one by one and stop at the first that fails", async (t) => {
  const page = await consoleWithSamples(t);

  await write(page, "SELECT ';' AS semicolon;\nSELECT 2 AS two;\nSELECT nmae FROM airports;\nSELECT 4");
  await page.keyboard.press("ControlOrMeta+Shift+Enter");

  await page.getByRole("note").getByText("Statement 3 did not end well, so what follows it was not run.").waitFor();
  await page.getByRole("alert").filter({ hasText: /Line 3/ }).waitFor();
  await checkAxe(page, "several statements");
  await page.getByRole("navigation", { name: "Statements" }).getByRole("link", { name: /Statement 2/ }).click();
  assert.deepEqual(await readResult(page), [["2"]]);

  await page.locator(".cm-content").click();
  await page.keyboard.press("ControlOrMeta+End");
  const before = page.url();
  await page.keyboard.press("ControlOrMeta+Enter");
  await page.waitForURL((url) => url.href !== before);
  assert.deepEqual(await readResult(page), [["4"]]);
});

test("queries are opened again and forgotten from the history", async (t) => {
  const page = await consoleWithSamples(t);
  await runQuery(page, "SELECT 'a' AS letter");

  await page.getByRole("link", { name: "History" }).click();
  const mine = page.getByRole("list", { name: "Your queries" });
  await checkAxe(page, "history");
  await mine.getByRole("link", { name: /^Open/ }).first().click();
  assert.deepEqual(await readResult(page), [["a"]]);
  await page.goto("/console/history");
  await mine.getByRole("button", { name: /^Forget/ }).first().click();
  await page.getByText("The query and its rows are forgotten.").waitFor();
  await page.getByText("You have run nothing yet.").waitFor();
});

test("all rows come as CSV without being kept", async (t) => {
  const page = await consoleWithSamples(t);
  await page.goto(`/console?sql=${encodeURIComponent("SELECT state, count(*) AS n FROM airports GROUP BY state ORDER BY n DESC, state LIMIT 3")}`);

  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "All as CSV" }).click()]);

  const lines = (await readFile(await download.path(), "utf8")).trim().split(/\r?\n/);
  assert.equal(lines[0], "state,n");
  assert.equal(lines.length, 4);
});

test("the palette finds a table", async (t) => {
  const page = await consoleWithSamples(t);
  await page.goto("/catalog");

  await page.keyboard.press("ControlOrMeta+k");
  await page.getByRole("combobox", { name: "Page, table or action" }).fill("airp");
  await page.getByRole("option", { name: /airports/ }).first().waitFor();
  await checkAxe(page, "palette");
  await page.keyboard.press("Enter");

  await page.waitForURL(/airports/);
});

test("the palette opens after a step back", async (t) => {
  const page = await consoleWithSamples(t);
  await page.goto("/catalog");
  await page.locator("#catalog-search").pressSequentially("airp");
  await page.waitForURL("**/catalog?*airp*");

  await page.goBack();
  await page.waitForFunction(() => document.getElementById("catalog-search")?.value === "");
  await page.keyboard.press("ControlOrMeta+k");
  await page.getByRole("combobox", { name: "Page, table or action" }).fill("airp");
  await page.getByRole("option", { name: /airports/ }).first().waitFor();
});

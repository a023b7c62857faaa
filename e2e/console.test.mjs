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
  const page = await consoleWithSamples(t, { expect: [400, 422] });

  await write(page, "SELECT iata,\n  nmae\nFROM airports");
  await page.getByRole("button", { name: /^Run/ }).click();

  const alert = page.getByRole("alert").filter({ hasText: /nmae/ });
  await alert.waitFor();
  await alert.getByText(/Line 2/).waitFor();
  await checkAxe(page, "console error");
});

test("only one reading statement is run", async (t) => {
  const page = await consoleWithSamples(t, { expect: [400, 403, 422] });

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

test("a long query is stopped", async (t) => {
  const page = await consoleWithSamples(t, { expect: [400, 408, 409, 422, 499, 503, 504] });

  await write(page, "SELECT count(*) FROM range(1000000000000) WHERE range % 7 = 3");
  await page.getByRole("button", { name: /^Run/ }).click();
  const stop = page.getByRole("button", { name: "Stop" });
  await page.waitForFunction(() => !document.querySelector("[data-stop]").disabled);
  await stop.click();
  await page.waitForFunction(() => document.querySelector("[data-stop]").disabled);

  assert.deepEqual(await runQuery(page, "SELECT 1 + 1 AS two"), [["2"]]);
});

test("the result comes as CSV", async (t) => {
  const page = await consoleWithSamples(t);
  await page.goto(`/console?sql=${encodeURIComponent("SELECT state, count(*) AS n FROM airports GROUP BY state ORDER BY n DESC, state LIMIT 3")}`);

  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: /CSV/ }).click()]);

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

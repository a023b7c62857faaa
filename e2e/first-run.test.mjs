import assert from "node:assert/strict";
import test from "node:test";
import { launch, openPage } from "./lib/browser.mjs";
import { checkLook } from "./lib/checks.mjs";
import { startServer } from "./lib/server.mjs";
import { firstRun, loadSamples, readResult, runQuery } from "./lib/steps.mjs";

test("from the printed link to the first answer by clicking only", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url });

  await firstRun(page, server);
  await loadSamples(page);
  await page.getByRole("region", { name: /Sample data is loaded/ }).getByRole("link").first().click();
  await page.waitForURL("**/console?*");
  await page.getByRole("button", { name: /^Run/ }).click();

  const rows = await readResult(page);
  assert.ok(rows.length > 0, "the first example has rows");
});

test("every example query has an answer", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url });
  await firstRun(page, server);
  await loadSamples(page);

  const examples = page.getByRole("region", { name: /Sample data is loaded/ }).getByRole("link");
  const addresses = await examples.evaluateAll((links) => links.map((a) => a.getAttribute("href")));
  assert.equal(addresses.length, 3, "example queries");
  for (const address of addresses) {
    await page.goto(address);
    await page.getByRole("button", { name: /^Run/ }).click();
    assert.ok((await readResult(page)).length > 0, address);
  }
});

test("the link works once", async (t) => {
  const server = await startServer(t);
  const browser = await launch(t);
  await firstRun(await openPage(t, browser, { url: server.url }), server);

  const late = await openPage(t, browser, { url: server.url, expect: [400, 403, 404, 410] });
  const answer = await late.goto(server.link);

  assert.ok(answer.status() >= 400, `the used link answered ${answer.status()}`);
  await late.getByText(/restart Agnes|sign in/i).first().waitFor();
});

test("the pages hold in both themes at two widths", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url });

  await page.goto("/login");
  await checkLook(page, "signin");
  await page.goto(server.link);
  await checkLook(page, "first-run");
  await firstRun(page, server);
  await checkLook(page, "catalog-empty");
  await loadSamples(page);
  await checkLook(page, "catalog");
  for (const [name, address] of [
    ["table", "/tables/airports"], ["sample", "/tables/airports?tab=sample"], ["runs", "/tables/airports?tab=runs"],
    ["add", "/add"], ["syncs", "/syncs"], ["console", "/console"], ["reference", "/docs"],
  ]) {
    await page.goto(address);
    await checkLook(page, name);
  }
});

test("answers, refusals and previews hold in both themes at two widths", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url, expect: [400, 403, 404, 422] });
  await firstRun(page, server);
  await loadSamples(page);

  await checkLook(page, "result", () => runQuery(page, "SELECT * FROM movies LIMIT 200"));
  await checkLook(page, "refused", async () => {
    await page.goto(`/console?sql=${encodeURIComponent("SELECT title\nFROM airprots")}`);
    await page.getByRole("button", { name: /^Run/ }).click();
    await page.locator("#result").getByRole("alert").waitFor();
  });
  await page.goto("/add");
  await page.locator("input[type=file]").setInputFiles({ name: "towns.csv", mimeType: "text/csv", buffer: Buffer.from("town;people\nBrno;400000\n") });
  await page.waitForURL("**/uploads/*");
  await checkLook(page, "preview");
  await page.goto("/no-such-page");
  await checkLook(page, "not-found");
});

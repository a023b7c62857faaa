import assert from "node:assert/strict";
import test from "node:test";
import { launch, openPage } from "./lib/browser.mjs";
import { startServer } from "./lib/server.mjs";
import { firstRun, loadSamples, makeTable, readResult, signIn, signOut, admin, waitForRows } from "./lib/steps.mjs";

test("the main path works without JavaScript", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url, javaScript: false });

  await firstRun(page, server);
  await signOut(page);
  await signIn(page, admin);
  await loadSamples(page);
  await page.getByRole("region", { name: /Sample data is loaded/ }).getByRole("link").first().click();
  await page.getByRole("button", { name: /^Run/ }).click();
  assert.ok((await readResult(page)).length > 0, "the example has rows");

  const file = { name: "towns.csv", mimeType: "text/csv", buffer: Buffer.from("town,people\nBrno,400000\n") };
  await makeTable(page, file, { javaScript: false });
  await waitForRows(page, "towns");
  await page.goto("/catalog?q=towns");
  await page.getByRole("table", { name: "Tables" }).getByRole("link", { name: "towns", exact: true }).waitFor();
});

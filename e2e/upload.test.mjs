import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import test from "node:test";
import { launch, openPage } from "./lib/browser.mjs";
import { checkAxe } from "./lib/checks.mjs";
import { startServer } from "./lib/server.mjs";
import { firstRun, makeTable, runQuery, waitForRows } from "./lib/steps.mjs";

const birdstrikes = fileURLToPath(new URL("../node_modules/vega-datasets/data/birdstrikes.csv", import.meta.url));
const people = (rows) => ({ name: "people.csv", mimeType: "text/csv", buffer: Buffer.from(`id,name\n${rows.join("\n")}\n`) });

test("a file becomes a table that answers", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url });
  await firstRun(page, server);

  await makeTable(page, birdstrikes);
  await waitForRows(page, "birdstrikes");

  assert.deepEqual(await runQuery(page, "SELECT count(*) AS n FROM birdstrikes"), [["10,000"]]);
});

test("the preview names the columns before there is a table", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url });
  await firstRun(page, server);

  await page.goto("/add");
  await page.locator("input[type=file]").setInputFiles(people(["1,Ada", "2,Grace"]));
  const rows = page.getByRole("table", { name: "First rows of the file" });
  await rows.getByRole("columnheader", { name: /name/ }).waitFor();
  await rows.getByRole("cell", { name: "Grace" }).waitFor();
  await checkAxe(page, "preview");
  await page.getByRole("button", { name: "Cancel" }).click();

  await page.goto("/catalog");
  await page.getByRole("heading", { name: "Nothing is registered yet." }).waitFor();
});

test("uploading again replaces the rows", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url });
  await firstRun(page, server);
  await makeTable(page, people(["1,Ada"]));
  await waitForRows(page, "people");

  await page.getByRole("link", { name: "Upload new data" }).click();
  await page.locator("input[type=file]").setInputFiles(people(["1,Ada", "2,Grace", "3,Edith"]));
  await page.getByRole("button", { name: "Replace the rows" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/uploads/"));

  let rows;
  for (let i = 0; i < 20 && rows?.[0]?.[0] !== "3"; i++) {
    rows = await runQuery(page, "SELECT count(*) AS n FROM people");
  }
  assert.deepEqual(rows, [["3"]]);
});

test("a wrong name comes back with a sentence and what was typed", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url, expect: [422] });
  await firstRun(page, server);

  await page.goto("/add");
  await page.locator("input[type=file]").setInputFiles(people(["1,Ada"]));
  await page.getByLabel("Name in SQL").fill("my people");
  await page.getByRole("button", { name: "Make it a table" }).click();

  await page.getByText(/letters, digits and _/i).first().waitFor();
  assert.equal(await page.getByLabel("Name in SQL").inputValue(), "my people");
});

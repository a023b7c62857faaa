import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import test from "node:test";
import { launch, openPage, shoot } from "./lib/browser.mjs";
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

// clicks writes a CSV of about 30 MB and returns its path and rows.
async function clicks(t) {
  const folder = await mkdtemp(path.join(tmpdir(), "agnes-e2e-clicks-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const rows = 500_000;
  const lines = ["id,city,happened_at,amount"];
  for (let i = 1; i <= rows; i++) lines.push(`${i},${["Praha", "Wien", "Paris"][i % 3]},2026-0${(i % 9) + 1}-17 10:00:00,${i % 1000}.${i % 90}5,and some words that make it long`);
  lines[0] += ",note";
  const file = path.join(folder, "clicks.csv");
  await writeFile(file, lines.join("\n") + "\n");
  return { file, rows };
}

// slow keeps uploads of a page to bytes a second.
async function slow(page, bytes) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytes });
}

async function sent(page, percent) {
  await page.waitForFunction((want) => document.querySelector("[data-upload-progress] progress").value >= want, percent, { polling: 100 });
}

test("a large file goes on after its tab was closed", async (t) => {
  const { file, rows } = await clicks(t);
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url });
  await firstRun(page, server);

  await page.goto("/add");
  await slow(page, 12_000_000);
  await page.locator("input[type=file]").setInputFiles(file);
  await sent(page, 40);
  await page.getByText(/MiB of \d+ MiB · \d+ % · .* left/).waitFor();
  await checkAxe(page, "upload");
  await shoot(page, "upload-under-way");
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText(/^Paused at \d+ %/).first().waitFor();
  await page.getByRole("button", { name: "Continue", exact: true }).click();
  await sent(page, 55);

  const tab = await page.context().newPage();
  await page.close();
  tab.setDefaultTimeout(20_000);
  await tab.goto("/add");
  const unfinished = tab.getByRole("table", { name: "Unfinished uploads" });
  await unfinished.getByText("clicks.csv").first().waitFor();
  await checkAxe(tab, "unfinished uploads");
  await shoot(tab, "upload-unfinished");
  const chosen = tab.waitForEvent("filechooser");
  await unfinished.getByRole("button", { name: /^Continue at [2-9]\d %/ }).click();
  await (await chosen).setFiles(people(["1,Ada"]));
  await tab.getByText("This is not the file that clicks.csv was").waitFor();

  const again = tab.waitForEvent("filechooser");
  const offsets = [];
  tab.on("request", (request) => request.method() === "PATCH" && offsets.push(Number(request.headers()["upload-offset"])));
  // The connection breaks once more, at the first bytes after the offset was asked for. Nobody needs to do anything about it.
  await tab.route("**/api/uploads/*", (route) => (route.request().method() === "PATCH" ? route.abort("connectionreset") : route.continue()), { times: 2 });
  await unfinished.getByRole("button", { name: /^Continue at/ }).click();
  await (await again).setFiles(file);
  await tab.waitForURL("**/uploads/*");
  assert.ok(offsets.length > 1 && offsets[0] > 5_000_000, `continued at bytes ${offsets}`);
  await tab.getByRole("table", { name: "First rows of the file" }).waitFor();
  await tab.getByRole("button", { name: "Make it a table" }).click();
  await tab.waitForURL((url) => !url.pathname.startsWith("/uploads/"));
  await waitForRows(tab, "clicks");
  assert.deepEqual(await runQuery(tab, "SELECT count(*) AS n, sum(id) AS s FROM clicks"), [[rows.toLocaleString("en"), ((rows * (rows + 1)) / 2).toLocaleString("en")]]);
});

test("an upload that is cancelled leaves nothing", async (t) => {
  const { file } = await clicks(t);
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url });
  await firstRun(page, server);

  await page.goto("/add");
  await slow(page, 8_000_000);
  await page.locator("input[type=file]").setInputFiles(file);
  await sent(page, 20);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("Drop a file here").waitFor();
  await page.goto("/add");
  assert.equal(await page.getByText("Unfinished uploads").count(), 0);
});

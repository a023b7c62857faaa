import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";
import { launch, openPage } from "./lib/browser.mjs";
import { checkLook } from "./lib/checks.mjs";
import { startServer } from "./lib/server.mjs";
import { firstRun, runQuery, submit, waitForRows } from "./lib/steps.mjs";

const rows = 300_000;

// visits writes a CSV of about 20 MB.
async function visits(folder) {
  const lines = Array.from({ length: rows }, (_, i) => `${i + 1},${["Praha", "Wien", "Paris"][i % 3]},${i % 997}.25,and some words that make it long enough`);
  const file = path.join(folder, "visits.csv");
  await writeFile(file, `id,city,amount,note\n${lines.join("\n")}\n`);
  return file;
}

async function slow(page, bytes) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytes });
}

test("an upload goes on after the server was started again", async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), "agnes-e2e-resume-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = await visits(folder);
  const dataDir = path.join(folder, "data");
  const first = await startServer(t, { dataDir });
  const browser = await launch(t);
  const page = await openPage(t, browser, { url: first.url });
  await firstRun(page, first);
  await page.goto("/add");
  await slow(page, 6_000_000);
  await page.locator("input[type=file]").setInputFiles(file);
  await page.waitForFunction(() => document.querySelector("[data-upload-progress] progress").value >= 40, undefined, { polling: 100 });
  await page.goto("about:blank");

  assert.equal(await first.stop(), 0, "the first server's end");
  await startServer(t, { dataDir, port: Number(new URL(first.url).port) });
  await page.goto("/add");
  const unfinished = page.getByRole("table", { name: "Unfinished uploads" });
  await unfinished.getByText("visits.csv").first().waitFor();
  await unfinished.getByText(/ of .* arrived/).waitFor();
  await checkLook(page, "unfinished");

  const offsets = [];
  page.on("request", (request) => request.method() === "PATCH" && offsets.push(Number(request.headers()["upload-offset"])));
  const chosen = page.waitForEvent("filechooser");
  await unfinished.getByRole("button", { name: /^Continue at/ }).click();
  await (await chosen).setFiles(file);
  await page.waitForURL("**/uploads/*");
  assert.ok(offsets[0] > 1_000_000, `continued at bytes ${offsets}`);
  await page.getByRole("button", { name: "Make it a table" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/uploads/"));
  await waitForRows(page, "visits");
  const sum = (rows * (rows + 1)) / 2;
  assert.deepEqual(await runQuery(page, "SELECT count(*) AS n, sum(id) AS s FROM visits"), [[rows.toLocaleString("en"), sum.toLocaleString("en")]]);
});

test("an unfinished upload is thrown away without JavaScript", async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), "agnes-e2e-resume-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = await visits(folder);
  const server = await startServer(t);
  const browser = await launch(t);
  const page = await openPage(t, browser, { url: server.url });
  await firstRun(page, server);
  await page.goto("/add");
  await slow(page, 6_000_000);
  await page.locator("input[type=file]").setInputFiles(file);
  await page.waitForFunction(() => document.querySelector("[data-upload-progress] progress").value >= 10, undefined, { polling: 100 });
  await page.goto("about:blank");

  const plain = await openPage(t, browser, { url: server.url, javaScript: false });
  await plain.context().addCookies(await page.context().cookies());
  await plain.goto("/add");
  assert.equal(await plain.getByRole("button", { name: /^Continue at/ }).count(), 0, "only a script sends the rest");
  await submit(plain, plain.getByRole("button", { name: /^Throw away/ }));
  await plain.getByText("The upload is thrown away").waitFor();
  assert.equal(await plain.getByRole("table", { name: "Unfinished uploads" }).count(), 0, await plain.getByRole("main").innerText());
});

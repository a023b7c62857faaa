import assert from "node:assert/strict";
import { appendFile, copyFile, mkdir, rename, unlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import test from "node:test";
import { launch, openPage } from "./lib/browser.mjs";
import { checkAxe, checkLook } from "./lib/checks.mjs";
import { startServer } from "./lib/server.mjs";
import { admin, api, csv, firstRun, makeTable, preview, submit, waitForRows } from "./lib/steps.mjs";
import { expectVisible } from "./lib/wait.mjs";

const birdstrikes = fileURLToPath(new URL("../node_modules/vega-datasets/data/birdstrikes.csv", import.meta.url));

test("a table that fails is first on the page, and a retry mends it", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url });
  await firstRun(page, server);
  const files = path.join(server.dataDir, "files");
  await mkdir(files, { recursive: true });
  await copyFile(birdstrikes, path.join(files, "birds.csv"));
  const call = await api(page, admin);
  await call("POST", "/api/admin/register-table", { name: "birds", source_type: "local", source_table: "birds.csv" }, 201);
  await waitForRows(page, "birds");
  await page.goto("/syncs");
  await page.getByText("The one table is as fresh as promised.").waitFor();

  await unlink(path.join(files, "birds.csv"));
  await page.goto("/tables/birds");
  await submit(page, page.getByRole("button", { name: "Sync now" }));
  await page.goto("/syncs");
  const needs = page.getByRole("region", { name: "Needs you" });
  await needs.getByText("Failing", { exact: true }).waitFor();
  await needs.getByText(/still serves/).waitFor();
  await checkLook(page, "syncs-failing");
  await page.goto("/tables/birds");
  await page.getByText("The last sync failed.").waitFor();
  await checkLook(page, "table-failing");

  await copyFile(birdstrikes, path.join(files, "birds.csv"));
  await page.goto("/syncs");
  await submit(page, page.getByRole("button", { name: /^Retry/ }));
  await page.getByText("The one table is as fresh as promised.").waitFor();
});

test("a run shows its phases while it runs, and is cancelled", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url });
  await firstRun(page, server);
  const files = path.join(server.dataDir, "files");
  await mkdir(files, { recursive: true });
  const line = `,${"words ".repeat(12)},2026-01-02 03:04:05,17.25\n`;
  const lines = Array.from({ length: 1_000_000 }, (_, i) => i + line).join("");
  await writeFile(path.join(files, "long.csv.part"), `id,note,at,amount\n${lines}`);
  for (let i = 0; i < 5; i++) await appendFile(path.join(files, "long.csv.part"), lines);
  await rename(path.join(files, "long.csv.part"), path.join(files, "long.csv"));
  const call = await api(page, admin);
  await page.goto("/syncs");
  await page.locator("[data-live]").getByText("Live").waitFor();
  await call("POST", "/api/admin/register-table", { name: "long", source_type: "local", source_table: "long.csv" }, 201);

  const running = page.getByRole("region", { name: "Running" });
  const progress = running.getByRole("progressbar").or(running.locator("progress, [role=img]")).first();
  await progress.waitFor();
  await running.getByRole("button", { name: /^Cancel/ }).click();
  await page.getByRole("table", { name: "Recent runs" }).getByText("Cancelled", { exact: true }).waitFor();
  await page.goto("/tables/long");
  await page.getByText("No rows have arrived yet.").waitFor();

  await call("POST", "/api/sync/trigger", ["long"], 200);
  await page.goto("/syncs");
  await progress.waitFor();
  await page.screenshot({ path: fileURLToPath(new URL("out/syncs-running.png", import.meta.url)) });
  await checkAxe(page, "a run under way");
});

test("a rebuild without a run shows on the page that is open", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url });
  await firstRun(page, server);
  await makeTable(page, csv("towns", ["town,people", "Brno,400000"]));
  await waitForRows(page, "towns");

  await page.goto("/syncs");
  await page.locator("[data-live]").getByText("Live").waitFor();
  await page.locator("#rebuild").getByText(/^Published 1 table at/).waitFor();
  const other = await page.context().newPage();
  await other.goto("/syncs");
  await submit(other, other.getByRole("button", { name: "Rebuild now" }));
  await page.locator("#rebuild").getByText("Nothing had to be written").waitFor();
});

test("what is in the columns appears when it is counted", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url });
  await firstRun(page, server);
  await preview(page, birdstrikes);
  await page.getByRole("button", { name: "Make it a table" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/uploads/"));
  await waitForRows(page, "birdstrikes");

  const columns = page.getByRole("table", { name: "Columns" });
  await columns.getByRole("img").first().waitFor();
  await page.getByText(/10,000 rows · /).waitFor();
  await checkLook(page, "profile");
});

test("counting is said while it lasts, and the figures take its place", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url });
  await firstRun(page, server);
  const files = path.join(server.dataDir, "files");
  await mkdir(files, { recursive: true });
  const columns = Array.from({ length: 24 }, (_, i) => `c${i}`);
  const lines = Array.from({ length: 60_000 }, (_, i) => columns.map((_, c) => (i * (c + 7)) % 9973).join(","));
  await writeFile(path.join(files, "wide.csv"), `${columns.join(",")}\n${lines.join("\n")}\n`);
  const call = await api(page, admin);
  await call("POST", "/api/admin/register-table", { name: "wide", source_type: "local", source_table: "wide.csv" }, 201);

  await page.goto("/tables/wide");
  await expectVisible(page, () => page.getByText(/^Counting what is in the columns/).or(page.locator("#table-columns svg[role=img]").first()));
  const counting = await page.getByText(/^Counting what is in the columns/).isVisible();
  if (counting) {
    await checkAxe(page, "counting");
    await page.screenshot({ path: fileURLToPath(new URL("out/profile-counting.png", import.meta.url)) });
  }
  // Nobody reloads the page.
  await page.locator("#table-columns svg[role=img]").first().waitFor({ timeout: 60_000 });
  t.diagnostic(counting ? "seen counting" : "counted before the page was open");
  assert.equal(await page.getByText(/^Counting/).count(), 0);
});

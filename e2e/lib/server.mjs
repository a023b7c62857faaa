// Starts the real binary on a free port with a fresh data directory.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { closePages } from "./browser.mjs";

const binary = process.env.AGNES_BINARY || path.join(path.dirname(fileURLToPath(import.meta.url)), "..", "..", "agnes");
const startLimit = 60_000;
const stopLimit = 40_000;

// startServer runs `agnes serve` and waits for the one-time link of the first
// run, or, with people already there, for the address. env adds variables; a
// server that starts again gets the dataDir and the port of the one before. The server stops with the test.
export async function startServer(t, { env = {}, dataDir, port = 0 } = {}) {
  const home = await mkdtemp(path.join(os.tmpdir(), "agnes-e2e-"));
  const data = dataDir ?? path.join(home, "data");
  const child = spawn(binary, ["serve", "--addr", `127.0.0.1:${port}`], {
    cwd: home, // no .env and no config of the developer's
    env: {
      PATH: process.env.PATH, HOME: home, TMPDIR: os.tmpdir(),
      DATA_DIR: data, AGNES_METRICS_ADDR: "off", ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const server = { dataDir: data, log: "", link: undefined, url: undefined, stop };
  const ended = new Promise((resolve) => {
    child.on("exit", (code, signal) => resolve(signal ?? code));
    child.on("error", (error) => resolve(error.message));
  });

  async function stop() {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    const slow = setTimeout(() => child.kill("SIGKILL"), stopLimit);
    const how = await ended;
    clearTimeout(slow);
    await rm(home, { recursive: true, force: true });
    return how;
  }
  t.after(async () => {
    await closePages(t);
    const how = await stop();
    if (how !== 0) throw new Error(`agnes ended with ${how}\n${server.log}`);
  });

  await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`agnes printed no address\n${server.log}`)), startLimit);
    const read = (chunk) => {
      server.log += chunk;
      // The blank behind them shows that they arrived whole.
      const link = /http:\/\/127\.0\.0\.1:\d+\/first-run\?token=[\w.~%-]+(?=\s)/.exec(server.log);
      const url = /http:\/\/127\.0\.0\.1:\d+(?=[\s/])/.exec(server.log);
      if (!link && !(url && (env.SEED_ADMIN_EMAIL || port))) return;
      server.link = link?.[0];
      server.url = url[0];
      clearTimeout(late);
      resolve();
    };
    child.stdout.setEncoding("utf8").on("data", read);
    child.stderr.setEncoding("utf8").on("data", read);
    ended.then((how) => {
      clearTimeout(late);
      reject(new Error(`agnes ended with ${how} before it served. Is ./agnes built?\n${server.log}`));
    });
  });
  return server;
}

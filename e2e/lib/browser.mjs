// Opens pages in the system's Chromium; a page fails its test on anything that
// went wrong in it, seen or not.
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const out = path.join(path.dirname(fileURLToPath(import.meta.url)), "..", "out");

export const desktop = { width: 1440, height: 900 };
export const phone = { width: 390, height: 844 };

// launch starts one browser for a test; it closes with the test.
export async function launch(t) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
      "--disable-dev-shm-usage",
    ],
  });
  t.after(() => browser.close());
  return browser;
}

const open = new WeakMap(); // test → its contexts

// closePages closes a test's pages, so that none asks a server that has stopped.
export async function closePages(t) {
  for (const context of open.get(t) ?? []) await context.close();
}

// openPage returns a page of its own session. Answers with a status of expect
// are part of the journey; every other 4xx and 5xx, console error, violation of
// the content policy, uncaught exception and failed request fails the test.
export async function openPage(t, browser, { javaScript = true, viewport = desktop, expect = [], url } = {}) {
  const context = await browser.newContext({
    javaScriptEnabled: javaScript, viewport, baseURL: url, acceptDownloads: true,
    reducedMotion: "reduce", locale: "en-GB", timezoneId: "UTC",
  });
  open.set(t, [...(open.get(t) ?? []), context]);
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const problems = [];
  watch(page, problems, expect);
  t.after(async () => {
    await context.close();
    if (problems.length > 0) throw new Error(`${problems.length} problems in the page:\n${problems.join("\n")}`);
  });
  return page;
}

function watch(page, problems, expect) {
  const expected = new Set(expect);
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    const status = /^Failed to load resource: the server responded with a status of (\d{3})/.exec(message.text());
    // The response itself is judged below.
    if (status) return;
    problems.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (error) => problems.push(`exception: ${error.stack ?? error.message}`));
  page.on("requestfailed", (request) => {
    const why = request.failure()?.errorText ?? "";
    // A download and a stream that its page left both end so.
    if (why !== "net::ERR_ABORTED") problems.push(`request: ${request.url()} ${why}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400 && !expected.has(response.status())) {
      problems.push(`status: ${response.status()} ${response.request().method()} ${response.url()}`);
    }
  });
}

// setTheme changes the theme as its button does: "", "ledger" or "ledger-night".
export async function setTheme(page, theme) {
  const answer = await page.request.post("/theme", { form: { theme, back: "/" }, maxRedirects: 0 });
  if (answer.status() !== 303 && answer.status() !== 302) throw new Error(`POST /theme answered ${answer.status()}`);
  await page.reload();
}

// shoot keeps a picture of the page in e2e/out.
export async function shoot(page, name) {
  await mkdir(out, { recursive: true });
  await page.screenshot({ path: path.join(out, `${name}.png`), fullPage: true });
}

// Looks at every page of the gallery in Chromium, light and dark, wide and narrow, under the policy
// that is served: takes pictures, runs axe for WCAG 2.2 AA, and fails on any violation, script error
// or sideways scrolling.
//
//   go test ./views -gallery DIR && node assets/look.mjs DIR [NAME…]
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const [folder, ...only] = process.argv.slice(2);
const shots = path.join(folder, "shots");
const policy = (await readFile(path.join(root, "static", "static.go"), "utf8")).match(/const CSP = ((?:"[^"]*"[\s+]*)+)/)[1].replace(/"[\s+]*"/g, "").replaceAll('"', "").trim();
const axe = await readFile(path.join(root, "node_modules", "axe-core", "axe.min.js"), "utf8");
const widths = [1440, 390];
const types = { ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2" };

const server = createServer(async (request, response) => {
  const at = new URL(request.url, "http://localhost").pathname;
  try {
    if (at.startsWith("/static/")) {
      response.setHeader("Content-Type", types[path.extname(at)]);
      response.end(await readFile(path.join(root, "static", "dist", path.basename(at))));
    } else if (at.endsWith(".json")) {
      response.setHeader("Content-Type", "application/json");
      response.end('{"items": [], "tables": [{"name": "orders", "columns": [{"name": "order_id", "type": "BIGINT"}]}]}');
    } else if (at === "/syncs/live") {
      response.setHeader("Content-Type", "text/event-stream");
      response.write(": open\n\n");
    } else {
      response.setHeader("Content-Type", "text/html; charset=utf-8");
      response.setHeader("Content-Security-Policy", policy);
      response.end(await readFile(path.join(folder, path.basename(at))));
    }
  } catch {
    response.statusCode = 404;
    response.end();
  }
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const home = `http://127.0.0.1:${server.address().port}`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
let faults = 0;

async function look(name, width) {
  const narrow = width < 768;
  const context = await browser.newContext({ viewport: { width, height: narrow ? 844 : 900 }, reducedMotion: "reduce", bypassCSP: false });
  const page = await context.newPage();
  const complain = (what) => {
    faults++;
    console.log(`${name} at ${width}: ${what}`);
  };
  page.on("pageerror", (error) => complain(`script error: ${error.message}`));
  page.on("console", (message) => message.type() === "error" && complain(`console: ${message.text()}`));
  page.on("requestfailed", (request) => !request.url().endsWith("/live") && complain(`request failed: ${request.url()}`));
  await page.addInitScript(() => {
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => window.violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
  });
  await page.goto(`${home}/${name}.html`, { waitUntil: "load" });
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(120);
  for (const violation of await page.evaluate(() => window.violations)) complain(`policy: ${violation}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) complain(`${wide} px wider than the window`);
  await page.screenshot({ path: path.join(shots, `${name}-${width}.png`), fullPage: narrow });
  await page.evaluate(axe); // through the debugger, which the policy does not concern
  const result = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
  for (const violation of result.violations) {
    complain(`axe ${violation.id}: ${violation.help}\n    ${violation.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.any[0]?.message ?? ""}`).join("\n    ")}`);
  }
  await context.close();
}

await mkdir(shots, { recursive: true });
const names = (await readdir(folder)).filter((file) => file.endsWith(".html")).map((file) => file.slice(0, -5)).filter((name) => only.length === 0 || only.some((part) => name.startsWith(part)));
for (const name of names.sort()) {
  for (const width of widths) await look(name, width);
}
await browser.close();
server.close();
server.closeAllConnections();
await writeFile(path.join(shots, "faults.txt"), `${faults}\n`);
console.log(`${names.length} pages at ${widths.join(" and ")} px: ${faults} faults`);
process.exitCode = faults > 0 ? 1 : 0;

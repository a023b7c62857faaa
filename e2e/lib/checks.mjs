// What must hold for every page: WCAG 2.2 AA as far as a program sees it, and
// no sideways scrolling.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { setTheme, shoot, desktop, phone } from "./browser.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

export async function checkAxe(page, where) {
  await page.evaluate(axe);
  const violations = await page.evaluate(async (values) => {
    const found = await window.axe.run(document, { runOnly: { type: "tag", values }, resultTypes: ["violations"] });
    return found.violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(" ")}: ${n.failureSummary}`));
  }, tags);
  assert.deepEqual(violations, [], `${where}: accessibility`);
}

export async function noOverflow(page, where) {
  const wide = await page.evaluate(() => {
    const root = document.documentElement;
    if (root.scrollWidth <= root.clientWidth) return [];
    const scrolls = (e) => {
      for (let p = e.parentElement; p; p = p.parentElement) {
        if (getComputedStyle(p).overflowX !== "visible") return true;
      }
      return false;
    };
    return [...document.body.querySelectorAll("*")]
      .filter((e) => e.getBoundingClientRect().right > root.clientWidth + 1 && !scrolls(e))
      .slice(0, 5)
      .map((e) => `${e.tagName.toLowerCase()}.${e.className} ends at ${Math.round(e.getBoundingClientRect().right)} px`)
      .concat(`the page is ${root.scrollWidth} px wide in a window of ${root.clientWidth} px`);
  });
  assert.deepEqual(wide, [], `${where}: wider than the window`);
}

// checkLook holds the page at two widths and in both themes, and keeps pictures.
// A change of theme loads the page anew; again brings it back to its state.
export async function checkLook(page, name, again = async () => {}) {
  for (const theme of ["ledger", "ledger-night"]) {
    await setTheme(page, theme);
    await again();
    assert.equal(await page.locator("html").getAttribute("data-theme"), theme, `${name}: theme`);
    for (const viewport of [desktop, phone]) {
      const where = `${name}-${viewport.width}-${theme}`;
      await page.setViewportSize(viewport);
      await checkAxe(page, where);
      await noOverflow(page, where);
      await shoot(page, where);
    }
  }
  await page.setViewportSize(desktop);
}

// The icon sprite and the favicon.
import { readFile } from "node:fs/promises";
import path from "node:path";

// buildIcons returns [name, bytes] of icons.svg, one symbol for each name in icons.txt, and of the
// favicon.
export async function buildIcons(root, source) {
  const list = await readFile(path.join(source, "icons.txt"), "utf8");
  const names = [...new Set(list.split(/\s+/).filter(Boolean))].sort();
  const symbols = await Promise.all(names.map((name) => symbol(root, name)));
  const sprite = `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
  return [
    ["icons.svg", Buffer.from(sprite)],
    ["favicon.svg", await readFile(path.join(source, "favicon.svg"))],
  ];
}

async function symbol(root, name) {
  const svg = await readFile(path.join(root, "node_modules", "lucide-static", "icons", `${name}.svg`), "utf8");
  const shapes = svg.replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "").replace(/\s*\n\s*/g, "");
  return `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round">${shapes}</symbol>`;
}

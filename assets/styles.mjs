// The stylesheet and its fonts.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { hashedName } from "./files.mjs";

const run = promisify(execFile);
const face = /@font-face\s*\{[^}]*\}/g;
const subset = /-(latin|latin-ext)-/;

// buildStyles returns [name, bytes] of app.css and of the fonts that it names. Only the Latin subsets
// are kept; other scripts fall back to the system's fonts.
export async function buildStyles(root, source, scratch) {
  const out = path.join(scratch, "app.css");
  const cli = path.join(root, "node_modules", "@tailwindcss", "cli", "dist", "index.mjs");
  await run(process.execPath, [cli, "-i", path.join(source, "theme.css"), "-o", out, "--minify"], { cwd: root });
  let css = await readFile(out, "utf8");

  const fonts = new Map();
  for (const block of css.match(face) ?? []) {
    const file = block.match(/[\w.-]+\.woff2/)?.[0];
    if (!file) throw new Error(`no woff2 in ${block.slice(0, 80)}`);
    if (!subset.test(file)) {
      css = css.replace(block, "");
      continue;
    }
    const bytes = await readFile(fontFile(root, file));
    fonts.set(file, bytes);
    css = css.replace(block, block.replace(/src:[^;}]*/, `src:url(${hashedName(file, bytes)}) format("woff2")`));
  }
  if (fonts.size === 0) throw new Error("the stylesheet names no fonts");
  return [["app.css", Buffer.from(css)], ...fonts];
}

function fontFile(root, file) {
  const owner = file.startsWith("ibm-plex-mono") ? "@fontsource/ibm-plex-mono" : "@fontsource-variable/ibm-plex-sans";
  return path.join(root, "node_modules", owner, "files", file);
}

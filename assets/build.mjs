// Builds static/dist from static/src and the pinned npm packages: scripts, stylesheet, fonts, icons,
// sample data. Every served file carries a hash of its content in its name; manifest.json maps the
// plain names to them. The same input gives the same bytes.
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { watch } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { bundleScripts } from "./scripts.mjs";
import { buildStyles } from "./styles.mjs";
import { buildIcons } from "./icons.mjs";
import { compress, hashedName } from "./files.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const source = path.join(root, "static", "src");
const dist = path.join(root, "static", "dist");
const samples = ["airports.csv", "seattle-weather.csv", "movies.json"];

async function build() {
  const began = performance.now();
  const scratch = await mkdtemp(path.join(tmpdir(), "agnes-assets-"));
  try {
    const parts = await Promise.all([
      bundleScripts(source),
      buildStyles(root, source, scratch),
      buildIcons(root, source),
    ]);
    await publish(new Map(parts.flat()));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  const size = await total(dist);
  console.log(`static/dist built in ${Math.round(performance.now() - began)} ms, ${(size / 1024).toFixed(0)} KiB`);
}

// publish writes the new files first and the manifest last, then removes what is no longer named, so
// that a build under a running watch never leaves a gap.
async function publish(files) {
  await mkdir(path.join(dist, "sample"), { recursive: true });
  const manifest = {};
  const kept = new Set([".keep", "manifest.json", "sample"]);
  await Promise.all([...files].map(async ([name, bytes]) => {
    const hashed = hashedName(name, bytes);
    manifest[name] = hashed;
    for (const [file, content] of await compress(hashed, bytes)) {
      kept.add(file);
      await writeFile(path.join(dist, file), content);
    }
  }));
  for (const name of samples) {
    const from = path.join(root, "node_modules", "vega-datasets", "data", name);
    await writeFile(path.join(dist, "sample", name), await readFile(from));
  }
  const ordered = Object.fromEntries(Object.entries(manifest).sort(([a], [b]) => (a < b ? -1 : 1)));
  await writeFile(path.join(dist, ".keep"), "");
  await writeFile(path.join(dist, "manifest.tmp"), JSON.stringify(ordered, null, 1) + "\n");
  await rename(path.join(dist, "manifest.tmp"), path.join(dist, "manifest.json"));
  for (const file of await readdir(dist)) {
    if (!kept.has(file)) await rm(path.join(dist, file), { recursive: true });
  }
}

async function total(folder) {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const at = path.join(folder, entry.name);
    bytes += entry.isDirectory() ? await total(at) : (await readFile(at)).length;
  }
  return bytes;
}

async function rebuildOnChange() {
  let timer;
  let running = Promise.resolve();
  const again = (_event, file) => {
    if (!file || !/\.(templ|go|js|css|txt)$/.test(file) || file.endsWith("_templ.go")) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      running = running.then(build).catch((err) => console.error(err.message));
    }, 120);
  };
  for (const folder of [source, path.join(root, "views")]) watch(folder, again);
  console.log("watching static/src and views");
}

await build();
if (process.argv.includes("--watch")) await rebuildOnChange();

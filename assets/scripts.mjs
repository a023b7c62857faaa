// The scripts: app.js on every page, console.js where SQL is written, upload.js where files are brought,
// matrix.js on the matrix of access.
import path from "node:path";
import { build } from "esbuild";

// bundleScripts returns [name, bytes] of each script.
export async function bundleScripts(source) {
  const result = await build({
    entryPoints: ["app.js", "console.js", "upload.js", "matrix.js"].map((name) => path.join(source, name)),
    bundle: true,
    format: "iife",
    legalComments: "none",
    logLevel: "warning",
    minify: true,
    outdir: source, // named only; nothing is written
    target: "es2022",
    write: false,
  });
  return result.outputFiles.map((file) => [path.basename(file.path), Buffer.from(file.contents)]);
}

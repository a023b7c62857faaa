// Names and compressed copies of built files.
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import zlib from "node:zlib";

const brotli = promisify(zlib.brotliCompress);
const gzip = promisify(zlib.gzip);
const compressible = /\.(css|js|svg|json|webmanifest)$/;

// hashedName puts a hash of the content before the extension: app.css → app.3f9c1a2b.css.
export function hashedName(name, bytes) {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 8);
  const dot = name.lastIndexOf(".");
  return `${name.slice(0, dot)}.${hash}${name.slice(dot)}`;
}

// compress returns the file and, where it helps, its .br and .gz copies.
export async function compress(name, bytes) {
  const out = [[name, bytes]];
  if (!compressible.test(name) || bytes.length < 1024) return out;
  const quality = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } };
  const [br, gz] = await Promise.all([brotli(bytes, quality), gzip(bytes, { level: 9 })]);
  for (const [ending, packed] of [[".br", br], [".gz", gz]]) {
    if (packed.length < bytes.length) out.push([name + ending, packed]);
  }
  return out;
}

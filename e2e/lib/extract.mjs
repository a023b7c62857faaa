// Writes extract.duckdb files as a company's own extractor does.
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const program = path.join(root, "bin", "extract");
let built;

function call(command, args, input) {
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, { cwd: root }, (error, out, said) => (error ? reject(new Error(`${command}: ${said || error.message}`)) : resolve(out)));
    child.stdin.end(input);
  });
}

// writeExtract publishes tables of a source: for each name the SELECT of its
// rows. remote adds rows of _remote_attach and tables that stay outside.
export async function writeExtract(server, source, tables, { remote = [], outside = [] } = {}) {
  built ??= call("go", ["build", "-tags", "duckdb_arrow", "-o", program, path.join("e2e", "lib", "extract.go")], "");
  await built;
  const folder = path.join(server.dataDir, "extracts", source);
  await mkdir(folder, { recursive: true });
  const sql = [
    `CREATE TABLE _meta (table_name VARCHAR NOT NULL, description VARCHAR, rows BIGINT, size_bytes BIGINT, extracted_at TIMESTAMP, query_mode VARCHAR DEFAULT 'local')`,
  ];
  for (const [name, select] of Object.entries(tables)) {
    sql.push(`CREATE TABLE ${name} AS ${select}`);
    sql.push(`INSERT INTO _meta SELECT '${name}', 'One row per ${name.replace(/s$/, "")}', count(*), 0, now()::TIMESTAMP, 'local' FROM ${name}`);
  }
  for (const name of outside) sql.push(`INSERT INTO _meta VALUES ('${name}', 'Stays outside', 0, 0, now()::TIMESTAMP, 'remote')`);
  if (remote.length > 0) {
    sql.push("CREATE TABLE _remote_attach (alias VARCHAR, extension VARCHAR, url VARCHAR, token_env VARCHAR)");
    for (const row of remote) sql.push(`INSERT INTO _remote_attach VALUES (${row.map((v) => `'${v}'`).join(", ")})`);
  }
  await call(program, [path.join(folder, "extract.duckdb")], sql.join(";\n"));
}

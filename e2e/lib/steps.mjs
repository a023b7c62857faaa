// The steps that journeys share, in the words of the pages.
import assert from "node:assert/strict";
import { expectGone, expectVisible } from "./wait.mjs";

export const admin = { name: "Petra Nováková", email: "petra@example.com", password: "seven blue lanterns" };

// firstRun opens the printed link and makes the first administrator.
export async function firstRun(page, server, person = admin) {
  await page.goto(server.link);
  await page.getByLabel("Your name").fill(person.name);
  await page.getByLabel("Work e-mail").fill(person.email);
  await page.getByLabel("Password").fill(person.password);
  await page.getByRole("button", { name: "Make me the administrator" }).click();
  await page.waitForURL("**/catalog");
}

export async function signIn(page, person) {
  await page.goto("/login");
  await page.getByText("Use a password").click();
  await page.getByLabel("Account").fill(person.email);
  await page.getByLabel("Password").fill(person.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL("**/catalog");
}

export async function signOut(page) {
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL("**/login");
}

// loadSamples loads the sample data and waits until its tables can be queried.
export async function loadSamples(page) {
  await page.goto("/catalog");
  await page.getByRole("button", { name: "Load sample data" }).click();
  await expectVisible(page, () => page.getByRole("heading", { name: /Sample data is loaded/ }));
  const tables = () => page.getByRole("table", { name: "Tables" });
  await expectVisible(page, () => tables().getByRole("link", { name: "movies", exact: true }));
  await expectGone(page, () => tables().getByText("none yet"));
}

// csv is a file to upload.
export const csv = (name, lines) => ({ name: `${name}.csv`, mimeType: "text/csv", buffer: Buffer.from(lines.join("\n") + "\n") });

// preview uploads a file and waits for what is found in it.
export async function preview(page, file, { replaces, javaScript = true } = {}) {
  await page.goto(replaces ? `/add?table=${replaces}` : "/add");
  await page.locator("input[type=file]").setInputFiles(file);
  // With scripts the choice of a file sends it.
  if (!javaScript) await page.getByRole("button", { name: "Upload and look at it" }).click();
  await page.waitForURL("**/uploads/*");
}

// makeTable uploads a file and makes it a table.
export async function makeTable(page, file, { name, javaScript = true } = {}) {
  await preview(page, file, { javaScript });
  await page.getByRole("table", { name: "First rows of the file" }).waitFor();
  if (name) await page.getByLabel("Name in SQL").fill(name);
  await page.getByRole("button", { name: "Make it a table" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/uploads/"));
}

// waitForRows reloads a table's page until it has a version to download.
export async function waitForRows(page, table) {
  await page.goto(`/tables/${table}`);
  await expectVisible(page, () => page.getByRole("main").getByRole("link", { name: "Parquet" }));
}

// submit clicks what sends a form and waits for the answer: leaving the page
// before would take the form back.
export async function submit(page, button) {
  await Promise.all([page.waitForEvent("framenavigated"), button.click()]);
}

// replaceRows uploads new rows for a table and waits until its run ended as wanted.
export async function replaceRows(page, table, file, { state = "Done", javaScript = true } = {}) {
  await page.goto(`/tables/${table}?tab=runs`);
  const before = await runs(page).count();
  await preview(page, file, { replaces: table, javaScript });
  await page.getByRole("button", { name: "Replace the rows" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/uploads/"));
  await waitForRun(page, table, before, state);
}

function runs(page) {
  return page.getByRole("list", { name: "Runs" }).locator("> li");
}

// waitForRun waits until a table has more than so many runs, the last of them in the state.
export async function waitForRun(page, table, before, state) {
  await page.goto(`/tables/${table}?tab=runs`);
  await expectVisible(page, () => runs(page).nth(before));
  await expectVisible(page, () => runs(page).first().locator("summary").getByText(state, { exact: true }));
}

// runQuery runs SQL in the console and returns the result's cells as texts.
export async function runQuery(page, sql) {
  await page.goto(`/console?sql=${encodeURIComponent(sql)}`);
  await page.getByRole("button", { name: /^Run/ }).click();
  return readResult(page);
}

// readResult waits for the result and returns its cells as texts, without the
// rows' numbers and the filler at the end.
export async function readResult(page) {
  const table = page.getByRole("table", { name: "Query result" });
  await table.waitFor();
  return table.locator("tbody tr").evaluateAll((rows) =>
    rows.map((row) => [...row.cells].slice(1, -1).map((cell) => cell.textContent.trim())));
}

// api returns a caller of the JSON API with the person's token.
export async function api(page, person) {
  const answer = await page.request.post("/auth/token", { data: { email: person.email, password: person.password } });
  assert.equal(answer.status(), 200, "POST /auth/token");
  const { access_token: token } = await answer.json();
  return async (method, path, data, want = 200) => {
    const reply = await page.request.fetch(path, { method, data, headers: { authorization: `Bearer ${token}` } });
    assert.equal(reply.status(), want, `${method} ${path}: ${await reply.text()}`);
    return reply.status() === 204 ? undefined : reply.json();
  };
}

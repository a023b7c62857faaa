import assert from "node:assert/strict";
import test from "node:test";
import { launch, openPage } from "./lib/browser.mjs";
import { startServer } from "./lib/server.mjs";
import { admin, api, firstRun, makeTable, runQuery, signIn, signOut, waitForRows } from "./lib/steps.mjs";

const reader = { name: "Ada Lovelace", email: "ada@example.com", password: "nine green kettles" };
const csv = (name, secret) => ({ name: `${name}.csv`, mimeType: "text/csv", buffer: Buffer.from(`id,word\n1,${secret}\n`) });

test("sign out and in again by password", async (t) => {
  const server = await startServer(t);
  const page = await openPage(t, await launch(t), { url: server.url, expect: [401, 422] });
  await firstRun(page, server);

  await signOut(page);
  await page.goto("/catalog");
  await page.waitForURL("**/login?next=*");
  await page.getByText("Use a password").click();
  await page.getByLabel("Account").fill(admin.email);
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").filter({ hasText: /./ }).first().waitFor();

  await signIn(page, admin);
});

test("somebody who is no administrator sees the granted table and no other", async (t) => {
  const server = await startServer(t);
  const browser = await launch(t);
  const page = await openPage(t, browser, { url: server.url });
  await firstRun(page, server);
  for (const [name, word] of [["granted", "plum"], ["hidden", "quince"]]) {
    await makeTable(page, csv(name, word));
    await waitForRows(page, name);
  }
  const call = await api(page, admin);
  const user = await call("POST", "/api/users", { email: reader.email, name: reader.name }, 201);
  await call("POST", `/api/users/${user.id}/set-password`, { password: reader.password }, 204);
  const group = await call("POST", "/api/admin/groups", { name: "Readers" }, 201);
  await call("POST", `/api/admin/groups/${group.id}/members`, { email: reader.email }, 201);
  await call("POST", "/api/admin/grants", { group_id: group.id, resource_type: "table", resource_id: "granted" }, 201);

  const other = await openPage(t, browser, { url: server.url, expect: [403, 404, 400, 422] });
  await signIn(other, reader);
  const tables = other.getByRole("table", { name: "Tables" });
  await tables.getByRole("link", { name: "granted", exact: true }).waitFor();

  assert.equal(await tables.getByRole("link", { name: "hidden", exact: true }).count(), 0);
  assert.equal((await other.goto("/tables/hidden")).status(), 404);
  assert.equal((await other.goto("/add")).status(), 403);
  assert.deepEqual(await runQuery(other, "SELECT word FROM granted"), [["plum"]]);
  await other.goto(`/console?sql=${encodeURIComponent("SELECT word FROM hidden")}`);
  await other.getByRole("button", { name: /^Run/ }).click();
  await other.locator("#result").getByRole("alert").filter({ hasText: /hidden/ }).waitFor();
  assert.equal(await other.getByText("quince").count(), 0);
});

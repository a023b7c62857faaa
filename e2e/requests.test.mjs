import assert from "node:assert/strict";
import test from "node:test";
import { launch, openPage } from "./lib/browser.mjs";
import { checkAxe, checkLook } from "./lib/checks.mjs";
import { startMail } from "./lib/mail.mjs";
import { startServer } from "./lib/server.mjs";
import { admin, api, csv, firstRun, makeTable, runQuery, signIn, submit, waitForRows } from "./lib/steps.mjs";

const ada = { name: "Ada Lovelace", email: "ada@example.com", password: "nine green kettles" };
const bob = { name: "Bob Babbage", email: "bob@example.com", password: "four tin whistles" };

// office is a server with a table that a colleague sees, one that nobody learns
// of, and two people in Finance.
async function office(t, { env = {}, javaScript = true } = {}) {
  const server = await startServer(t, { env });
  const browser = await launch(t);
  const page = await openPage(t, browser, { url: server.url, expect: [403, 404, 409, 412], javaScript });
  await firstRun(page, server);
  for (const name of ["orders", "salaries"]) {
    await makeTable(page, csv(name, ["id,word", "1,plum"]), { javaScript });
    await waitForRows(page, name);
  }
  const call = await api(page, admin);
  const group = async (name) => (await call("POST", "/api/admin/groups", { name }, 201)).id;
  const [finance, sales] = [await group("Finance"), await group("Sales")];
  for (const person of [ada, bob]) {
    const user = await call("POST", "/api/users", { email: person.email, name: person.name }, 201);
    await call("POST", `/api/users/${user.id}/set-password`, { password: person.password }, 204);
    await call("POST", `/api/admin/groups/${finance}/members`, { email: person.email }, 201);
  }
  await call("POST", `/api/admin/groups/${sales}/members`, { email: bob.email }, 201);
  await call("POST", "/api/admin/grants", { group_id: sales, resource_type: "table", resource_id: "orders" }, 201);
  return { server, browser, page, call };
}

// discover marks orders as one that people may ask for.
async function discover(page) {
  await page.goto("/tables/orders");
  await page.getByLabel("People without a grant may ask").check();
  await submit(page, page.getByRole("region", { name: "Who may ask for it" }).getByRole("button", { name: "Save" }));
  await page.getByText("People may ask for orders. Administrators decide.").waitFor();
}

async function askFromCatalog(page, why) {
  await page.goto("/catalog");
  const offers = page.getByRole("region", { name: "Others you may ask for" });
  assert.equal(await offers.getByText("salaries").count(), 0, "what nobody learns of is offered");
  await offers.getByText("Ask for access").first().click();
  await offers.getByLabel("What you need it for").fill(why);
  await submit(page, offers.getByRole("button", { name: "Ask for orders" }));
  await page.waitForURL("**/requests");
  await page.getByText("Waits").waitFor();
}

for (const javaScript of [true, false]) {
  test(`ask from the catalog, be approved, see it (${javaScript ? "with" : "without"} JavaScript)`, async (t) => {
    const mail = await startMail(t);
    const { server, browser, page } = await office(t, { env: mail.env, javaScript });
    const reader = await openPage(t, browser, { url: server.url, expect: [400, 403, 404], javaScript });
    await signIn(reader, ada);
    await reader.goto("/catalog");
    assert.equal(await reader.getByText("Others you may ask for").count(), 0);

    await discover(page);
    await askFromCatalog(reader, "Monthly report of returns");
    assert.match((await mail.mailTo(admin.email)).subject, /asks for orders/);
    if (javaScript) {
      await checkLook(reader, "requests-own");
      await reader.goto("/catalog");
      await checkLook(reader, "requests-catalog");
    }

    await page.goto("/catalog");
    await page.getByRole("link", { name: /^Access/ }).first().click();
    await page.goto("/admin/access/requests");
    await page.getByRole("heading", { name: "Ada Lovelace asks for orders" }).waitFor();
    await page.getByText("1 of 1 colleague in Finance has it via Sales.").waitFor();
    if (javaScript) await checkLook(page, "requests-inbox");
    await page.getByRole("radio", { name: /Everybody in Finance/ }).check();
    await submit(page, page.getByRole("button", { name: "Approve the request of ada@example.com for orders" }));
    await page.getByText(/ada@example.com sees orders via Finance until/).waitFor();
    assert.equal((await mail.mailTo(ada.email)).subject, "You may see orders");

    await reader.goto("/catalog");
    await reader.getByText("A request of yours for access is answered.").waitFor();
    await reader.getByRole("table", { name: "Tables" }).getByRole("link", { name: "orders", exact: true }).waitFor();
    if (javaScript) assert.deepEqual(await runQuery(reader, "SELECT word FROM orders"), [["plum"]]);
    await reader.goto("/requests");
    await reader.getByText("Approved").waitFor();

    // Taking it back within ten minutes.
    await page.goto("/admin/access/requests?state=approved");
    await page.goto("/tables/orders");
    assert.equal((await reader.goto("/tables/orders")).status(), 200);
  });
}

test("a refusal says why, and an approval can be undone", async (t) => {
  const { server, browser, page } = await office(t);
  await discover(page);
  const reader = await openPage(t, browser, { url: server.url, expect: [404] });
  await signIn(reader, ada);
  await askFromCatalog(reader, "Curious");

  await page.goto("/admin/access/requests");
  await page.getByText("Refuse, with a reason").click();
  await page.getByLabel("Why not, and what instead").fill("Use the monthly figures.");
  await submit(page, page.getByRole("button", { name: "Refuse the request of ada@example.com for orders" }));
  await page.getByText("Nobody waits for an answer.").first().waitFor();
  await reader.goto("/requests");
  await reader.getByText("Use the monthly figures.").waitFor();
  await checkAxe(reader, "a refused request");

  await askFromCatalog(reader, "The monthly figures lack returns");
  await page.goto("/admin/access/requests");
  await submit(page, page.getByRole("button", { name: "Approve the request of ada@example.com for orders" }));
  assert.equal((await reader.goto("/tables/orders")).status(), 200);
  await submit(page, page.getByRole("button", { name: "Undo" }));
  await page.getByText(/The approval is taken back/).waitFor();
  assert.equal((await reader.goto("/tables/orders")).status(), 404);
});

test("a query that names a table offers to ask for it, and says nothing of hidden ones", async (t) => {
  const { server, browser, page, call } = await office(t);
  await call("PUT", "/api/admin/registry/orders", { discoverable: true }, 200);
  const reader = await openPage(t, browser, { url: server.url, expect: [400, 404] });
  await signIn(reader, ada);

  async function run(sql) {
    await reader.goto(`/console?sql=${encodeURIComponent(sql)}`);
    await reader.getByRole("button", { name: /^Run/ }).click();
    const alert = reader.locator("#result").getByRole("alert").filter({ hasText: /./ });
    await alert.waitFor();
    return alert.innerText();
  }
  const hidden = await run("SELECT * FROM salaries");
  assert.equal(hidden.replaceAll("salaries", "X").replace(/run \S+/i, ""), (await run("SELECT * FROM nothing1")).replaceAll("nothing1", "X").replace(/run \S+/i, ""));
  await run("SELECT * FROM orders");
  await reader.getByText("orders exists; you have no grant.").waitFor();
  await checkAxe(reader, "an offer to ask");
  await reader.getByRole("link", { name: "Ask for access" }).click();
  await reader.waitForURL("**/requests/new?*");
  await checkLook(reader, "requests-ask");
  await reader.getByLabel("What you need it for").fill("The console said so");
  await submit(reader, reader.getByRole("button", { name: "Ask for orders" }));
  await page.goto("/admin/access/requests");
  await page.getByText("after a query").waitFor();
});

for (const javaScript of [true, false]) {
  test(`see as a person (${javaScript ? "with" : "without"} JavaScript)`, async (t) => {
    const { page } = await office(t, { javaScript });
    await page.goto("/admin/access/requests");
    await page.getByRole("link", { name: "See as a person" }).click();
    if (javaScript) await checkLook(page, "simulate");
    await page.getByRole("searchbox", { name: "Search people" }).fill("bob");
    await page.getByRole("button", { name: "Show" }).click();
    await submit(page, page.getByRole("button", { name: "See as bob@example.com" }));

    const banner = page.getByRole("region", { name: "Seen as another person" });
    await banner.getByText("You see what bob@example.com sees.").waitFor();
    const tables = page.getByRole("table", { name: "Tables" });
    await tables.getByRole("link", { name: "orders", exact: true }).waitFor();
    assert.equal(await tables.getByRole("link", { name: "salaries", exact: true }).count(), 0);
    assert.equal(await page.getByRole("link", { name: "Add data" }).count(), 0);
    if (javaScript) {
      await checkLook(page, "simulated-catalog");
      assert.deepEqual(await runQuery(page, "SELECT word FROM orders"), [["plum"]]);
      await checkLook(page, "simulated-console");
      await page.goto("/console/history");
      await page.getByText("SELECT word FROM orders").first().waitFor();
      assert.equal(await page.getByRole("button", { name: /^Forget/ }).count(), 0, "what is closed here is not offered");
    }
    await page.goto("/tables/orders");
    await banner.waitFor();
    assert.equal(await page.getByRole("link", { name: "Parquet" }).count(), 0, "what is closed here is not offered");
    assert.equal((await page.goto("/tables/salaries")).status(), 404);
    await banner.waitFor();
    assert.equal((await page.goto("/admin/people")).status(), 403);
    await page.getByText("You see what bob@example.com sees, read only").waitFor();

    await submit(page, banner.getByRole("button", { name: "End" }));
    await page.getByText("You see as yourself again.").waitFor();
    assert.equal((await page.goto("/tables/salaries")).status(), 200);
    await page.goto("/console/history");
    assert.equal(await page.getByText("SELECT word FROM orders").count(), 0, "a simulated query is among the administrator's own");
  });
}

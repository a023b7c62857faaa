import assert from "node:assert/strict";
import test from "node:test";
import { launch, openPage } from "./lib/browser.mjs";
import { checkLook } from "./lib/checks.mjs";
import { startServer } from "./lib/server.mjs";
import { admin, api, csv, firstRun, makeTable, signIn, submit, waitForRows } from "./lib/steps.mjs";

const people = ["ada", "ben", "cyd"].map((name) => ({ email: `${name}@example.com`, name: `${name[0].toUpperCase()}${name.slice(1)} Somebody` }));
const members = (page) => page.getByRole("table", { name: "Members" }).getByRole("link");
const button = (page, name) => page.getByRole("button", { name, exact: true });

// start is a server with an administrator and three people.
async function start(t, options = {}) {
  const server = await startServer(t);
  const browser = await launch(t);
  const page = await openPage(t, browser, { url: server.url, ...options });
  await firstRun(page, server);
  const call = await api(page, admin);
  for (const person of people) await call("POST", "/api/users", person, 201);
  return { server, browser, page, call };
}

// makeGroup makes a group by its form and is on its page then.
async function makeGroup(page, name, about) {
  await page.goto("/admin/groups");
  await page.getByRole("link", { name: "New group" }).click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("What it is for").fill(about);
  await submit(page, button(page, "Make the group"));
  await page.getByRole("heading", { name, level: 1 }).waitFor();
}

for (const javaScript of [true, false]) {
  test(`a group is made, filled, emptied and brought back ${javaScript ? "with" : "without"} JavaScript`, async (t) => {
    const { page } = await start(t, { javaScript, expect: [422] });
    await makeGroup(page, "Finance", "Closes the books");

    if (javaScript) {
      await page.getByLabel("One person").pressSequentially("Ben S");
      // The list follows what is typed: nobody else is left in it.
      await page.locator("#who-list:not(:has(option:nth-child(2))) option[value='ben@example.com']").waitFor({ state: "attached" });
    }
    await page.getByLabel("One person").fill("ben@example.com");
    await submit(page, button(page, "Add"));
    await page.getByText("Ben Somebody is in Finance now.").waitFor();

    await page.getByText("Or paste many").click();
    await page.getByLabel("Addresses").fill("Ada <ada@example.com>; cyd@example.com\nnew@example.com");
    await submit(page, button(page, "Add"));
    await page.getByText("new@example.com has no account here.").waitFor();
    assert.deepEqual(await members(page).allTextContents(), ["Ada Somebody", "Ben Somebody", "Cyd Somebody"]);
    await page.getByRole("link", { name: "Invite them into this group" }).click();
    assert.equal(await page.getByLabel("Addresses").inputValue(), "new@example.com");
    assert.equal(await page.getByRole("checkbox", { name: /Finance/ }).isChecked(), true);

    await page.goto("/admin/groups");
    await page.getByRole("link", { name: "Finance" }).click();
    await submit(page, page.getByRole("button", { name: "Remove Ben Somebody" }));
    assert.deepEqual(await members(page).allTextContents(), ["Ada Somebody", "Cyd Somebody"]);
    await submit(page, button(page, "Undo"));
    assert.equal(await members(page).count(), 3);

    await submit(page, button(page, "Delete the group"));
    assert.equal(await page.getByRole("table", { name: "Groups" }).getByRole("link", { name: "Finance" }).count(), 0);
    await submit(page, button(page, "Undo"));
    assert.equal(await members(page).count(), 3);
    await submit(page, button(page, "Delete the group"));
    await page.getByRole("link", { name: "Recently deleted" }).click();
    await submit(page, page.getByRole("button", { name: "Bring back Finance" }));
    await page.getByText("The group Finance is back, with its members and grants.").waitFor();
  });
}

// clash opens a form in two browsers, saves the first and then sends the second.
async function clash(page, other, path, mine, theirs) {
  await page.goto(path);
  await other.goto(path);
  for (const [label, value] of Object.entries(theirs)) await fill(other, label, value);
  await submit(other, button(other, "Save"));
  for (const [label, value] of Object.entries(mine)) await fill(page, label, value);
  await submit(page, button(page, "Save"));
  await page.getByRole("heading", { name: /was changed meanwhile/ }).waitFor();
}

async function fill(page, label, value) {
  const field = page.getByLabel(label, { exact: true });
  if ((await field.evaluate((e) => e.tagName)) === "SELECT") await field.selectOption(value);
  else await field.fill(value);
}

const keep = "Keep theirs, add mine where they changed nothing";
const over = "Save mine over theirs";

for (const javaScript of [true, false]) {
  test(`two people change the same ${javaScript ? "with" : "without"} JavaScript`, async (t) => {
    const { server, browser, page, call } = await start(t, { javaScript, expect: [412] });
    const other = await openPage(t, browser, { url: server.url, javaScript });
    await signIn(other, admin);
    const group = await call("POST", "/api/admin/groups", { name: "Sales" }, 201);
    const at = `/admin/groups/${group.id}`;
    const is = async () => {
      const g = await call("GET", `/api/admin${at.slice("/admin".length)}`, undefined, 200);
      return `${g.name}: ${g.description}`;
    };

    await clash(page, other, at, { Name: "Sales & Co", "What it is for": "mine" }, { Name: "Sales EU" });
    const row = page.getByRole("row", { name: /Name/ }).filter({ hasText: "changed by both" });
    assert.deepEqual((await row.getByRole("cell").allInnerTexts()).map((text) => text.trim().split("\n").at(-1)), ["Sales & Co", "Sales EU", "Sales"]);
    await submit(page, button(page, keep));
    assert.equal(await is(), "Sales EU: mine");

    await clash(page, other, at, { Name: "Sales DE", "What it is for": "mine too" }, { Name: "Sales FR" });
    await submit(page, button(page, over));
    assert.equal(await is(), "Sales DE: mine too");

    await clash(page, other, at, { Name: "Sales IT" }, { "What it is for": "theirs" });
    await page.getByRole("link", { name: "Discard mine" }).click();
    await page.getByRole("heading", { name: "Sales DE", level: 1 }).waitFor();
    assert.equal(await is(), "Sales DE: theirs");

    await makeTable(page, csv("orders", ["id,n", "1,2"]), { javaScript });
    await waitForRows(page, "orders");
    const share = "Hold when smaller by more than";
    const columns = "When the columns change";
    const guard = async () => {
      const { tables } = await call("GET", "/api/admin/registry", undefined, 200);
      return `${tables[0].shrink_guard_pct} ${tables[0].schema_policy}`;
    };
    await clash(page, other, "/tables/orders", { [share]: "7", [columns]: "freeze" }, { [share]: "40" });
    await submit(page, button(page, keep));
    assert.equal(await guard(), "40 freeze");
    await clash(page, other, "/tables/orders", { [share]: "7" }, { [share]: "41" });
    assert.equal(await button(page, keep).count(), 0, "nothing of theirs can be kept beside it");
    await submit(page, button(page, over));
    assert.equal(await guard(), "7 freeze");
    await clash(page, other, "/tables/orders", { [share]: "8" }, { [columns]: "ask" });
    await page.getByRole("link", { name: "Discard mine" }).click();
    assert.equal(await guard(), "7 ask");
  });
}

test("the pages of groups at two widths and in both themes", async (t) => {
  const { page, call, browser, server } = await start(t, { expect: [412] });
  const group = await call("POST", "/api/admin/groups", { name: "Finance", description: "Closes the books" }, 201);
  for (const { email } of people) await call("POST", `/api/admin/groups/${group.id}/members`, { email }, 201);
  const gone = await call("POST", "/api/admin/groups", { name: "Interns" }, 201);
  await call("DELETE", `/api/admin/groups/${gone.id}`, undefined, 204);
  const at = `/admin/groups/${group.id}`;
  for (const [name, path] of [["groups", "/admin/groups"], ["group", at], ["group-new", "/admin/groups/new"], ["bin", "/admin/bin"], ["people-tabs", "/admin/people"]]) {
    await page.goto(path);
    await checkLook(page, name);
  }

  const other = await openPage(t, browser, { url: server.url });
  await signIn(other, admin);
  const again = () => clash(page, other, at, { Name: `Mine ${Date.now()}` }, { Name: `Theirs ${Date.now()}` });
  await again();
  await checkLook(page, "clash", again);
});

test("keys lead to the pages of administration", async (t) => {
  const { page } = await start(t);
  for (const [key, path] of [["p", "/admin/people"], ["g", "/admin/groups"]]) {
    await page.goto("/catalog");
    await page.keyboard.press("g");
    await page.keyboard.press(key);
    await page.waitForURL(`**${path}`);
  }
});

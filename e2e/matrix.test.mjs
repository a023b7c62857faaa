import assert from "node:assert/strict";
import test from "node:test";
import { launch, openPage } from "./lib/browser.mjs";
import { checkAxe, checkLook } from "./lib/checks.mjs";
import { startServer } from "./lib/server.mjs";
import { admin, api, csv, firstRun, makeTable, signIn } from "./lib/steps.mjs";

const tables = ["orders", "payments", "rates"];
const staff = { Finance: ["ann", "bob"], Sales: ["bob", "cyd"], Support: [] };

// company makes three tables, three groups and three people.
async function company(page) {
  for (const name of tables) await makeTable(page, csv(name, ["id,word", "1,plum"]));
  const call = await api(page, admin);
  for (const name of ["ann", "bob", "cyd", "dan", "eve"]) await call("POST", "/api/users", { email: `${name}@example.com`, name }, 201);
  const groups = {};
  for (const [name, members] of Object.entries(staff)) {
    groups[name] = (await call("POST", "/api/admin/groups", { name }, 201)).id;
    for (const member of members) await call("POST", `/api/admin/groups/${groups[name]}/members`, { email: `${member}@example.com` }, 201);
  }
  await call("POST", "/api/admin/grants", { group_id: groups.Sales, resource_type: "table", resource_id: "orders" }, 201);
  return groups;
}

const cell = (page, name) => page.locator(`input.cx[aria-label^="${name}: "]`);
const said = (page) => page.locator("#matrix-said");
const bar = (page) => page.getByRole("group", { name: "Staged changes" });

// says waits until an element holds the text.
async function says(locator, text) {
  await locator.filter({ hasText: text }).waitFor({ state: "attached" });
}

async function labelled(page, text) {
  await page.locator(`input.cx[aria-label="${text}"]`).waitFor();
}

async function focused(page, text) {
  await page.waitForFunction((want) => document.activeElement?.getAttribute("aria-label") === want, text);
}

test("the matrix of access by keyboard: stage, read, apply, take back", async (t) => {
  const server = await startServer(t);
  const browser = await launch(t);
  const page = await openPage(t, browser, { url: server.url });
  await firstRun(page, server);
  await company(page);

  await page.goto("/admin/access");
  assert.equal(await page.getByRole("grid", { name: "Tables by groups" }).getByRole("gridcell", { selected: true }).count(), 0);
  await cell(page, "orders, Everyone").focus();
  await page.keyboard.press("ArrowRight");
  await focused(page, "orders, Finance: no access");
  await page.keyboard.press("End");
  await focused(page, "orders, Support: no access");
  await page.keyboard.press("Control+End");
  await focused(page, "rates, Support: no access");
  await page.keyboard.press("PageUp");
  await page.keyboard.press("Home");
  await focused(page, "orders, Everyone: no access");
  await page.keyboard.press("ArrowUp");
  await focused(page, "orders, Everyone: no access");
  assert.equal(await page.locator("input.cx[tabindex='0']").count(), 1, "places that Tab stops at");

  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Space");
  await focused(page, "orders, Finance: gets it, staged");
  await says(said(page), "orders, Finance: gets it, staged. 1 change: 1 group, 1 person gains 1 table.");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("Shift+ArrowDown");
  await says(said(page), "4 cells chosen");
  assert.equal(await page.getByRole("gridcell", { selected: true }).count(), 4);
  await page.keyboard.press("Space");
  await says(said(page), "4 cells: granted, staged. 5 changes: 2 groups, 3 people gain up to 3 tables.");
  await says(bar(page), "This concerns more than half: 3 of 5 people.");
  await page.keyboard.press("Escape");
  assert.equal(await page.getByRole("gridcell", { selected: true }).count(), 0);
  await page.keyboard.press("Control+z");
  await says(bar(page), "1 change: 1 group, 1 person gains 1 table.");
  await labelled(page, "payments, Sales: no access");

  await page.getByLabel("Filter tables").fill("rat");
  await page.waitForURL("**/admin/access?t=rat*");
  await cell(page, "orders, Finance").waitFor({ state: "detached" });
  await cell(page, "rates, Support").click();
  await labelled(page, "rates, Support: gets it, staged");
  await page.goBack();
  await labelled(page, "orders, Finance: gets it, staged");
  await page.reload();
  await labelled(page, "orders, Finance: gets it, staged");
  await labelled(page, "rates, Support: gets it, staged");
  await says(bar(page), "2 changes: 2 groups, 1 person gains 1 table.");
  await checkLook(page, "matrix", () => says(bar(page), "2 changes"));

  await page.getByRole("button", { name: "Review" }).click();
  const review = page.getByRole("dialog", { name: "2 changes of access" });
  await review.getByLabel("Why they need it").fill("quarter close");
  await review.getByLabel("Ends on").fill("2099-03-03");
  await review.getByLabel("Note").fill("asked by Ann");
  await checkAxe(page, "the review of staged changes");
  await review.getByRole("button", { name: "Apply 2 changes" }).click();
  await page.getByText("2 changes applied: 2 groups, 1 person gains 1 table.").waitFor();
  await labelled(page, "orders, Finance: granted until 3 March 2099");
  assert.equal(await bar(page).count(), 0, "applied changes are staged still");
  await page.reload();
  assert.equal(await bar(page).count(), 0);
  await cell(page, "orders, Finance").focus();
  await says(page.locator("[data-matrix-cell]"), "ends on 3 March 2099: quarter close");
  await checkLook(page, "matrix-applied");

  await page.getByRole("region", { name: "Recent changes" }).getByRole("button", { name: "Undo" }).click();
  await page.getByText("2 changes of access taken back.").waitFor();
  await labelled(page, "orders, Finance: no access");
});

test("only the cells that somebody else changed are asked again", async (t) => {
  const server = await startServer(t);
  const browser = await launch(t);
  const page = await openPage(t, browser, { url: server.url, expect: [412] });
  await firstRun(page, server);
  await company(page);
  await page.goto("/admin/access");
  await cell(page, "orders, Finance").click();
  await cell(page, "rates, Support").click();
  await says(bar(page), "2 changes");

  const other = await openPage(t, browser, { url: server.url });
  await signIn(other, admin);
  await other.goto("/admin/access");
  assert.equal(await bar(other).count(), 0, "one tab shows what another staged");
  await cell(other, "orders, Finance").click();
  await other.getByRole("button", { name: "Review" }).click();
  await other.getByLabel("Ends on").fill("2099-03-03");
  await other.getByRole("dialog").getByRole("button", { name: "Apply 1 change" }).click();
  await labelled(other, "orders, Finance: granted until 3 March 2099");

  await bar(page).getByRole("button", { name: "Apply 2 changes" }).click();
  await page.getByRole("heading", { name: "1 cell changed under you" }).waitFor();
  await page.getByText("The other 1 change of yours").waitFor();
  await page.getByRole("row", { name: /orders.*Finance.*no access.*granted until 3 March 2099.*granted without end/ }).waitFor();
  await checkAxe(page, "cells that changed");
  await page.getByLabel("Apply mine anyway").check();
  await page.getByRole("button", { name: "Apply what I chose" }).click();
  await labelled(page, "orders, Finance: granted");
  await labelled(page, "rates, Support: granted");
});

test("the three doors, with and without scripts", async (t) => {
  const server = await startServer(t);
  const browser = await launch(t);
  const page = await openPage(t, browser, { url: server.url });
  await firstRun(page, server);
  const groups = await company(page);
  const download = page.waitForEvent("download");
  await page.goto("/admin/access");
  await page.getByRole("link", { name: "Export" }).click();
  assert.match((await download).suggestedFilename(), /^access-.*\.csv$/);

  await page.goto(`/admin/access?view=group&group=${groups.Sales}`);
  await checkLook(page, "access-group");
  await page.goto("/admin/access?view=table&table=orders");
  await checkLook(page, "access-table");
  await page.goto("/admin/access?view=person&q=bob");
  await page.getByRole("link", { name: "bob" }).first().click();
  await page.getByText("member of Sales since").waitFor();
  await checkLook(page, "access-person");
  await page.getByRole("button", { name: "Take orders from Sales (2 people)" }).click();
  await page.getByText("1 group, 2 people lose 1 table.").waitFor();
  await checkAxe(page, "review of a grant that is taken away");
  await page.getByRole("button", { name: "Apply 1 change" }).click();
  await page.getByText("1 change applied: 1 group, 2 people lose 1 table.").waitFor();

  const plain = await openPage(t, browser, { url: server.url, javaScript: false });
  await signIn(plain, admin);
  await plain.goto("/admin/access");
  await plain.getByLabel("payments, Support: no access").check();
  await plain.getByRole("button", { name: "Review the changes" }).click();
  await plain.getByRole("heading", { name: "1 change of access" }).waitFor();
  await plain.getByRole("button", { name: "Apply 1 change" }).click();
  await plain.getByLabel("payments, Support: granted").waitFor();
});

import assert from "node:assert/strict";
import test from "node:test";
import { launch, openPage } from "./lib/browser.mjs";
import { checkAxe, checkLook } from "./lib/checks.mjs";
import { linkIn, startMail } from "./lib/mail.mjs";
import { startServer } from "./lib/server.mjs";
import { admin, firstRun, signIn, signOut, submit } from "./lib/steps.mjs";

const guest = { name: "Ben Novák", email: "ben@example.com", password: "nine green kettles" };

// invite asks somebody in from the page of people, and returns the mail's link.
async function invite(page, mail, person) {
  await page.goto("/admin/people");
  await page.getByRole("link", { name: "Invite people" }).first().click();
  await page.getByLabel("Addresses").fill(person.email);
  await page.getByRole("button", { name: "See what will happen" }).click();
  await page.getByRole("table", { name: "Addresses" }).getByText(person.email).waitFor();
  await page.getByRole("button", { name: "Invite 1 person" }).click();
  await page.getByText(/mailed|sent/i).first().waitFor();
  return linkIn(await mail.mailTo(person.email));
}

for (const javaScript of [true, false]) {
  test(`invited by mail, signed in, out and in again ${javaScript ? "with" : "without"} JavaScript`, async (t) => {
    const mail = await startMail(t);
    const server = await startServer(t, { env: mail.env });
    const browser = await launch(t);
    const page = await openPage(t, browser, { url: server.url, javaScript });
    await firstRun(page, server);
    const link = await invite(page, mail, guest);
    await signOut(page);

    const theirs = await openPage(t, browser, { url: server.url, javaScript, expect: [404, 410] });
    for (let i = 0; i < 2; i++) await theirs.request.get(link); // a program that reads mail ahead
    await theirs.goto(link);
    await theirs.getByLabel("Your name").fill(guest.name);
    await theirs.getByLabel("New password").fill(guest.password);
    await theirs.getByRole("button", { name: "Save and sign in" }).click();
    await theirs.waitForURL("**/catalog");
    await signOut(theirs);
    await theirs.goto(link);
    await theirs.getByText("This link does not work any more").waitFor();

    await theirs.goto("/console");
    await theirs.waitForURL("**/login?next=*");
    await theirs.getByLabel("Work e-mail").fill(guest.email);
    await theirs.getByRole("button", { name: "Mail me a sign-in link" }).click();
    await theirs.getByText("Check your mail").waitFor();
    await theirs.goto(linkIn(await mail.mailTo(guest.email, 2)));
    assert.ok(!theirs.url().includes("token"), `the secret of the link stays in the address: ${theirs.url()}`);
    await theirs.getByRole("button", { name: "Sign in" }).click();
    await theirs.waitForURL("**/console");
    await signOut(theirs);
  });
}

test("a code of the mail signs in where it was asked for, and nowhere else", async (t) => {
  const mail = await startMail(t);
  const server = await startServer(t, { env: mail.env });
  const browser = await launch(t);
  const page = await openPage(t, browser, { url: server.url, expect: [401, 422] });
  await firstRun(page, server);
  await signOut(page);

  await page.getByLabel("Work e-mail").fill(admin.email);
  await page.getByRole("button", { name: "Mail me a sign-in link" }).click();
  await page.getByText("Check your mail").waitFor();
  await checkLook(page, "mail-sent");
  const code = /\b[A-Z2-9]{4}-[A-Z2-9]{4}\b/.exec((await mail.mailTo(admin.email)).text)[0];
  await page.getByLabel("Code of the mail").fill("AAAA-AAAA");
  await submit(page, page.getByRole("button", { name: "Sign in with the code" }));
  await page.getByRole("alert").first().waitFor();
  await page.getByLabel("Code of the mail").fill(code.toLowerCase());
  await page.getByRole("button", { name: "Sign in with the code" }).click();
  await page.waitForURL("**/catalog");
});

test("people look after their own sign-ins and tokens", async (t) => {
  const mail = await startMail(t);
  const server = await startServer(t, { env: mail.env });
  const browser = await launch(t);
  const page = await openPage(t, browser, { url: server.url, expect: [401] });
  await firstRun(page, server);
  const other = await openPage(t, browser, { url: server.url, expect: [401] });
  await signIn(other, admin);

  await page.goto("/profile");
  await checkLook(page, "account");
  const signIns = page.getByRole("table", { name: "Sign-ins" });
  assert.equal(await signIns.locator("tbody tr").count(), 2);
  await page.getByRole("button", { name: "Sign out all others" }).click();
  await page.getByText("1 sign-in ended. You are signed in here only.").waitFor();
  await other.goto("/catalog");
  await other.waitForURL("**/login?next=*");

  await page.goto("/profile");
  await page.getByLabel("What it is for").fill("nightly job");
  await page.getByRole("button", { name: "Make a token" }).click();
  const token = await page.locator("#made-token").inputValue();
  await checkAxe(page, "a new token");
  const asks = () => fetch(`${server.url}/api/catalog/tables`, { headers: { Authorization: `Bearer ${token}` } });
  assert.equal((await asks()).status, 200);
  await page.goto("/profile");
  assert.ok(!(await page.content()).includes(token), "a token is shown twice");
  await page.getByRole("table", { name: "Personal tokens" }).getByRole("button", { name: /^Revoke/ }).click();
  await page.getByText(/revoked/i).first().waitFor();
  assert.equal((await asks()).status, 401);
});

test("administrators look after people", async (t) => {
  const mail = await startMail(t);
  const server = await startServer(t, { env: mail.env });
  const browser = await launch(t);
  const page = await openPage(t, browser, { url: server.url });
  await page.goto("/login");
  await checkLook(page, "signin-mail");
  await firstRun(page, server);
  await checkLook(await at(page, "/admin/mail"), "mail");
  await page.getByRole("button", { name: /^Send/ }).click();
  await page.getByText("250").first().waitFor(); // what the mail server answered
  assert.match((await mail.mailTo(admin.email)).subject, /\S/);
  await checkLook(await at(page, "/admin/people/invite"), "invite");
  await invite(page, mail, guest);
  await checkLook(await at(page, "/admin/people"), "people");
  await page.getByRole("link", { name: guest.email }).first().click();
  await page.getByRole("button", { name: "Deactivate" }).waitFor();
  await checkLook(page, "person");
  await page.getByRole("button", { name: "Deactivate" }).click();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("button", { name: "Deactivate" }).waitFor();

  await page.goto("/admin/people?q=petra");
  await page.getByRole("table", { name: "People" }).getByRole("link", { name: admin.name }).click();
  await page.getByRole("button", { name: "Save the groups" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Deactivate" }).count(), 0, "an administrator may deactivate themselves");
});

async function at(page, address) {
  await page.goto(address);
  return page;
}

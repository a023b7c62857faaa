import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import test from "node:test";
import { launch, openPage, phone } from "./lib/browser.mjs";
import { checkLook } from "./lib/checks.mjs";
import { startMail } from "./lib/mail.mjs";
import { startServer } from "./lib/server.mjs";
import { admin, api, firstRun, signIn } from "./lib/steps.mjs";

const settings = "/admin/server-config";
const overlay = (server) => readFile(path.join(server.dataDir, "state", "instance.yaml"), "utf8");
const field = (page, key) => page.locator(`[data-setting="${key}"]`);

// review sends the section's form and waits for what it would change.
async function review(page) {
  await page.getByRole("button", { name: "Review changes" }).click();
  await page.getByRole("heading", { name: /^Save \d+ changes?\?$/ }).waitFor();
}

async function save(page) {
  await page.getByRole("button", { name: /^Save \d+ change/ }).click();
  await page.waitForURL(`**${settings}?section=*`);
}

for (const javaScript of [true, false]) {
  test(`settings change, at once or after a restart, ${javaScript ? "with" : "without"} JavaScript`, async (t) => {
    const server = await startServer(t);
    const page = await openPage(t, await launch(t), { url: server.url, javaScript, expect: [422] });
    await firstRun(page, server);
    await page.goto(settings);
    if (javaScript) await checkLook(page, "settings");

    await page.getByLabel("Name", { exact: true }).fill("Hollis & Brandt");
    await review(page);
    assert.match(await page.locator('[data-change="instance.name"]').innerText(), /Hollis & Brandt[\s\S]*at once/);
    if (javaScript) await checkLook(page, "settings-review");
    await save(page);
    await page.locator("#nav").getByText("Hollis & Brandt").waitFor({ state: "attached" });
    assert.match(await field(page, "instance.name").innerText(), /saved here/);

    await page.goto(`${settings}?section=query`);
    await page.getByLabel("Queue", { exact: true }).fill("soon");
    await page.getByRole("button", { name: "Review changes" }).click();
    await field(page, "query.queue").getByText("is not a whole number").waitFor();
    assert.equal(await page.getByLabel("Queue", { exact: true }).inputValue(), "soon");
    await page.getByLabel("Queue", { exact: true }).fill("99");
    await review(page);
    await save(page);
    await page.locator("#restart").getByText("query.queue").waitFor();
    if (javaScript) await checkLook(page, "settings-restart");

    await page.goto(`${settings}?section=query`); // without the message, which covers the button where no script takes it away
    await field(page, "query.queue").getByRole("checkbox").check();
    await review(page);
    await save(page);
    assert.equal(await page.locator("#restart").count(), 0);
  });
}

test("a secret is set, kept, tested and cleared, and never shown", async (t) => {
  const canary = "canary-9c1e44";
  const server = await startServer(t);
  const mail = await startMail(t);
  const page = await openPage(t, await launch(t), { url: server.url, expect: [409] });
  const seen = [];
  page.on("response", async (response) => {
    if (response.url().includes("server-config")) seen.push(await response.text().catch(() => ""));
  });
  await firstRun(page, server);
  await page.goto(`${settings}?section=mail`);
  await page.getByRole("button", { name: "Test connection" }).click();
  await page.getByRole("alert").getByText("set up yet").waitFor();

  await page.getByLabel("From", { exact: true }).fill("agnes@example.com");
  await page.getByLabel("SMTP host").fill("127.0.0.1");
  await page.getByLabel("SMTP port").fill(mail.env.SMTP_PORT);
  await page.getByLabel("SMTP TLS").selectOption("none");
  await page.getByLabel("SMTP password").fill(canary);
  await review(page);
  assert.match(await page.locator('[data-change="mail.smtp_password"]').innerText(), /not set[\s\S]*set/);
  await save(page);
  assert.match(await overlay(server), new RegExp(canary));
  await field(page, "mail.smtp_password").getByText(`by ${admin.email}`).waitFor();

  const steps = page.getByRole("region", { name: "Test of Mail" });
  const tested = async () => {
    await page.goto(`${settings}?section=mail`);
    await page.getByRole("button", { name: "Test connection" }).click();
    await steps.getByText("Send from agnes@example.com").waitFor();
  };
  await tested();
  assert.equal(await steps.getByText("Failed").count(), 0);
  await checkLook(page, "settings-test", tested);

  await page.goto(`${settings}?section=mail`);
  await page.getByLabel("From", { exact: true }).fill("data@example.com");
  await review(page);
  assert.equal(await page.locator("[data-change]").count(), 1);
  await save(page);
  assert.match(await overlay(server), new RegExp(canary));

  await field(page, "mail.smtp_password").getByLabel("Clear it").check();
  await review(page);
  await save(page);
  assert.doesNotMatch(await overlay(server), new RegExp(canary));
  await field(page, "mail.smtp_password").getByText("Not set.").waitFor();
  assert.ok(seen.length > 8);
  assert.ok(!seen.some((text) => text.includes(canary)), "a page holds the secret");
});

test("what can lock people out asks, and two changes of the same stand beside each other", async (t) => {
  const server = await startServer(t);
  const browser = await launch(t);
  const page = await openPage(t, browser, { url: server.url, expect: [422] });
  await firstRun(page, server);
  await page.goto(`${settings}?section=auth`);
  await page.getByLabel("Session idle minutes").fill("600");
  await review(page);
  await checkLook(page, "settings-danger");
  await page.getByRole("button", { name: "Save 1 change" }).click();
  await page.getByRole("alert").getByText("Tick that you have checked it").waitFor();
  await page.getByLabel("I have checked it").check();
  await save(page);
  assert.match(await overlay(server), /session_idle_minutes: 600/);

  const other = await openPage(t, browser, { url: server.url, expect: [412], viewport: phone });
  await signIn(other, admin);
  await other.goto(`${settings}?section=query`);
  await page.goto(`${settings}?section=query`);
  await page.getByLabel("Queue", { exact: true }).fill("11");
  await page.getByLabel("Max rows").fill("500");
  await review(page);
  await save(page);

  await other.getByLabel("Queue", { exact: true }).fill("12");
  await other.getByLabel("Timeout seconds").fill("30");
  await review(other);
  await other.getByRole("button", { name: "Save 2 changes" }).click();
  await other.getByRole("heading", { name: /changed meanwhile/ }).waitFor();
  await other.getByRole("button", { name: /Keep theirs/ }).click();
  await other.waitForURL(`**${settings}?section=query`);
  const call = await api(page, admin);
  const got = await call("GET", "/api/admin/server-config");
  assert.deepEqual(got.sections.query, { max_rows: 500, queue: 11, timeout_seconds: 30 });
});

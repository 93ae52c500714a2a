/** One person, two clinics: a known person accepts an invitation, and going over to the other clinic is another session. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../server/test/database.ts";
import { createSmtpServer, type SmtpServer } from "../server/test/smtp-server.ts";
import { findingsOf } from "./accessibility.ts";
import { launchBrowser } from "./browser.ts";
import { type DemoServer, startDemo } from "./server.ts";

const STEP_TIMEOUT_MS = 20_000;
const OTHER_CLINIC = "Second Example Clinic";
const PROGRAM = join(resolve(import.meta.dirname, ".."), "server/bin/hookwell.mjs");

let database: TestDatabase;
let smtp: SmtpServer;
let server: DemoServer;
let browser: Browser;
let page: Page;
let env: Record<string, string>;

beforeAll(async () => {
  [database, smtp, browser] = await Promise.all([createTestDatabase(), createSmtpServer(), launchBrowser()]);
  env = {
    ...{ DATABASE_URL: database.url, HOOKWELL_MASTER_KEY: randomBytes(32).toString("base64") },
    ...{ HOOKWELL_SMTP_URL: smtp.url, HOOKWELL_MAIL_FROM: "Hookwell <hooks@example.test>" },
  };
  server = await startDemo({ env });
  page = await browser.newPage({ viewport: { width: 1280, height: 900 }, locale: "en-CA" });
  page.setDefaultTimeout(STEP_TIMEOUT_MS);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  await smtp?.close();
  await database?.drop();
});

async function sessionCookie(): Promise<string> {
  const cookie = (await page.context().cookies()).find(({ name }) => name.endsWith("session_token"));
  return cookie === undefined ? "" : `${cookie.name}=${cookie.value}`;
}

const statusWith = async (cookie: string) => (await fetch(`${server.origin}/v1/me`, { headers: { cookie } })).status;
const clinicNow = () => page.getByLabel("Clinic", { exact: true }).locator("option:checked").innerText();

/** The operator makes a clinic and invites somebody, who may have an account already. */
async function makeClinic(manager: string): Promise<string> {
  const words = ["clinic", "create", "--name", OTHER_CLINIC, "--time-zone", "America/Vancouver", "--manager", manager];
  const variables = { ...process.env, ...env, HOOKWELL_PUBLIC_URL: server.origin };
  await promisify(execFile)(process.execPath, [PROGRAM, ...words], { env: variables });
  const letters = () => smtp.mails.filter(({ to }) => to.includes(manager));
  await expect.poll(() => letters().length, { timeout: STEP_TIMEOUT_MS }).toBe(1);
  const [link] = /http\S+#\S+/.exec(letters()[0]?.text ?? "") ?? [];
  if (link === undefined) throw new Error("the letter holds no link");
  return link;
}

describe("somebody who is known already", () => {
  test("follows an invitation's link, signs in first, joins by one button and is in the new clinic", async () => {
    await page.goto(await makeClinic(server.email));
    await page.getByText(`${server.email} has an account here already. Sign in with it to accept.`).waitFor();
    expect(page.url()).toBe(`${server.origin}/invitation`);
    expect(await page.getByLabel("First and last name").count()).toBe(0);
    expect(await findingsOf(page)).toEqual([]);
    await page.getByRole("link", { name: "Sign in" }).click();
    await page.getByLabel("E-mail").fill(server.email);
    await page.getByLabel("Password", { exact: true }).fill(server.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    const join = page.getByRole("button", { name: `Join ${OTHER_CLINIC}` });
    await join.waitFor();
    const before = await sessionCookie();
    expect(await statusWith(before)).toBe(200);
    expect(await findingsOf(page)).toEqual([]);
    await join.click();
    await page.getByRole("heading", { name: "Schedule" }).waitFor();
    await expect.poll(clinicNow).toBe(OTHER_CLINIC);
    expect(await sessionCookie()).not.toBe(before);
    expect(await statusWith(before)).toBe(401);
  });

  test("finds the link used when it is followed again, by whomever", async () => {
    const { text = "" } = smtp.mails[0] ?? {};
    const [link = ""] = /http\S+#\S+/.exec(text) ?? [];
    await page.goto("about:blank");
    await page.goto(link);
    await page.getByText(/It was used, withdrawn, or its time is over/).waitFor();
  });
});

describe("going over to another clinic", () => {
  test("is another session: new id, the old one opens nothing, and nothing of the other clinic stays on the screen", async () => {
    await page.goto(`${server.origin}/patients`);
    await expect.poll(clinicNow).toBe(OTHER_CLINIC);
    expect(await page.getByText("Test Patient One").count()).toBe(0);
    const before = await sessionCookie();
    await page.getByLabel("Clinic", { exact: true }).selectOption({ label: "Example Physio (demo)" });
    await page.waitForURL(`${server.origin}/schedule`);
    await expect.poll(clinicNow).toBe("Example Physio (demo)");
    const after = await sessionCookie();
    expect(after).not.toBe(before);
    expect([await statusWith(before), await statusWith(after)]).toEqual([401, 200]);
    await page.goto(`${server.origin}/patients`);
    await page.getByText("Test Patient One").first().waitFor();

    await page.getByLabel("Clinic", { exact: true }).selectOption({ label: OTHER_CLINIC });
    await page.waitForURL(`${server.origin}/schedule`);
    await expect.poll(clinicNow).toBe(OTHER_CLINIC);
    expect(await statusWith(after)).toBe(401);
    await page.goto(`${server.origin}/patients`);
    await page.getByRole("heading", { name: "Patients" }).waitFor();
    expect(await page.getByText("Test Patient One").count()).toBe(0);
  });
});

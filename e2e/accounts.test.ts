/** People: invited by letter, with a second step, a forgotten password, and patients who come back to their portal. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSmtpServer, type SmtpServer } from "../server/test/smtp-server.ts";
import { codeOfKey } from "../server/test/totp.ts";
import { findingsOf } from "./accessibility.ts";
import { launchBrowser } from "./browser.ts";
import { type ApiClient, oneToOne, signIn } from "./client.ts";
import { startPrepared } from "./prepared.ts";
import type { DemoServer } from "./server.ts";

const STEP_TIMEOUT_MS = 20_000;
const EMAIL = "invited.sample@example.test";
const PASSWORD = "an invented pass phrase";
const NEW_PASSWORD = "another invented pass phrase";

let smtp: SmtpServer;
let server: DemoServer;
let browser: Browser;
let page: Page;
let api: ApiClient;

beforeAll(async () => {
  smtp = await createSmtpServer();
  const env = { HOOKWELL_SMTP_URL: smtp.url, HOOKWELL_MAIL_FROM: "Hookwell <hooks@example.test>" };
  [server, browser] = await Promise.all([startPrepared({ env }), launchBrowser()]);
  api = await signIn(server);
  page = await newPage();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  await smtp?.close();
});

/** Without anybody's cookies. */
async function newPage(): Promise<Page> {
  const fresh = await browser.newPage({ viewport: { width: 390, height: 844 }, locale: "en-CA" });
  fresh.setDefaultTimeout(STEP_TIMEOUT_MS);
  return fresh;
}

/** The link in the latest letter to an address, once there are so many. */
async function linkTo(address: string, count = 1): Promise<string> {
  const found = () => smtp.mails.filter(({ to }) => to.includes(address));
  await expect.poll(() => found().length, { timeout: STEP_TIMEOUT_MS }).toBe(count);
  const [link] = /http\S+#\S+/.exec(found().at(-1)?.text ?? "") ?? [];
  if (link === undefined) throw new Error("the letter holds no link");
  return link;
}

async function typeLogin(password: string): Promise<void> {
  await page.getByLabel("E-mail").fill(EMAIL);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

async function signOut(): Promise<void> {
  await page.getByRole("button", { name: "Open menu" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
}

test("the menu of a narrow page opens where one has scrolled to, and goes by Escape or by going on into the page", async () => {
  const narrow = await newPage();
  await narrow.setViewportSize({ width: 390, height: 420 });
  await narrow.goto(`${server.origin}/sign-in?redirect=/webhooks`);
  await narrow.getByLabel("E-mail").fill(server.email);
  await narrow.getByLabel("Password", { exact: true }).fill(server.password);
  await narrow.getByRole("button", { name: "Sign in" }).click();
  await narrow.getByRole("button", { name: "Open menu" }).waitFor();
  await narrow.evaluate("document.querySelector('main').style.minHeight = '3000px'; window.scrollTo(0, 1000)");
  expect(await narrow.evaluate("window.scrollY")).toBe(1_000);
  const link = narrow.getByRole("navigation").getByRole("link").first();
  await narrow.getByRole("button", { name: "Open menu" }).click();
  const box = await link.boundingBox();
  expect(box?.y).toBeGreaterThan(50);
  expect(box?.y).toBeLessThan(420);
  expect(await narrow.evaluate("window.scrollY")).toBe(1_000);
  await narrow.keyboard.press("Escape");
  await link.waitFor({ state: "hidden" });
  expect(await narrow.evaluate("document.activeElement.getAttribute('aria-label')")).toBe("Open menu");
  await narrow.keyboard.press("Enter");
  await link.waitFor();
  await narrow.locator("main").focus();
  await link.waitFor({ state: "hidden" });
  await narrow.close();
});

describe("somebody new", () => {
  let key = "";

  test("is invited on the staff page and comes in by the letter's link, which is no longer in the address", async () => {
    await page.goto(`${server.origin}/sign-in?redirect=/settings/staff`);
    await page.getByLabel("E-mail").fill(server.email);
    await page.getByLabel("Password", { exact: true }).fill(server.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("button", { name: "Invite somebody" }).click();
    await page.getByRole("dialog").getByLabel("E-mail").fill(EMAIL);
    await page.getByRole("dialog").getByLabel("Role").selectOption("front_desk");
    await page.getByRole("button", { name: "Invite", exact: true }).click();
    await page.getByText("E-mail sent").waitFor();
    await page.context().clearCookies();
    await page.goto(await linkTo(EMAIL));
    await page.getByRole("heading", { name: "You are invited" }).waitFor();
    expect(page.url()).toBe(`${server.origin}/invitation`);
    expect(await findingsOf(page)).toEqual([]);
    await page.getByLabel("First and last name").fill("Invited Sample");
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByRole("button", { name: "Create my account" }).click();
    await page.getByRole("heading", { name: "Schedule" }).waitFor();
  });

  test("turns the second step on with a code of the app, and keeps the backup codes", async () => {
    await page.goto(`${server.origin}/settings/account`);
    await page.getByRole("button", { name: "Turn on the second step" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await dialog.getByRole("button", { name: "Continue" }).click();
    await dialog.getByRole("img", { name: "Picture for the authenticator app" }).waitFor();
    key = await dialog.locator("code").innerText();
    await dialog.getByLabel("Enter the code that the app shows now").fill(codeOfKey(key, -1));
    await dialog.getByRole("button", { name: "Turn on the second step" }).click();
    await dialog.getByText(/keep your backup codes/).waitFor();
    expect(await dialog.getByRole("listitem").count()).toBe(10);
    await dialog.getByRole("button", { name: "I have kept them" }).click();
    await page.getByText("The second step is on.").waitFor();
  });

  test("is asked for a code at the sign-in, and told what to do when it is wrong", async () => {
    await signOut();
    await typeLogin(PASSWORD);
    await page.getByRole("heading", { name: "One more step" }).waitFor();
    expect(await findingsOf(page)).toEqual([]);
    await page.getByLabel("Code from the app").fill("000000");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText(/This code is wrong/).waitFor();
    await page.getByLabel("Code from the app").fill(codeOfKey(key));
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Schedule" }).waitFor();
  });

  test("chooses a new password by a letter's link, and signs in with it", async () => {
    await signOut();
    await page.getByRole("link", { name: "Forgot your password?" }).click();
    // The sign-in has a field of the same name, until it is gone.
    await page.getByRole("heading", { name: "Choose a new password" }).waitFor();
    await page.getByLabel("E-mail").fill(EMAIL);
    expect(await findingsOf(page)).toEqual([]);
    await page.getByRole("button", { name: "Send me the link" }).click();
    await page.getByRole("heading", { name: "Look at your e-mail" }).waitFor();
    const link = await linkTo(EMAIL, 2);
    await page.goto(link);
    await page.getByLabel("New password").fill(NEW_PASSWORD);
    await page.getByRole("button", { name: "Save the password" }).click();
    await page.getByRole("heading", { name: "Your new password is saved" }).waitFor();
    await page.getByRole("link", { name: "Go to the sign-in" }).click();
    await typeLogin(PASSWORD);
    await page.getByText("This e-mail and password do not match.").waitFor();
    await typeLogin(NEW_PASSWORD);
    await page.getByRole("heading", { name: "One more step" }).waitFor();
    await page.goto("about:blank");
    await page.goto(link);
    await page.getByLabel("New password").fill(NEW_PASSWORD);
    await page.getByRole("button", { name: "Save the password" }).click();
    await page.getByText(/It was used already/).waitFor();
  });
});

describe("a patient", () => {
  test("confirms the e-mail, sees the own visits ahead, signs out and in again", async () => {
    page = await newPage();
    const { clinic } = await api.get<{ clinic: { portal_name: string } }>("/me");
    const email = "patient.sample@example.test";
    await page.goto(`${server.origin}/portal/${clinic.portal_name}`);
    await page.getByLabel("First and last name").fill("Patient Sample");
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByRole("button", { name: "Create my account" }).click();
    await page.getByText(/Look at your e-mail/).waitFor();
    const { data } = await api.get<{ data: { id: number }[] }>("/patients?q=patient%20sample");
    const consult = { ...(await oneToOne(api)), patient_ids: [data[0]?.id], start_time: "2099-05-04T10:00" };
    await api.post("/consults", consult);
    await page.goto(await linkTo(email));
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    expect(await findingsOf(page)).toEqual([]);
    await page.getByRole("button", { name: "Confirm" }).click();
    await page.getByRole("heading", { name: "Hello, Patient Sample" }).waitFor();
    await page.getByText(/Monday, May 4, 2099/).waitFor();
    expect(await findingsOf(page)).toEqual([]);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Hello, Patient Sample" }).waitFor();
    await page.goto(`${server.origin}/patients`);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  });
});

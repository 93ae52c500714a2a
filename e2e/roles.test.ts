/**
 * Whoever is not a manager sees what belongs to the role. At the address of what does not, the page says in plain words that
 * it exists and who can open it, and asks the server for nothing of it.
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEMO_FRONT_DESK_EMAIL } from "../server/src/demo/seed.ts";
import { launchBrowser } from "./browser.ts";
import { signIn } from "./client.ts";
import { startPrepared } from "./prepared.ts";
import type { DemoServer } from "./server.ts";

const STEP_TIMEOUT_MS = 15_000;
const PRACTITIONER_PASSWORD = "correct horse battery staple";
const CLINIC = "Example Physio (demo)";

const MENU = {
  en: ["Schedule", "Patients", "Billing", "Memberships", "Academy", "Webhooks", "Your account"],
  "fr-CA": ["Horaire", "Patients", "Facturation", "Abonnements", "Académie", "Webhooks", "Votre compte"],
};
const CLOSED = [
  {
    path: "/consults/export/webhooks",
    en: `A manager of ${CLINIC} can look at them and change them.`,
    "fr-CA": `Un gestionnaire de ${CLINIC} peut les consulter et les modifier.`,
  },
  { path: "/deliveries", en: `A manager of ${CLINIC} can see them.`, "fr-CA": `Un gestionnaire de ${CLINIC}` },
  { path: "/inbox", en: `A manager of ${CLINIC} can open it.`, "fr-CA": `Un gestionnaire de ${CLINIC}` },
  { path: "/settings/api-keys", en: `manager of ${CLINIC}`, "fr-CA": `gestionnaire de ${CLINIC}` },
];
const TITLE = { en: "Only managers can open this", "fr-CA": "Réservé aux gestionnaires" };
const OTHER = { en: "Français", "fr-CA": "English" };

let server: DemoServer;
let browser: Browser;
let page: Page;
let asked: string[];

beforeAll(async () => {
  [server, browser] = await Promise.all([startPrepared(), launchBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

async function open(path: string): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-CA" });
  page = await context.newPage();
  page.setDefaultTimeout(STEP_TIMEOUT_MS);
  asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(path);
}

const menu = () => page.getByRole("navigation").getByRole("link").allInnerTexts();

/** In one language after the other; the page is left in English. */
async function seesItsOwn(): Promise<void> {
  for (const language of ["en", "fr-CA"] as const) {
    await expect.poll(menu).toEqual(MENU[language]);
    for (const closed of CLOSED) {
      await page.goto(server.origin + closed.path);
      const main = page.getByRole("main");
      await main.getByText(TITLE[language]).waitFor();
      await main.getByText(closed[language]).waitFor();
      expect(await main.getByRole("button").count()).toBe(0);
      expect(await main.getByRole("article").count()).toBe(0);
    }
    await page.getByRole("button", { name: OTHER[language] }).click();
  }
  expect(asked).toContain("/v1/me");
  expect(asked.filter((path) => /^\/v1\/(webhooks|deliveries|inbox|notices|audit|stream|api-keys)/.test(path))).toEqual(
    [],
  );
}

describe("a practitioner", () => {
  test("comes in by an invitation, signs in and stands before the schedule, with the week's consults", async () => {
    const api = await signIn(server);
    const invited = { email: "pat.practitioner@example.test", role: "practitioner" };
    const { link } = await api.post<{ link: string }>("/invitations", invited);
    await open(link);
    await page.getByLabel("First and last name").fill("Pat Practitioner");
    await page.getByLabel("Password", { exact: true }).fill(PRACTITIONER_PASSWORD);
    await page.getByRole("button", { name: "Create my account" }).click();
    await page.getByRole("heading", { name: "Schedule" }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("E-mail").fill(invited.email);
    await page.getByLabel("Password", { exact: true }).fill(PRACTITIONER_PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Schedule" }).waitFor();
    await page.getByRole("link", { name: "Pat Practitioner" }).waitFor();
    await page
      .getByRole("main")
      .getByText(/^Test Patient/)
      .first()
      .waitFor();
  });

  test("sees what belongs to the role in both languages, and is asked and told nothing else", () => seesItsOwn());
});

describe("the front desk", () => {
  test("sees what belongs to the role in both languages, and is asked and told nothing else", async () => {
    await open(`${server.origin}/sign-in`);
    await page.getByLabel("E-mail").fill(DEMO_FRONT_DESK_EMAIL);
    await page.getByLabel("Password", { exact: true }).fill(server.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Schedule" }).waitFor();
    await seesItsOwn();
  });
});

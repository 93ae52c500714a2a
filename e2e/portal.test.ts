/** A patient signs up on the clinic's own page: the clinic is told once, and the page never says who is a patient already. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser } from "./browser.ts";
import { type ApiClient, signIn } from "./client.ts";
import { startPrepared } from "./prepared.ts";
import type { DemoServer } from "./server.ts";

const STEP_TIMEOUT_MS = 15_000;

let server: DemoServer;
let browser: Browser;
let page: Page;
let api: ApiClient;
let portal: string;

beforeAll(async () => {
  [server, browser] = await Promise.all([startPrepared(), launchBrowser()]);
  api = await signIn(server);
  const { url } = await api.get<{ url: string }>("/inbox");
  const { clinic } = await api.get<{ clinic: { portal_name: string } }>("/me");
  portal = `${server.origin}/portal/${clinic.portal_name}`;
  await api.post("/webhooks", {
    name: "Test inbox",
    url,
    events: ["patient_account.created"],
    include: { practitioner: "off", patient: "off" },
    recipient: { organisation: "Example Reminders", country: "CA", purpose: "A test", agreement_on_file: true },
  });
  page = await browser.newPage({ viewport: { width: 360, height: 780 } });
  page.setDefaultTimeout(STEP_TIMEOUT_MS);
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

async function signUp(name: string): Promise<string> {
  await page.goto(portal);
  await page.getByLabel("First and last name").fill(name);
  await page.getByLabel("E-mail").fill("new.sample@example.test");
  await page.getByLabel("Password", { exact: true }).fill("an invented password");
  await page.getByRole("button", { name: "Create my account" }).click();
  await page.getByRole("heading", { name: /^Thank you/ }).waitFor();
  return page.getByRole("main").innerText();
}

describe("a patient on the portal", () => {
  test("is told at each field what is missing, in either language", async () => {
    await page.goto(portal);
    await page.getByRole("button", { name: "Create my account" }).click();
    await page.getByText("Enter your name.").waitFor();
    await page.getByText("Choose a password with at least 12 characters.").waitFor();
    await page.getByRole("button", { name: "Français" }).click();
    await page.getByRole("button", { name: "Créer mon compte" }).click();
    await page.getByText("Entrez votre nom.").waitFor();
    await page.getByRole("button", { name: "English" }).click();
  });

  test("signs up, and the clinic is told with the patient", async () => {
    await signUp("New Sample");
    const messages = async () => (await api.get<{ messages: { body: string }[] }>("/inbox")).messages;
    await expect.poll(async () => (await messages()).length, { timeout: 20_000 }).toBe(1);
    expect(JSON.parse((await messages())[0]?.body ?? "")).toMatchObject({
      event: "patient_account.created",
      client: { name: "New Sample", email: "new.sample@example.test" },
    });
  });

  test("reads the same where the e-mail has an account already, and nothing more is sent", async () => {
    const [first, second] = [await signUp("New Sample"), await signUp("Somebody Else")];
    expect(second).toBe(first);
    expect(await api.get("/patients?q=somebody")).toMatchObject({ data: [] });
    expect((await api.get<{ messages: unknown[] }>("/inbox")).messages).toHaveLength(1);
  });

  test("finds no page under an address that no clinic has", async () => {
    await page.goto(`${portal}-nowhere`);
    await page.getByRole("heading", { name: "There is no sign-up page here" }).waitFor();
  });
});

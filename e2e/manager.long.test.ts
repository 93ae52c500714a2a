/**
 * A manager finds what failed, understands why, mends the address and recovers; turns patients' data on, with the record of
 * who receives it; and reads French on every screen on the way, with no English word left.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { EVENTS, GROUPS, type Language } from "@hookwell/sdk";
import { CAUSES } from "@hookwell/sdk/cause-table";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createReceiver, type Receiver } from "../server/test/receiver.ts";
import { until } from "../server/test/until.ts";
import { findingsOf } from "./accessibility.ts";
import { launchBrowser, withoutStream } from "./browser.ts";
import { type ApiClient, oneToOne, signIn } from "./client.ts";
import { type DemoServer, startDemo } from "./server.ts";

const STEP_TIMEOUT_MS = 20_000;
const WEBHOOKS = "/consults/export/webhooks";

let server: DemoServer;
let browser: Browser;
let page: Page;
let receiver: Receiver;
let api: ApiClient;
let consult: object;
let origin: string;
let webhookId: number;
/** Of the patient whom the consults are about. */
let patientName: string;

beforeAll(async () => {
  [server, browser, receiver] = await Promise.all([
    startDemo({ env: { HOOKWELL_ALLOW_LOOPBACK: "true" } }),
    launchBrowser(),
    createReceiver(),
  ]);
  receiver.answer = ({ path }, response) => response.writeHead(path === "/old" ? 404 : 200).end("said");
  origin = new URL(receiver.url).origin;
  api = await signIn(server);
  consult = await oneToOne(api);
  const { data } = await api.get<{ data: { name: string }[] }>("/patients");
  patientName = data[0]?.name ?? "";
  const settings = { name: "Reminders", url: `${origin}/old`, events: ["participant.added"] };
  webhookId = (await api.post<{ id: number }>("/webhooks", settings)).id;
  page = await browser.newPage({ viewport: { width: 1280, height: 900 }, locale: "en-CA" });
  page.setDefaultTimeout(STEP_TIMEOUT_MS);
  await page.goto(server.origin + WEBHOOKS);
  await page.getByLabel("E-mail").fill(server.email);
  await page.getByLabel("Password", { exact: true }).fill(server.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("article", { name: "Reminders" }).waitFor();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  await receiver?.close();
});

const book = (hour: string) => api.post("/consults", { ...consult, start_time: `2030-01-07T${hour}:00` });
const arrived = () => receiver.received.filter(({ path }) => path === "/new");

test("what failed is found from the card, understood, mended at its address, and recovered", async () => {
  await book("09");
  const card = page.getByRole("article", { name: "Reminders" });
  await card.getByText("Needs attention", { exact: true }).waitFor();
  // What happens while it is off is never sent by itself: that is what there is to recover.
  await api.patch(`/webhooks/${webhookId}`, { enabled: false });
  for (const hour of ["10", "11", "12"]) await book(hour);
  await api.patch(`/webhooks/${webhookId}`, { enabled: true });

  await card.getByRole("link", { name: "Deliveries of Reminders" }).click();
  await page.locator("label", { hasText: /^Waiting$/ }).click();
  await expect.poll(() => new URL(page.url()).search, { timeout: STEP_TIMEOUT_MS }).toContain("state=waiting");
  await page
    .getByRole("link", { name: /Nothing lives at this address/ })
    .first()
    .click();
  const drawer = page.getByRole("dialog", { name: "Delivery" });
  await drawer.getByText("Paste the new address into the webhook.").waitFor();
  await drawer.getByRole("link", { name: "Change the address" }).click();

  const dialog = page.getByRole("dialog", { name: "Edit “Reminders”" });
  await dialog.getByLabel("Address", { exact: true }).fill(`${origin}/new`);
  await dialog.getByRole("button", { name: "Send a test" }).click();
  await dialog.getByText(/^It answered 200 OK/).waitFor();
  await dialog.getByRole("button", { name: "Save webhook" }).click();
  await dialog.waitFor({ state: "hidden" });
  expect(new URL(page.url()).search).toBe("");

  await page.getByRole("link", { name: "Deliveries of Reminders" }).click();
  await page.getByRole("button", { name: "Send again what failed" }).click();
  const recover = page.getByRole("dialog", { name: "Send again what failed" });
  await recover.getByText("3 deliveries will be sent again.").waitFor();
  await recover.getByRole("button", { name: "Send 3 again" }).click();
  await page.getByRole("region", { name: "All of it was queued again" }).getByText("3 of 3 queued").waitFor();
  const starts = () => new Set(arrived().map(({ body }) => JSON.parse(body)[0].consult.start_time.slice(11, 13)));
  await until("what was missed has arrived", () => ["10", "11", "12"].every((hour) => starts().has(hour)), 60_000);
});

test("patients' data is turned on only with the record of who receives it, and is hidden in the log until somebody says why", async () => {
  await page.goto(server.origin + WEBHOOKS);
  await page.getByRole("button", { name: "Edit Reminders" }).click();
  const dialog = page.getByRole("dialog", { name: "Edit “Reminders”" });
  await dialog.getByRole("checkbox", { name: "Patient", exact: true }).check();
  await dialog.getByText("Because Patient is ticked").first().waitFor();
  await dialog.getByRole("button", { name: "Save webhook" }).click();
  await dialog.getByText("Enter who receives the data.").waitFor();
  await dialog.getByText("Choose a country.").waitFor();
  await dialog.getByText("Enter what they need it for.").waitFor();
  await dialog.getByLabel("Organisation").fill("Example Reminders");
  await dialog.getByLabel(/^Country/).selectOption("CA");
  await dialog.getByLabel("Purpose").fill("Appointment reminders");
  await dialog.getByRole("checkbox", { name: "A privacy agreement with them is on file" }).check();
  await dialog.getByRole("button", { name: "Save webhook" }).click();
  await dialog.waitFor({ state: "hidden" });
  const card = page.getByRole("article", { name: "Reminders" });
  await card.getByText(/Patient: number, name and e-mail · goes to Example Reminders/).waitFor();

  await book("15");
  await until("it arrived with its patient", () => arrived().some(({ body }) => body.includes(patientName)), 60_000);
  await card.getByRole("link", { name: "Deliveries of Reminders" }).click();
  await page
    .getByRole("link", { name: /^Delivered/ })
    .first()
    .click();
  const drawer = page.getByRole("dialog", { name: "Delivery" });
  await drawer.getByText("Patients’ names and e-mails are hidden.").waitFor();
  expect(await drawer.innerText()).not.toContain(patientName);
  await drawer.getByRole("button", { name: "Show them" }).click();
  await drawer.getByRole("button", { name: "Show them" }).click();
  await drawer.getByText("Write why.").waitFor();
  await drawer.getByLabel("Why do you need to see them?").fill("The receiver asks about this one.");
  await drawer.getByRole("button", { name: "Show them" }).click();
  await drawer.getByText(new RegExp(`"name": "${patientName}"`)).waitFor();
  await page.goto(`${server.origin}/settings/history`);
  await page
    .getByRole("listitem")
    .filter({ hasText: "Content of a delivery shown with its patients" })
    .first()
    .waitFor();
});

type Tree = { [key: string]: string | Tree };

function dictionary(language: Language): Tree {
  const folder = join(import.meta.dirname, "../web/src/i18n", language);
  const read = (file: string) => JSON.parse(readFileSync(join(folder, file), "utf8")) as Tree;
  return Object.fromEntries(readdirSync(folder).map((file) => [file, read(file)]));
}

function texts(tree: Tree): string[] {
  return Object.values(tree).flatMap((value) => (typeof value === "string" ? [value] : texts(value)));
}

/** Every English sentence that a French page must not show: whole texts without a place to fill in, that French has not, too. */
function englishOnly(): Set<string> {
  const french = new Set(texts(dictionary("fr-CA")));
  const ofEvents = [...Object.values(EVENTS), ...Object.values(GROUPS)].flatMap((one) => [
    one.label.en,
    ...("sentence" in one ? [one.sentence.en, one.firesNot.en] : []),
  ]);
  const ofCauses = Object.values(CAUSES).flatMap(({ text, advice }) => [...text.en, ...(advice?.en ?? [])]);
  const all = [...texts(dictionary("en")), ...ofEvents, ...ofCauses].filter((text) => !text.includes("{"));
  const names = new Set(["English", "Test inbox", "Webhooks", "Export"]); // a language in its own words, and this test's names
  return new Set(all.filter((text) => !french.has(text) && !names.has(text)));
}

/** Everything that is seen or heard: texts, and the names of what has none. */
function shownTexts(): Promise<string[]> {
  return page.evaluate(() => {
    interface Node {
      nodeValue: string | null;
      parentElement: { checkVisibility(): boolean; closest(selector: string): object | null } | null;
      getAttribute(name: string): string | null;
    }
    interface Page {
      body: object;
      createTreeWalker(root: object, what: number): { nextNode(): Node | null };
      querySelectorAll(selector: string): ArrayLike<Node>;
    }
    const { document } = globalThis as unknown as { document: Page };
    const found: string[] = [];
    const walker = document.createTreeWalker(document.body, 4);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const { parentElement, nodeValue } = node;
      // Answers and bodies are the other system's, not the page's.
      if (parentElement?.closest("pre, code, script, style, [data-test-result] pre") === null)
        found.push(nodeValue ?? "");
    }
    for (const name of ["aria-label", "placeholder", "title", "alt"]) {
      for (const node of Array.from(document.querySelectorAll(`[${name}]`))) found.push(node.getAttribute(name) ?? "");
    }
    return found.map((text) => text.trim()).filter((text) => text !== "");
  });
}

test("no English word is left on any screen once French is chosen", async () => {
  await withoutStream(page);
  await page.goto(server.origin + WEBHOOKS);
  await page.getByRole("button", { name: "Français" }).click();
  await page.getByRole("heading", { name: "Vos webhooks" }).waitFor();
  const english = englishOnly();
  expect(english.size).toBeGreaterThan(500);
  const left: string[] = [];
  const look = async (where: string) => {
    await page.waitForLoadState("networkidle");
    const shown = await shownTexts();
    expect(shown.length, where).toBeGreaterThan(20);
    expect(await findingsOf(page), where).toEqual([]);
    left.push(...shown.filter((text) => english.has(text)).map((text) => `${where}: ${text}`));
  };
  await look("webhooks");
  await page
    .getByRole("main")
    .getByRole("button", { name: /^Voir un exemple/ })
    .first()
    .click();
  await page.getByRole("dialog").waitFor();
  await look("example");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Modifier Reminders" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Réglages avancés" }).click();
  await dialog.getByRole("button", { name: /^Envoyer un/ }).click();
  await dialog.getByText(/^Il a répondu 200 OK/).waitFor();
  await look("configure");
  await page.keyboard.press("Escape");
  for (const path of ["/deliveries", `/deliveries?webhook=${webhookId}`, "/inbox", "/notices", "/settings/history"]) {
    await page.goto(server.origin + path);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await look(path);
  }
  await page.goto(`${server.origin}/deliveries?webhook=${webhookId}`);
  await page.getByRole("link", { name: /^Reçu/ }).first().click();
  await page
    .getByRole("dialog")
    .getByRole("button", { name: /^Pour la personne/ })
    .click();
  await page.getByText("En-têtes de la requête").waitFor();
  await look("a delivery");
  await page.goto(`${server.origin}/deliveries?webhook=${webhookId}`);
  await page.getByRole("button", { name: /Renvoyer ce qui/ }).click();
  await page.getByRole("dialog").waitFor();
  await look("recover");
  expect(left).toEqual([]);
});

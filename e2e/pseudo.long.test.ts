/**
 * The page in a made-up language: whatever is shown with plain letters is data, or it does not come from the dictionaries.
 * Each screen is looked at, and each dialog that one of its buttons opens. The words are longer, too: nothing scrolls sideways.
 */
import * as sdk from "@hookwell/sdk";
import { CAUSES } from "@hookwell/sdk/cause-table";
import type { Browser, Page, Response } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dictionary } from "../web/src/i18n/dictionary.ts";
import { pseudoTree, type Tree } from "../web/src/i18n/pseudo.ts";
import { sideways } from "./accessibility.ts";
import { launchBrowser, withoutStream } from "./browser.ts";
import { oneToOne, signIn } from "./client.ts";
import { type DemoServer, startDemo } from "./server.ts";

const STEP_TIMEOUT_MS = 15_000;
const BUTTONS_MAX = 12;

const PATHS = [
  ...[
    "/schedule",
    "/schedule?view=list",
    "/billing",
    "/billing/invoices/2",
    "/billing/packages",
    "/billing/gift-certificates",
  ],
  ...[
    "/memberships",
    "/memberships/1",
    "/memberships/plans",
    "/patients",
    "/patients/1",
    "/academy",
    "/academy/checkouts",
    "/import",
  ],
  ...["/settings/api-keys", "/settings/retention", "/settings/staff", "/settings/account", "/settings/history"],
  ...[
    "/consults/export/webhooks",
    "/deliveries",
    "/deliveries?from=2020-01-01&to=2020-01-02",
    "/inbox",
    "/notices",
    "/nowhere",
  ],
];

let server: DemoServer;
let browser: Browser;
let page: Page;
/** What the server's answers hold, and so may be shown as it is. */
const data = new Set<string>();

beforeAll(async () => {
  [server, browser] = await Promise.all([startDemo(), launchBrowser()]);
  const api = await signIn(server);
  const { url } = await api.get<{ url: string }>("/inbox");
  await api.post("/webhooks", { name: "Test Webhook", url, events: ["participant.added"] });
  await api.post("/consults", { ...(await oneToOne(api)), start_time: "2030-01-07T09:00" });
  page = await browser.newPage({ viewport: { width: 1280, height: 900 }, locale: "en-CA" });
  page.setDefaultTimeout(STEP_TIMEOUT_MS);
  await withoutStream(page);
  await answerWith(dictionary("en"));
  page.on("response", (response) => void keep(response));
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

/** The page asks for its words as it always does, and gets others. */
async function answerWith(rooms: Readonly<Record<string, Tree>>): Promise<void> {
  await page.route(WORDS, (route) => {
    const [, room = ""] = WORDS.exec(route.request().url()) ?? [];
    const body = `export default ${JSON.stringify(pseudoTree(rooms[room] as Tree))}`;
    return route.fulfill({ contentType: "text/javascript", body });
  });
}
/** Of one room of the page, in English. */
const WORDS = /\/assets\/en\.(\w+)-[\w-]+\.js$/;

/** Sentences of the server are not data: they are English. Nor is a lone word in small letters: it is the name of a state. */
const SENTENCES = new Set(["sentence", "message", "title", "detail"]);
const STATE = /^[a-z_]+$/;

async function keep(response: Response): Promise<void> {
  if (!/json/.test(response.headers()["content-type"] ?? "")) return;
  const body = await response.json().catch(() => null);
  gather(body);
}

function gather(value: unknown, key = ""): void {
  if (typeof value === "string" && !SENTENCES.has(key) && !STATE.test(value)) data.add(value);
  if (typeof value !== "object" || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (key === "headers") data.add(name);
    gather(inner, name);
  }
}

/** What is no word of ours: names of countries, months, days and currencies come from the browser, events' from the catalogue, causes' from their table. */
function otherWords(): Set<string> {
  const words = new Set<string>(["CAD", "UTC", "https", "example.test", ...sdk.EVENT_NAMES]);
  const regions = new Intl.DisplayNames("en-CA", { type: "region" });
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  for (const code of letters.flatMap((a) => letters.map((b) => a + b))) words.add(regions.of(code) ?? code);
  for (let day = 0; day < 365; day += 6) {
    for (const width of ["long", "short"] as const) {
      const date = new Date(Date.UTC(2026, 0, 1 + day));
      const format = new Intl.DateTimeFormat("en-CA", { month: width, weekday: width, timeZone: "UTC" });
      for (const { type, value } of format.formatToParts(date)) if (type !== "literal") words.add(value);
    }
  }
  gatherWordings(sdk, words);
  gatherWordings(CAUSES, words);
  return words;
}

function gatherWordings(value: unknown, words: Set<string>): void {
  if (typeof value !== "object" || value === null) return;
  const { en: text } = value as { en?: unknown };
  if (typeof text === "string") words.add(text);
  if (Array.isArray(text)) for (const part of text.join("{}").split(/\{[^}]*\}/)) words.add(part.trim());
  for (const inner of Object.values(value)) gatherWordings(inner, words);
}

/** Everything that can be read or heard; technical names stand in `code` and `pre`, the other language names itself. */
const SHOWN = `(() => {
  const texts = [document.title];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.parentElement.closest('script, style, noscript, code, pre, [data-body], [lang]:not(html)')) texts.push(node.data);
  }
  for (const element of document.querySelectorAll('[aria-label], [placeholder], [title], [alt], [aria-description]')) {
    if (element.closest('[lang]:not(html)')) continue;
    for (const name of ['aria-label', 'placeholder', 'title', 'alt', 'aria-description']) texts.push(element.getAttribute(name) ?? '');
  }
  return texts;
})()`;

/** What is left of the texts when data and what is no word of ours are taken away, if there are letters in it. */
async function foreign(): Promise<string[]> {
  const shown = await page.evaluate<string[]>(SHOWN);
  const known = [...data, ...otherWords()]
    .filter((text) => /[A-Za-z]{2}/.test(text))
    .sort((a, b) => b.length - a.length);
  const left = new Set<string>();
  for (const text of new Set(shown)) {
    if (!/[A-Za-z]{2}/.test(text)) continue;
    const rest = known.reduce((remaining, one) => remaining.replaceAll(one, " "), text);
    if (/[A-Za-z]{2}/.test(rest)) left.add(text.trim());
  }
  return [...left];
}

async function open(path: string): Promise<void> {
  await page.goto(server.origin + path);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.waitForLoadState("networkidle");
}

/** The buttons of the content, each kind once. */
async function buttonsOf(): Promise<string[]> {
  const names = await page
    .locator("main button:visible:not([disabled])")
    .evaluateAll((nodes) => nodes.map((node) => (node as unknown as { innerText: string }).innerText.trim()));
  return [...new Set(names)].filter((name) => name !== "").slice(0, BUTTONS_MAX);
}

test("the sign-in speaks it", async () => {
  await page.goto(server.origin);
  await page.locator('input[type="password"]').waitFor();
  expect(await foreign()).toEqual([]);
  await page.locator('input[type="email"], input[name="email"]').first().fill(server.email);
  await page.locator('input[type="password"]').fill(server.password);
  await page.locator('button[type="submit"]').click();
  await page.getByRole("banner").waitFor();
});

describe("in the made-up language", () => {
  test.each(PATHS)("%s shows no words of another one", async (path) => {
    await open(path);
    expect(await foreign()).toEqual([]);
    await page.setViewportSize({ width: 320, height: 640 });
    await expect.poll(() => sideways(page)).toBe(0);
    await page.setViewportSize({ width: 1280, height: 900 });
    for (const name of await buttonsOf()) {
      await open(path);
      const button = page.locator("main button:visible:not([disabled])").filter({ hasText: name }).first();
      if ((await button.count()) === 0) continue;
      await button.click();
      await page.waitForLoadState("networkidle");
      expect(await foreign(), `after ${name}`).toEqual([]);
    }
  });

  test("the patient's page speaks it", async () => {
    await open("/portal/example-physio-demo");
    expect(await foreign()).toEqual([]);
  });
});

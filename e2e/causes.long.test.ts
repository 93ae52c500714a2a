/**
 * Every row of the table of causes (experience.md): a local bad receiver goes wrong in that way, the real engine sends to it,
 * and the words and the advice are read off the screen, in English and in French.
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type BadReceivers, openBadReceivers } from "./bad-receivers.ts";
import { launchBrowser } from "./browser.ts";
import { type ApiClient, oneToOne, signIn } from "./client.ts";
import { startDemoHere } from "./demo-here.ts";

const STEP_TIMEOUT_MS = 15_000;
/** Twice the deadline of an attempt, and the wait between. */
const TRIED_TWICE_TIMEOUT_MS = 120_000;

let demo: Awaited<ReturnType<typeof startDemoHere>>;
let browser: Browser;
let page: Page;
let api: ApiClient;
let receivers: BadReceivers;
/** Address of each delivery's drawer, by the way in which its receiver goes wrong. */
const drawers = new Map<string, string>();

type Row = [way: string, english: (string | RegExp)[], french: (string | RegExp)[]];

const NEXT = /Nothing to do; next try (today at )?.*\d\d:\d\d\./;
const NEXT_FR = /Rien à faire; prochain essai (aujourd’hui à )?.*\d\d\D{1,3}\d\d\./;
const TWICE = "It may have received the message; it may appear twice.";
const TWICE_FR = "Il a peut-être reçu le message; il pourrait apparaître deux fois.";
const FORWARD = "Forward this to whoever runs the other system.";
const FORWARD_FR = "Transmettez ceci à la personne responsable de l’autre système.";
const CHANGED = "The link or password may have changed.";
const CHANGED_FR = "Le lien ou le mot de passe a peut-être changé.";

const ROWS: Row[] = [
  [
    "no such name",
    ["We can’t find this address.", "Check for a typing mistake, or ask who gave it to you.", "Change the address"],
    ["Cette adresse est introuvable.", "Cherchez une faute de frappe", "Changer l’adresse"],
  ],
  [
    "refuses",
    ["The other system isn’t answering.", /It may be down\. We keep trying until \w+day \d\d:\d\d\./],
    ["L’autre système ne répond pas.", /Nous continuons d’essayer jusqu’à \p{L}+ \d\d\D{1,3}\d\d/u],
  ],
  [
    "expired",
    [/Its security certificate has a problem \(it expired on [A-Z].+\d{4}\)\./, FORWARD],
    [/Son certificat de sécurité pose problème \(expiré le \d+ .+ \d{4}\)\./, FORWARD_FR],
  ],
  [
    "self-signed",
    ["Its security certificate has a problem (nobody vouches for it).", FORWARD],
    ["Son certificat de sécurité pose problème (personne ne s’en porte garant).", FORWARD_FR],
  ],
  [
    "wrong name",
    ["Its security certificate has a problem (it is made out to another address).", FORWARD],
    ["Son certificat de sécurité pose problème (il est établi pour une autre adresse).", FORWARD_FR],
  ],
  ["silent", ["It took longer than 15 seconds.", TWICE], ["Il a mis plus de 15 secondes.", TWICE_FR]],
  ["401", ["It refused our message (401 Unauthorized).", CHANGED], ["Il a refusé notre message", CHANGED_FR]],
  ["403", ["It refused our message (403 Forbidden).", CHANGED], ["Il a refusé notre message", CHANGED_FR]],
  [
    "404",
    ["Nothing lives at this address (404 Not Found).", "Paste the new address into the webhook.", "Change the address"],
    ["Il n’y a rien à cette adresse", "Collez la nouvelle adresse dans le webhook.", "Changer l’adresse"],
  ],
  [
    "410",
    [
      "It asked us to stop (410 Gone), so we turned it off.",
      "Paste the new address into the webhook, then turn it on.",
    ],
    ["Il nous a demandé d’arrêter (410 Gone); nous avons donc désactivé le webhook.", "Collez la nouvelle adresse"],
  ],
  [
    "302",
    ["The address has moved to new.hooks.example.test (302).", "Use the new address?", "Use the new address"],
    ["L’adresse a changé pour new.hooks.example.test (302).", "Utiliser la nouvelle adresse?"],
  ],
  [
    "307",
    ["The address has moved (307).", "Ask for the new address and enter it in the webhook."],
    ["L’adresse a changé (307).", "Demandez la nouvelle adresse"],
  ],
  [
    "422",
    ["It did not accept this message", "Show its answer"],
    ["Il n’a pas accepté ce message", "Montrez sa réponse"],
  ],
  ["429", ["It’s too busy (429 Too Many Requests).", NEXT], ["Il est trop occupé", NEXT_FR]],
  ["503", ["It has an internal problem (503 Service Unavailable).", NEXT], ["Il a un problème interne", NEXT_FR]],
  [
    "inside",
    ["For safety we don’t send to internal addresses.", "Ask your administrator."],
    ["Par sécurité, nous n’envoyons rien aux adresses internes.", "Demandez à votre administrateur."],
  ],
  [
    "breaks off",
    ["The other system broke off the connection.", TWICE],
    ["L’autre système a coupé la connexion.", TWICE_FR],
  ],
  [
    "zapier",
    [/Zapier accepted it in \d\.\d\d.s\./, "To see whether your Zap ran, open its history in Zapier."],
    [/Zapier l’a accepté en \d,\d\d.s\./, "ouvrez son historique dans Zapier."],
  ],
  [
    "make",
    [/Make accepted it in \d\.\d\d.s\./, "To see whether your scenario ran, open its history in Make."],
    [/Make l’a accepté en \d,\d\d.s\./, "ouvrez son historique dans Make."],
  ],
];

interface Listed {
  id: string;
  webhook: { id: number };
  state: string;
  next_attempt_at: string | null;
  last_attempt: object | null;
}

beforeAll(async () => {
  receivers = await openBadReceivers();
  [demo, browser] = await Promise.all([startDemoHere(receivers.nameServer), launchBrowser()]);
  api = await signIn(demo);
  const ids = new Map<string, number>();
  for (const [way] of ROWS) {
    const settings = { name: way, url: receivers.addresses[way], events: ["participant.added"] };
    ids.set(way, (await api.post<{ id: number }>("/webhooks", settings)).id);
  }
  await api.post("/consults", { ...(await oneToOne(api)), start_time: "2030-01-07T09:00" });
  const deliveries = await settled();
  for (const [way, id] of ids) drawers.set(way, `/deliveries/${deliveries.get(id)?.id}`);
  page = await browser.newPage({ viewport: { width: 1280, height: 900 }, locale: "en-CA" });
  page.setDefaultTimeout(STEP_TIMEOUT_MS);
  await page.goto(`${demo.origin}/deliveries`);
  await page.getByLabel("E-mail").fill(demo.email);
  await page.getByLabel("Password", { exact: true }).fill(demo.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("banner").waitFor();
});
afterAll(async () => {
  await browser?.close();
  await demo?.close();
  await receivers?.close();
});

/** The deliveries of all of them by webhook, once none is about to be tried: over, or not due for minutes. */
function settled(): Promise<Map<number, Listed>> {
  const isQuiet = ({ state, next_attempt_at: next, last_attempt }: Listed) =>
    last_attempt !== null && state !== "sending" && (next === null || Date.parse(next) > Date.now() + 60_000);
  const look = async () => {
    const { data } = await api.get<{ data: Listed[] }>("/deliveries?limit=100");
    if (data.length < ROWS.length || !data.every(isQuiet)) throw new Error("some are still to be tried");
    return new Map(data.map((delivery) => [delivery.webhook.id, delivery]));
  };
  // Not every few milliseconds: more than 600 requests in a minute are refused.
  return vi.waitFor(look, { timeout: TRIED_TWICE_TIMEOUT_MS, interval: 500 });
}

async function read(way: string, words: (string | RegExp)[]): Promise<void> {
  await page.goto(demo.origin + drawers.get(way));
  const last = page
    .getByRole("dialog")
    .getByRole("listitem")
    .filter({ hasText: /\d\d\D{1,3}\d\d/ });
  await last.first().waitFor();
  const text = (await page.getByRole("dialog").innerText()).replaceAll(" ", " ");
  for (const word of words) {
    if (typeof word === "string") expect(text).toContain(word.replaceAll(" ", " "));
    else expect(text).toMatch(word);
  }
}

describe("what the manager reads in English", () => {
  test.each(ROWS)("of a receiver: %s", (way, english) => read(way, english));

  test("the date is the certificate's own", async () => {
    const { time_zone: timeZone } = (await api.get<{ clinic: { time_zone: string } }>("/me")).clinic;
    const day = new Intl.DateTimeFormat("en-CA", { day: "numeric", timeZone }).format(receivers.expiredAt);
    await read("expired", [new RegExp(`expired on [^)]*\\b${day}\\b`)]);
  });

  test("the new address can be taken over into the webhook, and nothing is saved before that is asked for", async () => {
    await read("302", []);
    await page.getByRole("link", { name: "Use the new address" }).click();
    const dialog = page.getByRole("dialog", { name: "Edit “302”" });
    const address = () => dialog.getByLabel("Address", { exact: true }).inputValue();
    await expect.poll(address, { timeout: STEP_TIMEOUT_MS }).toBe(receivers.newAddress);
    expect(await dialog.getByText("We kept what you typed last time.").count()).toBe(0);
    expect(await page.evaluate("JSON.stringify([sessionStorage, history.state])")).not.toContain(receivers.newAddress);
    const { data } = await api.get<{ data: { name: string; url_host: string }[] }>("/webhooks");
    expect(data.find(({ name }) => name === "302")?.url_host).toMatch(/^127\.0\.0\.1/);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Discard" }).click();
    await dialog.waitFor({ state: "hidden" });
  });
});

describe("what the manager reads in French", () => {
  beforeAll(async () => {
    await page.goto(`${demo.origin}/deliveries`);
    await page.getByRole("button", { name: "Français" }).click();
    await page.getByRole("heading", { name: "Envois" }).waitFor();
  });
  test.each(ROWS)("of a receiver: %s", (way, _english, french) => read(way, french));
});

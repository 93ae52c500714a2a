/**
 * Every row of the table of causes (experience.md): a local bad receiver goes wrong in that way, the real engine sends to it,
 * and the words and the advice are read off the screen, in English and in French. A row that no receiver brings about fails.
 */
import { CAUSES } from "@hookwell/sdk/cause-table";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { run } from "../server/test/statement.ts";
import { type BadReceivers, openBadReceivers } from "./bad-receivers.ts";
import { launchBrowser } from "./browser.ts";
import { type CauseRow, OF_DELIVERIES, OF_INTERRUPTED, OF_TESTS, SENDING, type Words } from "./cause-rows.ts";
import { type ApiClient, oneToOne, signIn } from "./client.ts";
import { type DemoHere, startDemoHere } from "./demo-here.ts";
import { type Interrupted, openInterrupted } from "./interrupted.ts";
import type { DemoServer } from "./server.ts";

const STEP_TIMEOUT_MS = 60_000;
/** Twice the deadline of an attempt, and the wait between. */
const TRIED_TWICE_TIMEOUT_MS = 120_000;
const SET_UP_TIMEOUT_MS = 400_000;

let demo: DemoHere;
let interrupted: Interrupted;
let browser: Browser;
let receivers: BadReceivers;
/** Signed in at the demo, and at the server that was interrupted. */
let desk: Desk;
let otherDesk: Desk;
/** `webhook-id` of each, by the way in which its receiver goes wrong. */
const deliveries = new Map<string, string>();
const tests = new Map<string, string>();

interface Desk {
  readonly origin: string;
  readonly api: ApiClient;
  readonly page: Page;
}

/** The drawer of one delivery; known once the receivers have gone wrong. */
type Drawer = () => { readonly desk: Desk; readonly id: string };

const READ: [what: string, row: CauseRow, drawer: Drawer][] = [
  ...OF_DELIVERIES.map((row) => named("a delivery", row, drawerOfWay(row[0]))),
  ...OF_TESTS.map((row) => named("a test", row, () => ({ desk, id: tests.get(row[0]) ?? "" }))),
  ...OF_INTERRUPTED.map((row) => named("interrupted", row, () => ({ desk: otherDesk, id: interruptedId(row[0]) }))),
];

function named(what: string, row: CauseRow, drawer: Drawer): [string, CauseRow, Drawer] {
  return [`${what}: ${row[0]}`, row, drawer];
}

/** Of the delivery. */
function drawerOfWay(way: string): Drawer {
  return () => ({ desk, id: deliveries.get(way) ?? "" });
}

function interruptedId(which: string): string {
  return which === "test" ? interrupted.test : interrupted.delivery;
}

beforeAll(async () => {
  receivers = await openBadReceivers();
  [demo, interrupted, browser] = await Promise.all([
    startDemoHere(receivers.nameServer),
    openInterrupted(),
    launchBrowser(),
  ]);
  [desk, otherDesk] = [await openDesk(demo), await openDesk(interrupted.server)];
  const { api } = desk;
  const ids = new Map<string, number>();
  for (const [way] of OF_DELIVERIES) {
    const settings = { name: way, url: receivers.addresses[way], events: ["participant.added"] };
    ids.set(way, (await api.post<{ id: number }>("/webhooks", settings)).id);
  }
  await damageSecret(ids.get("seal damaged"));
  await api.post("/consults", { ...(await oneToOne(api)), start_time: "2030-01-07T09:00" });
  const listed = await settled();
  for (const [way, id] of ids) deliveries.set(way, listed.get(id)?.id ?? "");
  for (const [way] of OF_TESTS) tests.set(way, await sendTest(ids.get(way)));
}, SET_UP_TIMEOUT_MS);
afterAll(async () => {
  await browser?.close();
  await Promise.all([demo?.close(), interrupted?.close()]);
  await receivers?.close();
});

async function openDesk(server: Pick<DemoServer, "origin" | "email" | "password">): Promise<Desk> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, locale: "en-CA" });
  page.setDefaultTimeout(STEP_TIMEOUT_MS);
  await page.goto(`${server.origin}/deliveries`);
  await page.getByLabel("E-mail").fill(server.email);
  await page.getByLabel("Password", { exact: true }).fill(server.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("banner").waitFor();
  return { origin: server.origin, api: await signIn(server), page };
}

/** Turns the last bit of what is sealed, as a disk might. */
async function damageSecret(webhookId: number | undefined): Promise<void> {
  const last = "octet_length(secret) * 8 - 1";
  const damaged = `set_bit(secret, ${last}, 1 - get_bit(secret, ${last}))`;
  const changed = await run(demo.owner, `update webhook_secrets set secret = ${damaged} where webhook_id = $1`, [
    webhookId,
  ]);
  expect(changed).toBe(1);
}

/** Returns the id of what was sent. */
async function sendTest(webhookId: number | undefined): Promise<string> {
  const event = { event: "participant.added" };
  return (await desk.api.post<{ delivery_id: string }>(`/webhooks/${webhookId}/test`, event)).delivery_id;
}

interface Listed {
  id: string;
  webhook: { id: number };
  state: string;
  waiting: { for: string } | null;
  next_attempt_at: string | null;
  last_attempt: object | null;
}

/** The deliveries of all of them by webhook, once none is about to be tried: over, or not due for minutes. */
function settled(): Promise<Map<number, Listed>> {
  const isQuiet = ({ state, waiting, next_attempt_at: next, last_attempt }: Listed) => {
    if (last_attempt === null || state === "sending" || waiting?.for === "turn") return false;
    return next === null || Date.parse(next) > Date.now() + 60_000;
  };
  const look = async () => {
    const { data } = await desk.api.get<{ data: Listed[] }>("/deliveries?limit=100");
    if (data.length < OF_DELIVERIES.length || !data.every(isQuiet)) throw new Error("some are still to be tried");
    return new Map(data.map((delivery) => [delivery.webhook.id, delivery]));
  };
  // Not every few milliseconds: more than 600 requests in a minute are refused.
  return vi.waitFor(look, { timeout: TRIED_TWICE_TIMEOUT_MS, interval: 500 });
}

const drawerOf = ({ page }: Desk) => page.getByRole("dialog");
const stepsOf = (at: Desk) => drawerOf(at).getByRole("listitem");

async function open(drawer: Drawer): Promise<void> {
  const { desk: at, id } = drawer();
  await at.page.goto(`${at.origin}/deliveries/${id}`);
  const attempts = stepsOf(at).filter({ hasText: /\d\d\D{1,3}\d\d/ });
  await attempts.first().waitFor();
}

async function read(drawer: Drawer, words: Words): Promise<void> {
  await open(drawer);
  const text = (await drawerOf(drawer().desk).innerText()).replaceAll(/[\u00a0\u202f]/g, " ");
  for (const word of words) {
    if (typeof word === "string") expect(text).toContain(word);
    else expect(text).toMatch(word);
  }
}

/** The rows to which its attempts belong, as the server tells it. */
async function causesOf(drawer: Drawer): Promise<string[]> {
  const { desk: at, id } = drawer();
  const { attempts } = await at.api.get<{ attempts: { sentence_key: string }[] }>(`/deliveries/${id}`);
  return attempts.map(({ sentence_key }) => sentence_key);
}

/** Sends it again from its drawer, and reads what stands beside the attempt while its request is under way. */
async function readUnderWay(
  [way, cause]: CauseRow,
  { resend, words }: { resend: string; words: Words },
): Promise<void> {
  const drawer = drawerOfWay(way);
  await open(drawer);
  receivers.hold();
  try {
    await drawerOf(desk).getByRole("button", { name: resend, exact: true }).click();
    for (const word of words) await stepsOf(desk).filter({ hasText: word }).waitFor();
    expect((await causesOf(drawer)).at(-1)).toBe(cause);
  } finally {
    receivers.release();
  }
  const look = async () => expect((await causesOf(drawer)).at(-1)).toBe("accepted");
  await vi.waitFor(look, { timeout: STEP_TIMEOUT_MS, interval: 500 });
}

test("each receiver brings about its own row of the table, and no row is left out", async () => {
  for (const [what, [, cause], drawer] of READ) expect(await causesOf(drawer), what).toContain(cause);
  const produced = new Set([...READ.map(([, [, cause]]) => cause), SENDING[1]]);
  expect([...produced].sort()).toEqual(Object.keys(CAUSES).sort());
});

describe("what the manager reads in English", () => {
  test.each(READ)("of %s", (_what, [, , english], drawer) => read(drawer, english));

  test("while the request is under way", () => readUnderWay(SENDING, { resend: "Send again", words: SENDING[2] }));

  test("the date is the certificate's own", async () => {
    const { time_zone: timeZone } = (await desk.api.get<{ clinic: { time_zone: string } }>("/me")).clinic;
    const day = new Intl.DateTimeFormat("en-CA", { day: "numeric", timeZone }).format(receivers.expiredAt);
    await read(drawerOfWay("expired"), [new RegExp(`expired on [^)]*\\b${day}\\b`)]);
  });

  test("the new address can be taken over into the webhook, and nothing is saved before that is asked for", async () => {
    const { page, api } = desk;
    await open(drawerOfWay("302"));
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
    for (const { page, origin } of [desk, otherDesk]) {
      await page.goto(`${origin}/deliveries`);
      await page.getByRole("button", { name: "Français" }).click();
      await page.getByRole("heading", { name: "Envois" }).waitFor();
    }
  });
  test.each(READ)("of %s", (_what, [, , , french], drawer) => read(drawer, french));

  test("while the request is under way", () => readUnderWay(SENDING, { resend: "Renvoyer", words: SENDING[3] }));
});

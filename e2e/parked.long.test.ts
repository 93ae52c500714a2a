/**
 * While a receiver does not answer well, one delivery is tried now and then to find out, and the page names a next try for
 * that one alone; of the others it says, in English and in French, that they wait for the receiver.
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createNameServer, type NameServer } from "../server/test/name-server.ts";
import { createReceiver, type Receiver } from "../server/test/receiver.ts";
import { run } from "../server/test/statement.ts";
import { until } from "../server/test/until.ts";
import { launchBrowser } from "./browser.ts";
import { oneToOne, signIn } from "./client.ts";
import { type DemoHere, startDemoHere } from "./demo-here.ts";

const STEP_TIMEOUT_MS = 60_000;

let demo: DemoHere;
let names: NameServer;
let receiver: Receiver;
let browser: Browser;
let page: Page;
/** The delivery that is tried next, and one that waits. */
let probed: string;
let other: string;

beforeAll(async () => {
  [names, receiver, browser] = await Promise.all([createNameServer({}), createReceiver(), launchBrowser()]);
  receiver.answer = (_received, response) => response.writeHead(503).end();
  demo = await startDemoHere(names.address);
  const api = await signIn(demo);
  const consult = await oneToOne(api);
  const settings = { name: "Parked", url: receiver.url, events: ["participant.added"] };
  const { id } = await api.post<{ id: number }>("/webhooks", settings);
  for (const day of [7, 8]) await api.post("/consults", { ...consult, start_time: `2030-01-0${day}T09:00` });
  await park(id);
  const { data } = await api.get<{ data: { id: string }[] }>(`/deliveries?webhook_id=${id}`);
  [other = "", probed = ""] = data.map((delivery) => delivery.id);
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
  await receiver?.close();
  await names?.close();
});

/** As after five failures in a row: both have been tried, the older one has been due for longer, and the probe is hours away. */
async function park(webhook: number): Promise<void> {
  const moved = `update deliveries set due_at = now() + id * interval '1 second'
    where webhook_id = $1 and attempt > 0 and begun_at is null`;
  await until("both were tried", async () => (await run(demo.owner, moved, [webhook])) === 2, STEP_TIMEOUT_MS);
  const parked = `update runs set failures = 5, failing_since = now(), parked_at = now(), next_at = now() + interval '4 hours'
    where webhook_id = $1 and owner is null`;
  await until("it is at rest", async () => (await run(demo.owner, parked, [webhook])) === 1, STEP_TIMEOUT_MS);
}

async function textOf(delivery: string): Promise<string> {
  await page.goto(`${demo.origin}/deliveries/${delivery}`);
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("listitem").first().waitFor();
  return dialog.innerText();
}

test("the page names a next try for the one that is tried, and says of the others what they wait for", async () => {
  expect(await textOf(probed)).toMatch(
    /It has an internal problem \(503 Service Unavailable\)\. We try it .+\d\d:\d\d, to see whether the other system answers well again\./,
  );
  expect(await textOf(probed)).toMatch(/Next try .+\d\d:\d\d/);
  const waits = await textOf(other);
  expect(waits).toContain(
    "It waits until the other system answers well again; until then, we only try another one now and then.",
  );
  expect(waits).toContain("Tell whoever runs the other system.");
  expect(waits).not.toMatch(/next try/i);
});

test("in French, too", async () => {
  await page.goto(`${demo.origin}/deliveries`);
  await page.getByRole("button", { name: "Français" }).click();
  await page.getByRole("heading", { name: "Envois" }).waitFor();
  expect(await textOf(probed)).toMatch(/Nous l’essayons .+\d\d, pour voir si l’autre système répond bien de nouveau\./);
  expect(await textOf(probed)).toMatch(/Prochaine tentative .+\d\d/);
  const waits = await textOf(other);
  expect(waits).toContain(
    "Il attend que l’autre système réponde bien de nouveau; d’ici là, nous n’en essayons qu’un autre de temps en temps.",
  );
  expect(waits).not.toMatch(/prochaine tentative/i);
});

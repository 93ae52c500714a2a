/**
 * What happens elsewhere shows by itself: no button, no reload, and one stream for the whole page, which is taken up again
 * where it was when the server comes back.
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser, withoutPace, withoutStream } from "./browser.ts";
import { type ApiClient, oneToOne, signIn } from "./client.ts";
import { startPrepared } from "./prepared.ts";
import type { DemoServer } from "./server.ts";

const STEP_TIMEOUT_MS = 15_000;

let server: DemoServer;
let browser: Browser;
let api: ApiClient;
let consult: object;

beforeAll(async () => {
  [server, browser] = await Promise.all([startPrepared(), launchBrowser()]);
  api = await signIn(server);
  const { url } = await api.get<{ url: string }>("/inbox");
  await api.post("/webhooks", { name: "Live", url, events: ["participant.added"] });
  consult = await oneToOne(api);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

/** A manager's window that looks at the deliveries, with what it asked for. */
async function open(
  prepare: (page: Page) => Promise<unknown>,
): Promise<{ page: Page; resumed: (string | undefined)[] }> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(STEP_TIMEOUT_MS);
  await prepare(page);
  const resumed: (string | undefined)[] = [];
  page.on("response", async (response) => {
    if (response.ok() && new URL(response.url()).pathname === "/v1/stream") {
      resumed.push((await response.request().allHeaders())["last-event-id"]);
    }
  });
  await page.goto(`${server.origin}/deliveries`);
  await page.getByLabel("E-mail").fill(server.email);
  await page.getByLabel("Password", { exact: true }).fill(server.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Deliveries" }).waitFor();
  return { page, resumed };
}

let booked = 0;
async function book(): Promise<{ id: number }> {
  booked += 1;
  return api.post("/consults", { ...consult, start_time: `2026-12-0${booked}T07:15` });
}

const delivered = (page: Page) => page.locator('a[href^="/deliveries/"]', { hasText: "Delivered" });
const shown = (page: Page) => expect.poll(() => delivered(page).count(), { timeout: 30_000 });

test("a new delivery appears, and is delivered, without a reload and without being asked for", async () => {
  const { page, resumed } = await open(withoutPace);
  await expect.poll(() => resumed.length, { timeout: STEP_TIMEOUT_MS }).toBe(1);
  await book();
  await shown(page).toBe(1);
  await page.getByRole("link", { name: "Schedule", exact: true }).click();
  await page.getByRole("link", { name: "Deliveries", exact: true }).click();
  await book();
  await shown(page).toBe(2);
  await page.getByRole("link", { name: "Webhooks", exact: true }).click();
  const days = page.getByRole("article", { name: "Live" }).getByText(/^Last 7 days:/);
  await expect.poll(() => days.textContent()).toBe("Last 7 days: 2 delivered");
  await book();
  await expect.poll(() => days.textContent(), { timeout: 60_000 }).toBe("Last 7 days: 3 delivered");
  await page.getByRole("link", { name: "Deliveries", exact: true }).click();
  await shown(page).toBe(3);
  expect(resumed).toEqual([undefined]);

  await server.kill();
  await server.start();
  await expect.poll(() => resumed.length, { timeout: 60_000 }).toBe(2);
  expect(resumed[1]).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  api = await signIn(server);
  await book();
  await shown(page).toBe(4);
  await page.close();
});

test("what waits behind an earlier delivery of its consult leads to that one, and names no time", async () => {
  const url = "https://hooks.example.test/in";
  const events = ["participant.added", "consult.updated"];
  const { id: webhook } = await api.post<{ id: number }>("/webhooks", { name: "Unreachable", url, events });
  const { id } = await book();
  await api.patch(`/consults/${id}`, { start_time: "2026-12-20T07:15" });
  const { page } = await open(withoutPace);
  await page
    .getByRole("link", { name: /Unreachable/ })
    .first()
    .click();
  const drawer = page.getByRole("dialog");
  await drawer.getByText(/It waits for an earlier delivery about the same thing/).waitFor();
  expect(await drawer.getByText("Next try").count()).toBe(0);
  const waiting = new URL(page.url()).pathname;
  await drawer.getByRole("link", { name: "an earlier delivery" }).click();
  await drawer.getByText("Next try", { exact: true }).waitFor();
  expect(new URL(page.url()).pathname).not.toBe(waiting);
  await api.patch(`/webhooks/${webhook}`, { enabled: false });
  await page.reload();
  await drawer
    .getByText(/It waits until the webhook is turned on/)
    .first()
    .waitFor();
  expect(await drawer.getByText("Next try").count()).toBe(0);
  await page.close();
});

test("where the stream cannot be had, the page asks from time to time", async () => {
  const { page } = await open(withoutStream);
  const before = booked;
  await shown(page).toBe(before);
  await book();
  await shown(page).toBe(before + 1);
  await page.close();
});

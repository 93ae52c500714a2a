/**
 * The list of a clinic with 100,000 deliveries: it is scrolled far, narrowed and read by keyboard, and only the rows in sight
 * are there. What comes in meanwhile, and a drawer that opens and closes, leave the place where it was.
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../server/test/database.ts";
import { fillDeliveries } from "../server/test/many-deliveries.ts";
import { findingsOf } from "./accessibility.ts";
import { launchBrowser } from "./browser.ts";
import { type ApiClient, oneToOne, signIn } from "./client.ts";
import { type DemoServer, startDemo } from "./server.ts";

const DELIVERIES = 100_000;
/** Several times a window's height of rows; of the rows that were scrolled over there were thousands. */
const ROWS_IN_PAGE_MAX = 60;
const FAR_ROWS = 2_000;
const STEP_TIMEOUT_MS = 20_000;

let database: TestDatabase;
let server: DemoServer;
let browser: Browser;
let page: Page;
let api: ApiClient;
let quiet: number;

beforeAll(async () => {
  database = await createTestDatabase({ empty: true });
  [server, browser] = await Promise.all([startDemo({ env: { DATABASE_URL: database.url } }), launchBrowser()]);
  api = await signIn(server);
  const { url } = await api.get<{ url: string }>("/inbox");
  const make = async (name: string) =>
    (await api.post<{ id: number }>("/webhooks", { name, url, events: ["participant.added"] })).id;
  const busy = await make("Busy");
  quiet = await make("Quiet");
  const { rows } = await database.pools.owner.query<{ id: number }>("select id from clinics");
  const clinicId = Number(rows[0]?.id);
  await fillDeliveries(database.pools.owner, {
    clinicId,
    busy,
    quiet,
    count: DELIVERIES,
    days: 20,
    newest: Date.now(),
  });
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(STEP_TIMEOUT_MS);
  await page.goto(`${server.origin}/deliveries`);
  await page.getByLabel("E-mail").fill(server.email);
  await page.getByLabel("Password", { exact: true }).fill(server.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await row().first().waitFor();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  await database?.drop();
});

const list = () => page.getByRole("list", { name: "Deliveries" });
const row = () => list().getByRole("listitem");
const lastPlace = () => row().last().getAttribute("aria-posinset").then(Number);

/** Goes on to the end of what was read, which reads on, until the row of that place is there. */
async function scrollTo(place: number): Promise<void> {
  await expect
    .poll(
      async () => {
        await page.evaluate("window.scrollTo(0, document.body.scrollHeight)");
        return lastPlace();
      },
      { timeout: 240_000, interval: 20 },
    )
    .toBeGreaterThanOrEqual(place);
}

/** Which row stands where in the window, in whole pixels. */
const placeOf = (id: string) =>
  page.locator(`a[href^="/deliveries/${id}"]`).evaluate((link) => {
    const { top } = (link as unknown as { getBoundingClientRect(): { top: number } }).getBoundingClientRect();
    return Math.round(top);
  });

/** The id of the first row that is wholly in the window, below the header. */
const firstInSight = () =>
  page.evaluate<string>(
    `[...document.querySelectorAll('main li a')].find((link) => link.getBoundingClientRect().top > 60).pathname.split('/').pop()`,
  );

describe(`a list of ${DELIVERIES} deliveries`, () => {
  test("is scrolled far, with few rows in the page, each of which says its place", async () => {
    await scrollTo(FAR_ROWS);
    expect(await row().count()).toBeLessThan(ROWS_IN_PAGE_MAX);
    expect(await row().last().getAttribute("aria-setsize")).toBe("-1");
    expect(await findingsOf(page)).toEqual([]);
  });

  test("keeps its place when a row's drawer is opened and closed", async () => {
    const last = await lastPlace();
    await page.evaluate("window.scrollBy(0, -3000)");
    await expect.poll(lastPlace).toBeLessThan(last - 20);
    const id = await firstInSight();
    const before = await placeOf(id);
    await page.locator(`a[href^="/deliveries/${id}"]`).click();
    await page.getByRole("dialog").getByRole("heading", { level: 3 }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    expect(await placeOf(id)).toBe(before);
    const focused = "document.activeElement.pathname";
    await expect.poll(() => page.evaluate<string>(focused)).toBe(`/deliveries/${id}`);
  });

  test("keeps its place when new ones come in at the top", async () => {
    const id = await firstInSight();
    const before = await placeOf(id);
    const place = () => page.locator(`li:has(a[href^="/deliveries/${id}"])`).getAttribute("aria-posinset").then(Number);
    const was = await place();
    const consult = await oneToOne(api);
    await api.post("/consults", { ...consult, start_time: "2030-01-07T09:00" });
    await expect.poll(place, { timeout: STEP_TIMEOUT_MS }).toBe(was + 2);
    expect(Math.abs((await placeOf(id)) - before)).toBeLessThanOrEqual(2);
  });

  test("is walked by the arrows, and taken back to its top", async () => {
    const place = () =>
      page.evaluate<number>("Number(document.activeElement.closest('li')?.getAttribute('aria-posinset'))");
    await page.locator(`a[href^="/deliveries/${await firstInSight()}"]`).focus();
    const from = await place();
    for (let step = 0; step < 30; step++) await page.keyboard.press("ArrowDown");
    await expect.poll(place).toBe(from + 30);
    await page.keyboard.press("Home");
    await expect.poll(place).toBe(1);
    expect(await row().count()).toBeLessThan(ROWS_IN_PAGE_MAX);
  });

  test("shows at once what comes in while its top is looked at", async () => {
    await page.evaluate("window.scrollTo(0, 0)");
    const first = () => row().first().getByRole("link").getAttribute("href");
    const before = await first();
    await api.post("/consults", { ...(await oneToOne(api)), start_time: "2030-01-08T09:00" });
    await expect.poll(first, { timeout: STEP_TIMEOUT_MS }).not.toBe(before);
    expect(await row().first().getAttribute("aria-posinset")).toBe("1");
  });

  test.each([
    ["failed", "?state=failed", /Failed/],
    ["one webhook", () => `?webhook=${quiet}`, /Quiet/],
    ["an event", "?event=invoice.created", /Invoice/],
    ["days", () => `?from=${daysAgo(9)}&to=${daysAgo(8)}`, /Delivered/],
  ])("is narrowed to %s", async (_, search, words) => {
    await page.goto(`${server.origin}/deliveries${typeof search === "string" ? search : search()}`);
    await row().first().waitFor();
    const texts = await row().allInnerTexts();
    expect(texts.length).toBeGreaterThan(5);
    for (const text of texts) expect(text).toMatch(words);
  });

  test("is narrowed to days that are typed, key by key", async () => {
    await page.goto(`${server.origin}/deliveries`);
    await page.getByRole("button", { name: "More filters" }).click();
    const day = daysAgo(9);
    const [year = "", month = "", date = ""] = day.split("-");
    await page.getByLabel("From", { exact: true }).focus();
    await page.keyboard.type(`${month}${date}${year}`, { delay: 20 });
    await expect.poll(() => page.url()).toContain(`from=${day}`);
    expect(await page.getByLabel("From", { exact: true }).inputValue()).toBe(day);
    await page.getByLabel("To", { exact: true }).focus();
    await page.keyboard.type(`${month}${date}1999`, { delay: 20 });
    await page.getByText("This is before the first day.").waitFor();
    expect(page.url()).not.toContain("to=");
  });

  test("says when what follows could not be read, and reads it when asked again", async () => {
    const pages = /\/v1\/deliveries\?.*cursor=/;
    await page.goto(`${server.origin}/deliveries?webhook=${quiet}`);
    await row().first().waitFor();
    await page.route(pages, (route) =>
      route.fulfill({ status: 400, json: { code: "bad", title: "bad", status: 400 } }),
    );
    await page.evaluate("window.scrollTo(0, document.body.scrollHeight)");
    const alert = page.getByRole("alert").filter({ hasText: "could not" });
    await alert.waitFor();
    await page.unroute(pages);
    const before = await lastPlace();
    await alert.getByRole("button").click();
    await alert.waitFor({ state: "hidden" });
    await scrollTo(before + 1);
  });

  test("of a webhook that is deleted says so, and is taken off again; its dialog is not opened", async () => {
    await page.goto(`${server.origin}/deliveries?webhook=999999`);
    const webhook = page.getByLabel("Webhook", { exact: true });
    await expect.poll(() => webhook.locator("option:checked").innerText()).toBe("A deleted webhook");
    await webhook.selectOption("All webhooks");
    await row().first().waitFor();
    await page.goto(`${server.origin}/consults/export/webhooks?edit=999999`);
    await page.getByText("This webhook was not found.").waitFor();
    expect(await page.getByRole("dialog").count()).toBe(0);
  });

  test("is narrowed to one by its id, typed", async () => {
    await page.goto(`${server.origin}/deliveries?state=failed`);
    const href = (await row().nth(3).getByRole("link").getAttribute("href")) ?? "";
    const id = href.split(/[/?]/)[2] ?? "";
    await page.getByRole("button", { name: "More filters" }).click();
    const field = page.getByLabel("Number of a delivery or an event");
    await field.fill("consult 16");
    await page.getByText("This is not such a number.").waitFor();
    await field.fill(` ${id} `);
    await expect.poll(() => row().count()).toBe(1);
    expect(await row().first().getByRole("link").getAttribute("href")).toContain(id);
    expect(await row().first().getAttribute("aria-setsize")).toBe("1");
  });
});

function daysAgo(days: number): string {
  return Temporal.Now.plainDateISO("UTC").subtract({ days }).toString();
}

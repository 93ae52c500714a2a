/**
 * A manager sets up a webhook, tests it and proves that it works: by keyboard alone, and with no other system than the test
 * inbox. What is for whoever is not a manager: roles.test.ts.
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser } from "./browser.ts";
import { type ApiClient, oneToOne, signIn } from "./client.ts";
import { type DemoServer, startDemo } from "./server.ts";

const STEP_TIMEOUT_MS = 15_000;
/** More presses of Tab than any screen has stops. */
const STOPS_MAX = 120;

let server: DemoServer;
let browser: Browser;
let api: ApiClient;

beforeAll(async () => {
  [server, browser] = await Promise.all([startDemo(), launchBrowser()]);
  api = await signIn(server);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

async function open(): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-CA" });
  const page = await context.newPage();
  page.setDefaultTimeout(STEP_TIMEOUT_MS);
  return page;
}

/** What has the focus, as somebody who hears the page would call it. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    interface Node {
      getAttribute(name: string): string | null;
      textContent: string | null;
      labels?: ArrayLike<{ textContent: string | null }> | null;
    }
    const { document } = globalThis as unknown as { document: { activeElement: Node | null } };
    const node = document.activeElement;
    const name = node?.getAttribute("aria-label") ?? node?.labels?.[0]?.textContent ?? node?.textContent ?? "";
    return name.trim();
  });
}

/** Presses Tab until the thing of that name has the focus, then the key, as a hand on a keyboard does. */
async function press(page: Page, name: string | RegExp, key = "Enter"): Promise<void> {
  const isThere = (text: string) => (typeof name === "string" ? text === name : name.test(text));
  await expect
    .poll(
      async () => {
        for (let stops = 0; stops < STOPS_MAX; stops++) {
          if (isThere(await focused(page))) return true;
          await page.keyboard.press("Tab");
        }
        return false;
      },
      { timeout: STEP_TIMEOUT_MS },
    )
    .toBe(true);
  await page.keyboard.press(key);
}

async function type(page: Page, name: string | RegExp, text: string): Promise<void> {
  await press(page, name, "End");
  await page.keyboard.type(text);
}

describe("a manager, by keyboard alone", () => {
  let page: Page;
  beforeAll(async () => {
    page = await open();
    await page.goto(`${server.origin}/consults/export/webhooks`);
    await page.getByLabel("E-mail").waitFor();
  });
  afterAll(() => page.close());

  test("signs in and begins with the starter", async () => {
    await type(page, /^E-mail/, server.email);
    await type(page, /^Password/, server.password);
    await page.keyboard.press("Enter");
    await page.getByText("Three steps, and you need no other system for them.").waitFor();
    await press(page, "Set up a webhook");
    await page.getByRole("dialog", { name: "New webhook" }).getByLabel("Address").waitFor();
  });

  test("takes the test inbox, ticks the consults, and tests it before saving", async () => {
    await press(page, "Use the test inbox");
    await page.getByText(/^We found localhost/).waitFor();
    await press(page, "Everything: Consults", "Space");
    await press(page, "Send a test");
    await page.getByText(/^It answered 200 OK in \d+\.\d\d.s\.$/).waitFor();
  });

  test("saves, and sees it ready", async () => {
    await press(page, "Save webhook");
    await page.getByText(/^whsec_/).waitFor();
    await press(page, "Done");
    const card = page.getByRole("article", { name: "Test inbox" });
    await card.getByText("Ready", { exact: true }).waitFor();
    await card.getByText("Last 7 days: nothing was sent").waitFor();
  });

  test("makes something happen, and the card, its bars, the deliveries and the inbox prove that it arrived", async () => {
    await api.post("/consults", { ...(await oneToOne(api)), start_time: "2030-01-07T09:00" });
    const card = page.getByRole("article", { name: "Test inbox" });
    await card.getByText(/^Last delivered today at \d\d:\d\d\.$/).waitFor();
    await card.getByText("Working", { exact: true }).waitFor();
    await page.reload();
    await card.getByText("Last 7 days: 1 delivered").waitFor();
    expect(await card.getByRole("img").getAttribute("aria-label")).toMatch(/nothing was sent\. [^.]+: 1 delivered$/);
    await press(page, "Deliveries of Test inbox");
    await page.getByRole("heading", { name: "Deliveries" }).waitFor();
    await press(page, /^Delivered.+/s);
    await page
      .getByRole("dialog")
      .getByText(/^It answered 200 OK/)
      .first()
      .waitFor();
    await page.keyboard.press("Escape");
    await press(page, "Test inbox");
    await page.getByText("Signature verified").first().waitFor();
  });
});

describe("what a manager typed", () => {
  test("is there again after a reload, in the dialog that opens by itself, until it is thrown away", async () => {
    const page = await open();
    await page.goto(`${server.origin}/consults/export/webhooks`);
    await page.getByLabel("E-mail").fill(server.email);
    await page.getByLabel("Password", { exact: true }).fill(server.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("button", { name: "Configure Memberships" }).click();
    const dialog = page.getByRole("dialog", { name: "New webhook" });
    await dialog.getByLabel("Address").fill("https://nobody.example.test/hook");
    await page.reload();
    await dialog.getByText("We kept what you typed last time.").waitFor();
    expect(await dialog.getByLabel("Address").inputValue()).toBe("https://nobody.example.test/hook");
    await dialog.getByRole("checkbox", { name: "Everything: Memberships" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Discard" }).click();
    await dialog.waitFor({ state: "hidden" });
    await page.reload();
    await page.getByRole("heading", { name: "Webhooks", exact: true }).waitFor();
    expect(await dialog.count()).toBe(0);
    await page.close();
  });
});

/**
 * A day at the front desk without a mouse: each step is taken by keys alone, and wherever the keys lead, the focus is seen and
 * lies in the window.
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser, withoutStream } from "./browser.ts";
import { type DemoServer, startDemo } from "./server.ts";

const STEP_TIMEOUT_MS = 15_000;
const STOPS_MAX = 90;

let server: DemoServer;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  [server, browser] = await Promise.all([startDemo(), launchBrowser()]);
  page = await browser.newPage({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce" });
  page.setDefaultTimeout(STEP_TIMEOUT_MS);
  await withoutStream(page);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

interface Stop {
  name: string;
  isSeen: boolean;
  isInWindow: boolean;
}

/** Where the focus is, by its name, and whether somebody sees that it is there. */
const STOP = `(() => {
  const one = document.activeElement;
  const labels = [...(one.labels ?? [])].map((label) => label.innerText);
  const name = one.getAttribute('aria-label') ?? (labels.length > 0 ? labels.join(' ') : one.innerText ?? '');
  const hasOutline = (element) => {
    const style = getComputedStyle(element);
    return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
  };
  // A field with a button in it has its outline around both.
  const isSeen = hasOutline(one) || [...document.querySelectorAll('.mantine-PasswordInput-input')].some(
    (field) => field.contains(one) && hasOutline(field));
  const { top, bottom, left, right } = one.getBoundingClientRect();
  const isInWindow = top >= -1 && left >= -1 && (bottom <= innerHeight + 1 || bottom - top > innerHeight) && right <= innerWidth + 1;
  return { name: name.trim(), isSeen, isInWindow };
})()`;

/** Goes on by Tab until it stands on what has that name; every stop on the way has to be seen. */
async function tabTo(name: RegExp): Promise<void> {
  const passed: string[] = [];
  for (let stop = 0; stop < STOPS_MAX; stop++) {
    await page.keyboard.press("Tab");
    // The parts of a date pass the focus on a frame later.
    await page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))");
    // Behind the last stop of the page come the browser's own.
    if (await page.evaluate<boolean>("document.activeElement === document.body")) continue;
    const at = await page.evaluate<Stop>(STOP);
    expect({ ...at, passed }).toMatchObject({ isSeen: true, isInWindow: true });
    if (name.test(at.name)) return;
    passed.push(at.name || "?");
  }
  throw new Error(`No way by Tab to ${name}; passed ${passed.join(" | ")}`);
}

const press = (key: string) => page.keyboard.press(key);
const type = (text: string) => page.keyboard.type(text);
const seen = (text: string | RegExp) => page.getByText(text).first().waitFor();

/** To a section by the navigation, from the top of the page. */
async function visit(name: RegExp): Promise<void> {
  await page.evaluate("document.activeElement.blur()");
  await tabTo(name);
  await press("Enter");
}

describe("by keyboard alone, somebody at the front desk", () => {
  test("signs in", async () => {
    await page.goto(server.origin);
    await page.getByLabel("E-mail").waitFor();
    await tabTo(/^E-mail/);
    await type(server.email);
    await tabTo(/^Password/);
    await type(server.password);
    await press("Enter");
    await page.getByRole("heading", { name: "Schedule" }).waitFor();
  });

  test("skips to the content", async () => {
    await page.reload();
    await page.getByRole("heading", { name: "Schedule" }).waitFor();
    await tabTo(/^Skip to content$/);
    await press("Enter");
    await tabTo(/^Schedule a consult$/);
  });

  test("schedules a consult, finds it in the list, and cancels it", async () => {
    await press("Enter");
    const dialog = page.getByRole("dialog", { name: "Schedule a consult" });
    await dialog.getByText("Test Patient One").waitFor();
    await tabTo(/^Find a patient$/);
    await type("Three");
    await expect.poll(() => dialog.getByRole("radio").count()).toBe(1);
    await tabTo(/^Test Patient Three$/);
    await press("Space");
    await tabTo(/^Schedule$/);
    await press("Enter");
    await dialog.waitFor({ state: "hidden" });
    await seen("Test Patient Three");
    await tabTo(/Test Patient Three/);
    await press("Enter");
    await page.getByRole("dialog").waitFor();
    await tabTo(/^Cancel (the|this) consult/);
    await press("Enter");
    await page.getByRole("dialog").nth(1).waitFor();
    await tabTo(/^Cancel (the|this) consult/);
    await press("Enter");
    await expect.poll(() => page.getByRole("dialog").count()).toBe(1);
    await press("Escape");
    await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
  });

  test("adds a patient", async () => {
    await visit(/^Patients$/);
    await page.getByRole("heading", { name: "Patients" }).waitFor();
    await tabTo(/^Add a patient$/);
    await press("Enter");
    await page.getByRole("dialog").waitFor();
    await type("Kay Keyboard");
    await press("Enter");
    await seen(/Kay Keyboard was added|Kay Keyboard/);
    await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
  });

  test("bills and takes the payment", async () => {
    await visit(/^Billing$/);
    await page.getByRole("heading", { name: "Billing" }).waitFor();
    await tabTo(/^New invoice$/);
    await press("Enter");
    const dialog = page.getByRole("dialog", { name: "New invoice" });
    await dialog.getByText("Test Patient One").waitFor();
    await tabTo(/^Test Patient One$/);
    await press("Enter");
    await tabTo(/^What for/);
    await type("Invented massage");
    await tabTo(/^Price/);
    await type("80");
    await tabTo(/^Create the invoice$/);
    await press("Enter");
    await page.getByRole("heading", { name: /INV-/, level: 1 }).waitFor();
    await tabTo(/payment$/);
    await press("Enter");
    await page.getByRole("dialog").waitFor();
    await tabTo(/^(Take|Record|Add|Save)/);
    await press("Enter");
    await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
    await seen("Paid in full");
  });

  test.each([
    [/^Memberships$/, "Memberships"],
    [/^Academy$/, "Academy"],
    [/^Deliveries$/, "Deliveries"],
    [/^Import$/, "Import"],
    [/^History$/, "History"],
    [/^Staff$/, "Staff"],
    [/^Your account$/, "Your account"],
  ])("goes to %s and through all of it", async (link, heading) => {
    await visit(link);
    await page.getByRole("heading", { name: heading, level: 1 }).waitFor();
    await page.waitForLoadState("networkidle");
    const last = await page.evaluate<string>(LAST_NAME);
    if (last !== "") await tabTo(new RegExp(`^${last.replace(/[.*+?^$()|[\]\\]/g, "\\$&")}`));
  });
});

/** The name of the last thing in the content that takes the focus. */
const LAST_NAME = `(() => {
  const all = [...document.querySelectorAll('main :is(a[href], button:not([disabled]), input:not([disabled]), select, summary)')]
    .filter((one) => one.offsetParent !== null && one.tabIndex >= 0);
  const last = all.at(-1);
  if (!last) return '';
  const labels = [...(last.labels ?? [])].map((label) => label.innerText);
  return (last.getAttribute('aria-label') ?? (labels.length > 0 ? labels.join(' ') : last.innerText ?? '')).trim().split('\\n')[0];
})()`;

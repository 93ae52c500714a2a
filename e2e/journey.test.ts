/**
 * The first whole journey, as a manager makes it: configure a webhook to the test inbox, schedule a class of three, and see
 * in the inbox what arrived.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser, withoutStream } from "./browser.ts";
import { fillWithPatients } from "./configure-dialog.ts";
import { type DemoServer, startDemo } from "./server.ts";

/** The class of this journey, by the times at which it stands in the schedule. */
const WAS_AT = /^06:15/;
const NOW_AT = /^06:45/;
const STEP_TIMEOUT_MS = 15_000;
/** What a first view may load, compressed. */
const SCRIPTS_MAX_BYTES = 220_000;
const STYLES_MAX_BYTES = 20_000;

let server: DemoServer;
let browser: Browser;
let page: Page;
const cspViolations: string[] = [];
const pageErrors: string[] = [];

beforeAll(async () => {
  [server, browser] = await Promise.all([startDemo(), launchBrowser()]);
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  page = await context.newPage();
  page.setDefaultTimeout(STEP_TIMEOUT_MS);
  page.on("console", (message) => {
    if (/Content Security Policy/i.test(message.text())) cspViolations.push(message.text());
  });
  page.on("pageerror", (error) => pageErrors.push(error.message));
});
afterEach(async ({ task }) => {
  const failed = task.result?.state === "fail";
  if (failed) await page.screenshot({ path: join(import.meta.dirname, "failures", `${task.name.slice(0, 40)}.png`) });
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

/** The messages of the inbox, newest first, as the page shows them. */
async function inboxBodies(count: number): Promise<unknown[][]> {
  await visit("Test inbox");
  const messages = page.locator("[data-body]");
  await expect.poll(() => messages.count(), { timeout: 20_000 }).toBe(count);
  const bodies = await messages.evaluateAll((nodes) => nodes.map((node) => node.getAttribute("data-body") ?? ""));
  return bodies.map((body) => JSON.parse(body) as unknown[]);
}

async function visit(name: string): Promise<void> {
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name, exact: true }).click();
}

async function openConsult(name: RegExp): Promise<void> {
  await visit("Schedule");
  await page.getByRole("button", { name }).first().click();
}

describe("a manager", () => {
  test("signs in", async () => {
    await page.goto(server.origin);
    await page.getByLabel("E-mail").fill(server.email);
    await page.getByLabel("Password", { exact: true }).fill(server.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await visit("Webhooks");
    await page.getByRole("heading", { name: "Webhooks", exact: true }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/consults/export/webhooks");
  });

  test.each(["/schedule", "/consults/export/webhooks"] as const)(
    "loads no more for a first view of %s than it may",
    async (path) => {
      // Without the files that this browser has kept already.
      const fresh = await browser.newContext({ storageState: await page.context().storageState() });
      const first = await fresh.newPage();
      await withoutStream(first);
      // By the file's name: what is loaded ahead of time is not always said to be a script, nor is its text always at hand.
      const names = new Set<string>();
      first.on("request", (request) => {
        const [, name] = /\/assets\/([^/]+\.(?:js|css))$/.exec(new URL(request.url()).pathname) ?? [];
        if (name !== undefined) names.add(name);
      });
      await first.goto(server.origin + path);
      await first.getByRole("heading", { level: 1 }).waitFor();
      await first.waitForLoadState("networkidle");
      const bytes = { js: 0, css: 0 };
      for (const name of names) {
        const kind = name.endsWith(".js") ? "js" : "css";
        bytes[kind] += gzipSync(readFileSync(new URL(`../web/dist/assets/${name}`, import.meta.url))).length;
      }
      await fresh.close();
      expect(bytes.js).toBeGreaterThan(SCRIPTS_MAX_BYTES / 4);
      expect(bytes.js).toBeLessThan(SCRIPTS_MAX_BYTES);
      expect(bytes.css).toBeGreaterThan(0);
      expect(bytes.css).toBeLessThan(STYLES_MAX_BYTES);
      // What is opened only now and then comes when it is.
      expect([...names].filter((name) => /Dialog|Drawer|Preview|Timeline|JsonText|VirtualList/.test(name))).toEqual([]);
    },
  );

  test("configures a webhook to the test inbox with Patient ticked, tests it before saving, and gets its secret once", async () => {
    await page.getByRole("button", { name: "Configure Consults" }).click();
    const dialog = page.getByRole("dialog", { name: "New webhook" });
    await fillWithPatients(dialog);
    const preview = await dialog.locator("[data-body]").getAttribute("data-body");
    await dialog.getByRole("button", { name: "Send a test" }).click();
    await dialog.getByText(/It answered 200/).waitFor();
    await dialog.getByRole("button", { name: "Save webhook" }).click();
    await page.getByText(/whsec_/).waitFor();
    await page.getByRole("button", { name: "Done" }).click();
    expect(await inboxBodies(1)).toHaveLength(1);
    expect(await page.locator("[data-body]").getAttribute("data-body")).toBe(preview);
    await page.getByText("Signature verified").waitFor();
  });

  test("schedules a class of three: one delivery whose body is an array of three, signature verified", async () => {
    await visit("Schedule");
    await page.getByRole("button", { name: "Schedule a consult" }).click();
    const dialog = page.getByRole("dialog", { name: "Schedule a consult" });
    await dialog.getByLabel("Service").selectOption({ label: "Pilates class" });
    const start = dialog.getByLabel("Start");
    await start.fill((await start.inputValue()).replace(/T\d\d:\d\d/, "T06:15"));
    for (let n = 0; n < 3; n++) await dialog.getByRole("checkbox", { checked: false }).first().check();
    await dialog.getByRole("button", { name: "Schedule", exact: true }).click();
    await dialog.waitFor({ state: "hidden" });
    const [body = []] = await inboxBodies(2);
    expect(body).toHaveLength(3);
    expect(body).toMatchObject(Array(3).fill({ event: "participant.added", consult: { cancelled: false } }));
    expect(new Set(body.map((one) => (one as { participant: { id: number } }).participant.id)).size).toBe(3);
    expect(await page.getByText("Signature verified").count()).toBe(2);
  });

  test("reschedules it: consult.updated for all three", async () => {
    await openConsult(WAS_AT);
    const dialog = page.getByRole("dialog");
    const start = dialog.getByLabel("Start");
    await start.fill((await start.inputValue()).replace(/T\d\d:\d\d/, "T06:45"));
    await dialog.getByRole("button", { name: "Save changes" }).click();
    await dialog.getByText("Changes saved.").waitFor();
    await page.getByRole("button", { name: "Close" }).click();
    const [body = []] = await inboxBodies(3);
    expect(body).toMatchObject(Array(3).fill({ event: "consult.updated" }));
    expect((body[0] as { consult: { start_time: string } }).consult.start_time).toMatch(/T06:45:00[+-]\d\d:\d\d$/);
  });

  test("removes one patient: one object, not cancelled", async () => {
    await openConsult(NOW_AT);
    const dialog = page.getByRole("dialog");
    await dialog
      .getByRole("button", { name: /^Remove / })
      .first()
      .click();
    await dialog.getByText("Patient removed.").waitFor();
    await page.getByRole("button", { name: "Close" }).click();
    const [body = []] = await inboxBodies(4);
    expect(body).toMatchObject([{ event: "participant.removed", consult: { cancelled: false } }]);
  });

  test("cancels it: two objects, cancelled", async () => {
    await openConsult(NOW_AT);
    await page.getByRole("dialog").getByRole("button", { name: "Cancel the consult" }).click();
    await page
      .getByRole("dialog", { name: "Cancel this consult?" })
      .getByRole("button", { name: "Cancel the consult" })
      .click();
    await page.getByText("Consult cancelled.").waitFor();
    await page.getByRole("button", { name: "Close" }).click();
    const [body = []] = await inboxBodies(5);
    expect(body).toMatchObject(Array(2).fill({ event: "participant.removed", consult: { cancelled: true } }));
  });

  test("finds all of them delivered, under Deliveries", async () => {
    await visit("Deliveries");
    await page.getByText("Delivered", { exact: true }).first().waitFor();
    expect(cspViolations).toEqual([]);
    expect(pageErrors).toEqual([]);
  });
});

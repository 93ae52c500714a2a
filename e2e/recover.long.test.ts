/** Sending again what was missed while a webhook was off, as a manager does it: the count first, then it asks, then it goes. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createReceiver, type Receiver } from "../server/test/receiver.ts";
import { until } from "../server/test/until.ts";
import { findingsOf } from "./accessibility.ts";
import { launchBrowser } from "./browser.ts";
import { type ApiClient, oneToOne, signIn } from "./client.ts";
import { startPrepared } from "./prepared.ts";
import type { DemoServer } from "./server.ts";

let server: DemoServer;
let browser: Browser;
let page: Page;
let receiver: Receiver;
let api: ApiClient;

beforeAll(async () => {
  [server, browser, receiver] = await Promise.all([
    startPrepared({ env: { HOOKWELL_ALLOW_LOOPBACK: "true" } }),
    launchBrowser(),
    createReceiver(),
  ]);
  api = await signIn(server);
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(15_000);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  await receiver?.close();
});

test("a manager sees how many there are, sends them again, and sees how far it is", async () => {
  const { id } = await api.post<{ id: number }>("/webhooks", { url: receiver.url, events: ["participant.added"] });
  await api.patch(`/webhooks/${id}`, { enabled: false });
  const consult = await oneToOne(api);
  for (const hour of ["09", "10", "11", "12", "13", "14"])
    await api.post("/consults", { ...consult, start_time: `2030-01-07T${hour}:00` });
  await api.patch(`/webhooks/${id}`, { enabled: true });

  await page.goto(`${server.origin}/deliveries?webhook=${id}`);
  await page.getByLabel("E-mail").fill(server.email);
  await page.getByLabel("Password", { exact: true }).fill(server.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Send again what failed" }).click();
  const dialog = page.getByRole("dialog", { name: "Send again what failed" });
  await dialog.getByText("6 deliveries will be sent again.").waitFor();
  expect(await findingsOf(page)).toEqual([]);
  await dialog.getByRole("checkbox", { name: "What was never sent" }).uncheck();
  await dialog.getByText("There is nothing to send again.").waitFor();
  expect(await dialog.getByRole("button", { name: "Send again" }).isDisabled()).toBe(true);
  await dialog.getByRole("checkbox", { name: "What failed" }).uncheck();
  await dialog.getByRole("checkbox", { name: "What was never sent" }).check();
  await dialog.getByRole("button", { name: "Send 6 again" }).click();
  await dialog.waitFor({ state: "hidden" });

  const progress = page.getByRole("region", { name: "Sending again what failed" });
  await progress.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("region", { name: "Sending again is paused" }).waitFor();
  expect(await findingsOf(page)).toEqual([]);
  await page.getByRole("button", { name: "Go on" }).click();
  await until("all six have arrived", () => receiver.received.length === 6);
  await page.getByRole("region", { name: "All of it was queued again" }).getByText("6 of 6 queued").waitFor();
  expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).toBe(6);
});

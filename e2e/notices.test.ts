/**
 * A notice as a manager meets it: an e-mail, a number beside Notices, a banner on the webhooks' page while it matters, the
 * list that counts as read once it is opened; and another system that is told as well.
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EmbeddedDatabase, startEmbedded } from "../server/src/db/embedded.ts";
import { createPools, type Pools } from "../server/src/db/pool.ts";
import { silentLog } from "../server/src/log.ts";
import { createSmtpServer, type SmtpServer } from "../server/test/smtp-server.ts";
import { until } from "../server/test/until.ts";
import { launchBrowser } from "./browser.ts";
import { signIn } from "./client.ts";
import { type DemoServer, startDemo } from "./server.ts";

const STEP_TIMEOUT_MS = 15_000;

let folder: string;
let database: EmbeddedDatabase;
let pools: Pools;
let smtp: SmtpServer;
let server: DemoServer;
let browser: Browser;
let page: Page;
let webhookId: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hookwell-notices-"));
  await chmod(folder, 0o711);
  const log = silentLog();
  [database, smtp, browser] = await Promise.all([
    startEmbedded({ dataFolder: folder, log, settings: { fsync: "off" } }),
    createSmtpServer(),
    launchBrowser(),
  ]);
  pools = createPools({ url: database.url, log });
  server = await startDemo({
    env: {
      DATABASE_URL: database.url,
      HOOKWELL_SMTP_URL: smtp.url,
      HOOKWELL_MAIL_FROM: "Hookwell <hooks@example.test>",
    },
  });
  const api = await signIn(server);
  const input = { name: "Reminders", url: "https://hooks.example.test/in", events: ["consult.updated"] };
  webhookId = (await api.post<{ id: number }>("/webhooks", input)).id;
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(STEP_TIMEOUT_MS);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  await pools?.close();
  await database?.stop();
  await smtp?.close();
  await rm(folder, { recursive: true, force: true });
});

const link = (name: string | RegExp) =>
  page.getByRole("navigation", { name: "Main" }).getByRole("link", { name, exact: typeof name === "string" });

/** As the engine does when a receiver says that it is gone. */
async function askedToStop(): Promise<void> {
  const { rows } = await pools.owner.query<{ clinic_id: number }>(
    "update webhooks set enabled = false, off_reason = 'receiver_gone', version = version + 1 where id = $1 returning clinic_id",
    [webhookId],
  );
  await pools.owner.query(
    "insert into notices (clinic_id, kind, webhook_id, cause, details) values ($1, 'webhook.gone', $2, 'webhook.gone:test', $3)",
    [rows[0]?.clinic_id, webhookId, JSON.stringify({ outcome: "answered", status: 410 })],
  );
}

describe("a manager", () => {
  test("finds no banner, no number and an empty list where nothing is wrong", async () => {
    await page.goto(`${server.origin}/notices`);
    await page.getByLabel("E-mail").fill(server.email);
    await page.getByLabel("Password", { exact: true }).fill(server.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("There are no notices").waitFor();
    await page.getByText("Every manager gets an e-mail.").waitFor();
    await link("Notices").waitFor();
    await link("Webhooks").click();
    await page.getByRole("article", { name: "Reminders" }).waitFor();
    expect(await page.getByText("This needs your attention").count()).toBe(0);
  });

  test("is told by e-mail, by a number and by a banner that leads to the webhook", async () => {
    await askedToStop();
    const mail = await until("the e-mail arrives", () => smtp.mails[0]);
    expect(mail.to).toEqual([server.email]);
    expect(mail.text).toContain(`${server.origin}/consults/export/webhooks#webhook-${webhookId}`);
    await page.reload();
    await link(/^Notices\s*1 new$/).waitFor();
    const banner = page.getByRole("region", { name: "This needs your attention" });
    await banner.getByText("“Reminders” asked us to stop, so we turned it off.").waitFor();
    await banner.getByRole("link", { name: "See all notices" }).click();
  });

  test("has read what the opened list shows, while what is not repaired stays on the webhooks' page", async () => {
    await page
      .getByRole("list", { name: "Notices" })
      .getByText("Paste the new address into the webhook, then turn it on.")
      .waitFor();
    await link("Notices").waitFor(); // the number is gone
    await page.getByRole("link", { name: "See the webhook “Reminders”" }).click();
    await page.getByRole("article", { name: "Reminders" }).waitFor();
    expect(new URL(page.url()).hash).toBe(`#webhook-${webhookId}`);
    await page.getByRole("region", { name: "This needs your attention" }).waitFor();
  });

  test("has another system told as well, and sees its secret once", async () => {
    await link("Notices").click();
    await page.getByRole("button", { name: "Set it up" }).click();
    const dialog = page.getByRole("dialog", { name: "Set it up" });
    await dialog.getByRole("textbox", { name: "Address" }).fill("http://alerts.example.test/in");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByText(/has to begin with https/).waitFor();
    await dialog.getByRole("textbox", { name: "Address" }).fill("https://alerts.example.test/in");
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByText(/^whsec_/).waitFor();
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByText("alerts.example.test", { exact: true }).waitFor();
    await page.getByText("Nothing had to be told yet.").waitFor();
  });

  test("changes the other system's address, and its secret with a day in which both are valid", async () => {
    await page.getByRole("button", { name: "Change", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Change what the other system is told" });
    await dialog.getByLabel("New address").fill("https://desk.example.test/in");
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByText("desk.example.test", { exact: true }).waitFor();
    await page.getByRole("button", { name: "New secret", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Make a new secret" }).click();
    await page.getByText(/^whsec_/).waitFor();
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByText(/The old secret is valid until/).waitFor();
  });

  test("stops telling it", async () => {
    await page.getByRole("button", { name: "Remove", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
    await page.getByRole("button", { name: "Set it up" }).waitFor();
  });

  test("makes a key with which a receiver fetches the deliveries of one webhook", async () => {
    await link("API keys").click();
    await page.getByRole("button", { name: "New key" }).click();
    const dialog = page.getByRole("dialog", { name: "New key" });
    await dialog.getByLabel("Name").fill("Reconciliation");
    await dialog.getByLabel("What the other program does").selectOption("Fetches the deliveries of one webhook");
    await dialog.getByRole("button", { name: "Create the key" }).click();
    await dialog.getByText("Choose whose deliveries it fetches.").waitFor();
    await dialog.getByLabel("Whose deliveries").selectOption("Reminders");
    await dialog.getByRole("button", { name: "Create the key" }).click();
    const key = await page.locator("[data-secret]").innerText();
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByText("Fetches the deliveries of “Reminders”").waitFor();
    const pulled = await fetch(`${server.origin}/v1/webhooks/${webhookId}/deliveries?after=0`, {
      headers: { authorization: `Bearer ${key}` },
    });
    expect(pulled.status).toBe(200);
  });

  test("keeps less for less long only after reading what is removed", async () => {
    await link("Retention").click();
    await page.getByText("It is kept for 30 days.").waitFor();
    await page.getByLabel("Days").fill("400");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Enter whole days, from 0 to 30.").waitFor();
    await page.getByLabel("Days").fill("0");
    await page.getByRole("button", { name: "Save" }).click();
    const dialog = page.getByRole("dialog", { name: "Keep nothing that was delivered?" });
    await dialog.getByText(/None of it can be sent again/).waitFor();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await page.getByText("It is kept for 30 days.").waitFor();
    await page.getByRole("button", { name: "Save" }).click();
    await dialog.getByRole("button", { name: "Remove it" }).click();
    await page.getByText("Nothing that was delivered is kept.").waitFor();
    await page.getByLabel("Days").fill(""); // more is kept again: nothing is asked
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("It is kept for 30 days.").waitFor();
  });
});

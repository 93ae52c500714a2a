/**
 * A manager at a desk of the demo clinic: a server of its own, a browser's page that is signed in, the API beside it, and
 * what arrived in the test inbox.
 */
import type { Browser, Page } from "playwright-core";
import { expect } from "vitest";
import { launchBrowser } from "./browser.ts";
import { type ApiClient, signIn } from "./client.ts";
import { startPrepared } from "./prepared.ts";
import type { DemoServer } from "./server.ts";

const STEP_TIMEOUT_MS = 15_000;
const ARRIVAL_TIMEOUT_MS = 20_000;

/** A message of the test inbox; `body` is JSON. */
export interface Message {
  readonly body: string;
  readonly headers: Record<string, string>;
}

export interface Desk {
  readonly server: DemoServer;
  readonly browser: Browser;
  readonly page: Page;
  readonly api: ApiClient;
  /** Errors of the page, and what its content security policy blocked. */
  readonly problems: string[];
  /** What arrived in the test inbox, the newest first, once there are so many. */
  arrived(count: number): Promise<Message[]>;
  close(): Promise<void>;
}

export interface DeskOptions {
  /** where the manager stands after signing in */
  readonly path: string;
  /** of a webhook to the test inbox; without them there is none */
  readonly webhook?: { readonly events: string[]; readonly [setting: string]: unknown };
}

/** Call `close` in `afterAll`. The page's own heading is for the caller to wait for. */
export async function openDesk(options: DeskOptions): Promise<Desk> {
  const [server, browser] = await Promise.all([startPrepared(), launchBrowser()]);
  const close = async () => {
    await browser.close();
    await server.close();
  };
  try {
    return { server, browser, close, ...(await signedIn(server, browser, options)) };
  } catch (error) {
    await close();
    throw error;
  }
}

async function signedIn(server: DemoServer, browser: Browser, { path, webhook }: DeskOptions) {
  const api = await signIn(server);
  const inbox = () => api.get<{ url: string; messages: Message[] }>("/inbox");
  if (webhook) await api.post("/webhooks", { name: "Test inbox", url: (await inbox()).url, ...webhook });
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(STEP_TIMEOUT_MS);
  const problems = problemsOf(page);
  await page.goto(server.origin + path);
  await page.getByLabel("E-mail").fill(server.email);
  await page.getByLabel("Password", { exact: true }).fill(server.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  const arrived = async (count: number) => {
    await expect.poll(async () => (await inbox()).messages.length, { timeout: ARRIVAL_TIMEOUT_MS }).toBe(count);
    return (await inbox()).messages;
  };
  return { api, page, problems, arrived };
}

function problemsOf(page: Page): string[] {
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    if (/Content Security Policy/i.test(message.text())) problems.push(message.text());
  });
  return problems;
}

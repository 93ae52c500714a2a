/**
 * From `npm start` on a clean clone to the first delivered webhook, as a person would do it but without a person's time:
 * clone, `npm ci`, `npm start`, sign in, configure a webhook to the test inbox, schedule a consult, see it in the inbox.
 */
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { oneToOne, signIn } from "../e2e/client.ts";
import { wayIn } from "../e2e/server.ts";
import { freePort } from "../server/src/db/embedded/free-port.ts";

const run = promisify(execFile);
const STEP_TIMEOUT_MS = 300_000;

export interface FirstDeliveryFigures {
  npm_ci_ms: number;
  /** `npm start` typed → the page answers */
  start_to_ready_ms: number;
  /** `npm start` typed → the webhook is in the test inbox */
  start_to_first_delivery_ms: number;
}

/** Clones the committed state of this repository into a temporary folder, measures, and removes it. */
export async function measureFirstDelivery(print: (line: string) => void): Promise<FirstDeliveryFigures> {
  const folder = await mkdtemp(join(tmpdir(), "hookwell-clone-"));
  try {
    const clone = join(folder, "hookwell");
    await run("git", ["clone", "--quiet", resolve(import.meta.dirname, ".."), clone]);
    const installing = performance.now();
    await run("npm", ["ci"], { cwd: clone, timeout: STEP_TIMEOUT_MS });
    const npm_ci_ms = Math.round(performance.now() - installing);
    print(`npm ci: ${npm_ci_ms} ms`);
    return { npm_ci_ms, ...(await startAndDeliver(clone)) };
  } finally {
    // npm ends before the server below it has put its database away
    await rm(folder, { recursive: true, force: true, maxRetries: 40, retryDelay: 250 });
  }
}

async function startAndDeliver(clone: string): Promise<Omit<FirstDeliveryFigures, "npm_ci_ms">> {
  const port = await freePort();
  const inboxPort = await freePort();
  const origin = `http://localhost:${port}`;
  const env = { ...process.env, HOOKWELL_PORT: String(port), HOOKWELL_INBOX_PORT: String(inboxPort) };
  const begun = performance.now();
  // A group of its own, so that npm and the server below it are ended together.
  const server = spawn("npm", ["start", "--silent"], {
    cwd: clone,
    env,
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  server.stdout.on("data", (chunk: Buffer) => {
    printed += chunk.toString("utf8");
  });
  try {
    await waitFor("the server is ready", async () => (await answers(`${origin}/readyz`)) && printed.includes("@"));
    const start_to_ready_ms = Math.round(performance.now() - begun);
    await firstJourney(origin, printed);
    return { start_to_ready_ms, start_to_first_delivery_ms: Math.round(performance.now() - begun) };
  } finally {
    const ended = new Promise((fulfil) => server.once("exit", fulfil));
    if (server.pid !== undefined) process.kill(-server.pid, "SIGTERM");
    await ended;
  }
}

/** Signs in with what was printed, configures the test inbox, schedules a consult and waits for it to arrive. */
async function firstJourney(origin: string, printed: string): Promise<void> {
  const api = await signIn({ origin, ...wayIn(printed) });
  const { url } = await api.get<{ url: string }>("/inbox");
  await api.post("/webhooks", { url, events: ["participant.added"] });
  await api.post("/consults", { ...(await oneToOne(api)), start_time: "2030-01-07T09:00" });
  const messages = async () => (await api.get<{ messages: unknown[] }>("/inbox")).messages;
  await waitFor("the webhook arrives", async () => (await messages()).length > 0);
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    (response) => response.ok,
    () => false,
  );
}

async function waitFor(what: string, condition: () => Promise<unknown>): Promise<void> {
  const giveUpAt = performance.now() + STEP_TIMEOUT_MS;
  while (!(await condition())) {
    if (performance.now() > giveUpAt) throw new Error(`waited in vain until ${what}`);
    await new Promise((fulfil) => setTimeout(fulfil, 20));
  }
}

/** /metrics as an operator's Prometheus reads it: of a whole server, after deliveries that went well and badly. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { createApp, type RunningApp } from "../app.ts";
import { type Config, ConfigError, readConfig } from "../config.ts";
import { freePort } from "../db/embedded/free-port.ts";
import { seedDemo } from "../demo/seed.ts";
import { OUTCOME_KINDS } from "../egress/outcome.ts";
import { createLog } from "../log.ts";
import { Metrics } from "./metrics.ts";
import { OTHER } from "./registry.ts";

const MARK = "Zqxcanary";
const PASSWORD = "zqxcanary password of the test";
const LINE = /^(hookwell_[a-z0-9_]+)(?:\{([^}]*)\})? (-?[0-9.e+-]+|\+Inf|NaN)$/;

let database: TestDatabase;
let receiver: Receiver;
let folder: string;
let port: number;
let app: RunningApp;
let cookie: string;
const logged: string[] = [];

beforeAll(async () => {
  [database, receiver, port] = await Promise.all([createTestDatabase(), createReceiver(), freePort("127.0.0.1")]);
  folder = await mkdtemp(join(tmpdir(), "hookwell-metrics-"));
  await writeFile(join(folder, "index.html"), "<!doctype html>");
  const env = {
    ...{ DATABASE_URL: database.url, HOOKWELL_DATA_FOLDER: folder, HOOKWELL_PORT: "0", HOOKWELL_INBOX_PORT: "0" },
    ...{ HOOKWELL_MASTER_KEY: randomBytes(32).toString("base64"), HOOKWELL_ALLOW_LOOPBACK: "true" },
    HOOKWELL_METRICS_PORT: String(port),
  };
  const log = createLog({ destination: { write: (line) => void logged.push(line) } });
  app = await createApp(readConfig(env), { log, pageFolder: folder });
  await seedDemo({ ...app, password: PASSWORD, replacePasswords: false });
  cookie = await signIn();
  await deliver();
}, 60_000);
afterAll(async () => {
  await app.stop();
  await receiver.close();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

function call(path: string, body?: object) {
  const headers: Record<string, string> = { origin: app.publicUrl, cookie: cookie ?? "" };
  if (body) headers["content-type"] = "application/json";
  return fetch(app.publicUrl + path, {
    method: body ? "POST" : "GET",
    headers,
    ...(body && { body: JSON.stringify(body) }),
  });
}

// biome-ignore lint/suspicious/noExplicitAny: a wrong path fails the assertion
async function json(path: string, body?: object): Promise<any> {
  return (await call(path, body)).json();
}

async function signIn(): Promise<string> {
  const answer = await call("/api/auth/sign-in/email", { email: "manager@example.test", password: PASSWORD });
  return answer.headers
    .getSetCookie()
    .map((text) => text.split(";")[0])
    .join("; ");
}

/** One that is taken, then one that is answered 500, with canaries in name, address, path and answer. */
async function deliver(): Promise<void> {
  const url = `${receiver.url}/${MARK}-address?key=${MARK}`;
  const recipient = { organisation: `${MARK} Partner`, country: "CA", purpose: "test", agreement_on_file: true };
  const webhook = {
    url,
    name: `${MARK} webhook`,
    events: ["participant.added"],
    include: { patient: "all" },
    recipient,
  };
  expect((await call("/v1/webhooks", webhook)).status).toBe(201);
  const patient = await json("/v1/patients", { name: `${MARK} Patient` });
  const [service] = (await json("/v1/services")).data;
  const [practitioner] = (await json("/v1/practitioners")).data;
  receiver.answer = (_request, response) => response.writeHead(receiver.received.length > 1 ? 500 : 200).end(MARK);
  for (const day of ["12", "13"]) {
    const consult = {
      ...{ service_id: service.id, practitioner_id: practitioner.id },
      ...{ start_time: `2026-11-${day}T09:00`, patient_ids: [patient.id] },
    };
    expect((await call("/v1/consults", consult)).status).toBe(201);
  }
  await call(`/v1/deliveries/${MARK}`);
  await call(`/${MARK}/nowhere`);
}

async function scrape(
  path = "/metrics",
  method = "GET",
): Promise<{ status: number; type: string | null; text: string }> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  return { status: answer.status, type: answer.headers.get("content-type"), text: await answer.text() };
}

async function figure(name: string): Promise<number> {
  const line = (await scrape()).text.split("\n").find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1));
}

describe("/metrics", () => {
  it("counts what became of deliveries and attempts, once they are written down", async () => {
    await until(
      "both attempts are counted",
      async () => (await figure("hookwell_attempt_duration_seconds_count")) === 2,
    );
    expect(await figure('hookwell_attempts_total{outcome="answered",status="2xx"}')).toBe(1);
    expect(await figure('hookwell_attempts_total{outcome="answered",status="5xx"}')).toBe(1);
    expect(await figure('hookwell_deliveries_ended_total{state="delivered"}')).toBe(1);
    expect(await figure('hookwell_deliveries_ended_total{state="given_up"}')).toBe(0);
    expect(await figure('hookwell_attempt_duration_seconds_bucket{le="15"}')).toBe(2);
  });

  it("says how far behind the engine is, who lives, what is parked, and what waits", async () => {
    expect(await figure("hookwell_database_up")).toBe(1);
    expect(await figure("hookwell_nodes_alive")).toBe(1);
    for (const name of ["webhooks_parked", "sending_pauses", "letters_waiting", "notices_waiting"])
      expect([name, await figure(`hookwell_${name}`)]).toEqual([name, 0]);
    await database.pools.owner.query("update runs set failing_since = now(), failures = 5, parked_at = now()");
    await until("the parked webhook is seen", async () => (await figure("hookwell_webhooks_parked")) === 1);
    expect(await figure("hookwell_process_resident_memory_bytes")).toBeGreaterThan(10_000_000);
    expect(await figure("hookwell_event_loop_delay_p99_seconds")).toBeGreaterThanOrEqual(0);
    expect((await scrape()).text).toMatch(/^hookwell_pool_connections\{pool="engine"\} [1-4]$/m);
    expect((await scrape()).text).toMatch(/^hookwell_build_info\{version="[\d.]+",node="v[\d.]+",role="all"\} 1$/m);
  });

  it("names routes by their pattern, and what is no route by one word", async () => {
    expect(await figure('hookwell_http_requests_total{method="POST",route="/v1/consults",status="201"}')).toBe(2);
    expect(await figure('hookwell_http_requests_total{method="GET",route="/v1/deliveries/:id",status="404"}')).toBe(1);
    expect(await figure("hookwell_http_request_duration_seconds_count")).toBeGreaterThan(5);
  });

  it("is in the text format of Prometheus, and holds no name, address, host or id of a clinic", async () => {
    const { status, type, text } = await scrape();
    expect([status, type]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
    const lines = text.trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(60);
    expect(lines.filter((line) => !/^# (HELP|TYPE) hookwell_/.test(line) && !LINE.test(line))).toEqual([]);
    const labels = new Set(
      lines.flatMap((line) => [...(LINE.exec(line)?.[2] ?? "").matchAll(/(\w+)="/g)].map(([, name]) => name)),
    );
    const closed = ["outcome", "status", "state", "le", "method", "route", "pool", "version", "node", "role"];
    expect([...labels].filter((label) => !closed.includes(label ?? ""))).toEqual([]);
    for (const secret of [MARK, "127.0.0.1", "localhost", "example.test", "Example Physio"])
      expect(text.toLowerCase()).not.toContain(secret.toLowerCase());
  });

  it("is on its own port alone, which has nothing else", async () => {
    expect((await call("/metrics")).headers.get("content-type")).not.toContain("text/plain");
    expect((await scrape("/v1/me")).status).toBe(404);
    expect((await scrape("/")).status).toBe(404);
    expect((await scrape("/metrics", "POST")).status).toBe(405);
    expect(logged.some((line) => line.includes('"metrics.started"') && line.includes(`"port":${port}`))).toBe(true);
  });

  it("answers while the database does not", async () => {
    const { owner } = database.pools;
    await owner.query("alter table runs rename to runs_hidden");
    try {
      await until("the database is said to be down", async () => (await figure("hookwell_database_up")) === 0);
      expect((await scrape()).text).not.toContain("hookwell_nodes_alive");
      expect(await figure("hookwell_attempt_duration_seconds_count")).toBeGreaterThanOrEqual(2);
    } finally {
      await owner.query("alter table runs_hidden rename to runs");
    }
  });
});

describe("labels", () => {
  it("come from closed sets: whatever else is counted is counted as other", () => {
    const metrics = new Metrics({ role: "all", outcomes: OUTCOME_KINDS, pools: () => [], lettersWaiting: () => 0 });
    metrics.knowRoutes(["/v1/me"]);
    metrics.attempted({ outcome: `${MARK} outcome`, status: 200, durationMs: 5, ended: MARK });
    metrics.answered({ method: MARK, route: `/v1/patients/${MARK}`, status: 1_000_000, durationMs: 5 });
    metrics.answered({ method: "GET", route: "/v1/me", status: 200, durationMs: 5 });
    const text = metrics.text(null);
    metrics.stop();
    expect(text).not.toContain(MARK);
    expect(text).toContain(`hookwell_http_requests_total{method="${OTHER}",route="${OTHER}",status="${OTHER}"} 1`);
    expect(text).toContain('hookwell_http_requests_total{method="GET",route="/v1/me",status="200"} 1');
    expect(text).toContain(`hookwell_attempts_total{outcome="${OTHER}",status="2xx"} 1`);
  });
});

describe("what the database says", () => {
  it("is shown as it is, and left out while it says nothing", () => {
    const metrics = new Metrics({ role: "all", outcomes: OUTCOME_KINDS, pools: () => [], lettersWaiting: () => 7 });
    const ages = { snapshotSeconds: 12, snapshotTransactions: 3, dueSeconds: 301.5 };
    const text = metrics.text({ ages, figures: { liveNodes: 2, parkedWebhooks: 3, pauses: 4, noticesWaiting: 5 } });
    for (const line of ["database_up 1", "due_oldest_seconds 301.5", "snapshot_oldest_seconds 12", "nodes_alive 2"])
      expect(text).toContain(`\nhookwell_${line}\n`);
    for (const line of ["webhooks_parked 3", "sending_pauses 4", "notices_waiting 5", "letters_waiting 7"])
      expect(text).toContain(`\nhookwell_${line}\n`);
    expect(metrics.text(null)).not.toContain("hookwell_due_oldest_seconds");
    metrics.stop();
  });
});

describe("the port", () => {
  const metricsOf = (env: Record<string, string>): Config["metrics"] => readConfig(env).metrics;

  it("is shut unless it is asked for, and on this machine alone unless a host is named", () => {
    expect(metricsOf({})).toBeUndefined();
    expect(metricsOf({ HOOKWELL_METRICS_PORT: "9464" })).toEqual({ host: "127.0.0.1", port: 9464 });
    const host = { HOOKWELL_METRICS_PORT: "9464", HOOKWELL_METRICS_HOST: "10.0.0.7" };
    expect(metricsOf(host)).toEqual({ host: "10.0.0.7", port: 9464 });
  });

  it("is not the API's, nor the test inbox's", () => {
    for (const taken of ["4400", "4401"])
      expect(() => metricsOf({ HOOKWELL_METRICS_PORT: taken })).toThrow(ConfigError);
  });
});

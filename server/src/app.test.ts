/** Everything together as `serve` starts it: real listeners, the dispatcher, the test inbox, the page, a graceful stop. */
import { createSecretKey, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../test/database.ts";
import { until } from "../test/until.ts";
import { createApp, type RunningApp } from "./app.ts";
import { type Config, ConfigError } from "./config.ts";
import { DEMO_MANAGER_EMAIL, seedDemo } from "./demo/seed.ts";
import { silentLog } from "./log.ts";

const MASTER_KEY = createSecretKey(randomBytes(32));
const PASSWORD = "a password for the test";
const PAGE = '<!doctype html><meta name="csp-nonce" content="__CSP_NONCE__"><script src="/assets/a-1.js"></script>';

let database: TestDatabase;
let folder: string;
let app: RunningApp;
let cookie: string;

function configOf(changed: Partial<Config> = {}): Config {
  return {
    databaseUrl: database.url,
    dataFolder: folder,
    host: "127.0.0.1",
    port: 0,
    publicUrl: "http://localhost:0",
    inboxPort: 0,
    masterKey: { from: "environment", keys: [MASTER_KEY] },
    authSecret: undefined,
    allowLoopback: false,
    operatorKey: undefined,
    allowed: { networks: [], ports: [], httpHosts: [] },
    role: "all",
    hostPacePerSecond: 1_000,
    retentionDays: 30,
    mail: undefined,
    ...changed,
  };
}

beforeAll(async () => {
  database = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), "hookwell-app-"));
  await mkdir(join(folder, "page/assets"), { recursive: true });
  await writeFile(join(folder, "page/index.html"), PAGE);
  await writeFile(join(folder, "page/assets/a-1.js"), "export {};");
  await writeFile(join(folder, "page/.built-from"), "secret of the builder");
  app = await createApp(configOf(), { log: silentLog(), pageFolder: join(folder, "page") });
  await seedDemo({ ...app, password: PASSWORD, replacePasswords: false });
  cookie = await signIn();
});
afterAll(async () => {
  await app.stop();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

async function signIn(password = PASSWORD): Promise<string> {
  const answer = await request("/api/auth/sign-in/email", { body: { email: DEMO_MANAGER_EMAIL, password } });
  if (!answer.ok) throw new Error(`signing in answered ${answer.status}`);
  return answer.headers
    .getSetCookie()
    .map((text) => text.split(";")[0])
    .join("; ");
}

function request(
  path: string,
  { body, method = body ? "POST" : "GET", accept }: { body?: object; method?: string; accept?: string } = {},
) {
  const headers: Record<string, string> = { origin: app.publicUrl, cookie: cookie ?? "" };
  if (body) headers["content-type"] = "application/json";
  if (accept) headers.accept = accept;
  return fetch(app.publicUrl + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
}

// biome-ignore lint/suspicious/noExplicitAny: tests read into answers freely, and a wrong path fails the assertion
async function json(path: string, body?: object): Promise<any> {
  return (await request(path, body ? { body } : {})).json();
}

describe("the first journey", () => {
  it("ends with a signed message in the test inbox, which verifies it", async () => {
    const { url, messages } = await json("/v1/inbox");
    expect(messages).toEqual([]);
    expect(await json("/v1/webhooks/check-url", { url })).toMatchObject({ ok: true });
    const recipient = { organisation: "Test inbox", country: "CA", purpose: "trying", agreement_on_file: false };
    const webhook = await json("/v1/webhooks", {
      url,
      events: ["participant.added"],
      include: { patient: "all" },
      recipient,
    });
    const test = await json(`/v1/webhooks/${webhook.id}/test`, { event: "participant.added" });
    expect(test.result).toMatchObject({ kind: "answered", status: 200 });

    const [service] = (await json("/v1/services")).data.filter(({ kind }: { kind: string }) => kind === "class");
    const [practitioner] = (await json("/v1/practitioners")).data;
    const patients = (await json("/v1/patients")).data.slice(0, 3).map(({ id }: { id: number }) => id);
    await json("/v1/consults", {
      service_id: service.id,
      practitioner_id: practitioner.id,
      start_time: "2026-11-28T09:00",
      patient_ids: patients,
    });
    const arrived = await until("two messages arrived", async () => {
      const inbox = await json("/v1/inbox");
      return inbox.messages.length === 2 && inbox.messages;
    });
    expect(arrived[1]).toMatchObject({
      test: true,
      signature: { verified: true, reason: null, webhook_id: webhook.id },
    });
    expect(arrived[0]).toMatchObject({ test: false, event: "participant.added", signature: { verified: true } });
    expect(JSON.parse(arrived[0].body)).toHaveLength(3);
    await until(
      "it is settled",
      async () => (await json(`/v1/deliveries/${arrived[0].delivery_id}`)).state === "delivered",
    );
  });

  it("tells a message that nobody of ours signed from one that was altered", async () => {
    const { url, messages } = await json("/v1/inbox");
    const genuine = messages[0];
    const forge = (headers: Record<string, string>, body: string) => fetch(url, { method: "POST", headers, body });
    const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature } = genuine.headers;
    const signed = { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature };
    await forge({}, "hello");
    await forge(signed, genuine.body.replace("Test", "Fake"));
    await forge({ ...signed, "webhook-id": `${id.slice(0, -1)}999` }, genuine.body);
    const [unknown, altered, unsigned] = (await json("/v1/inbox")).messages;
    expect(unsigned).toMatchObject({
      event: null,
      body: "hello",
      signature: { verified: false, reason: "no-signature" },
    });
    expect(altered.signature).toMatchObject({ verified: false, reason: "mismatch" });
    expect(unknown.signature).toMatchObject({ verified: false, reason: "unknown-webhook" });
  });

  it("stays verified in the inbox when the secret has retired and the webhook is deleted", async () => {
    const verified = async () =>
      (await json("/v1/inbox")).messages.map(
        ({ signature }: { signature: { reason: string | null } }) => signature.reason,
      );
    const before = await verified();
    expect(before.filter((reason: string | null) => reason === null)).toHaveLength(2);
    const [{ id }] = (await json("/v1/webhooks")).data;
    await json(`/v1/webhooks/${id}/rotate-secret`, {});
    await database.pools.owner.query("update webhook_secrets set retires_at = now() where retires_at is not null");
    expect(await verified()).toEqual(before);
    await request(`/v1/webhooks/${id}`, { method: "DELETE" });
    expect(await verified()).toEqual(before);
  });

  it("leaves an inbox that can be emptied, and that nobody finds without its token", async () => {
    const { url } = await json("/v1/inbox");
    const wrong = await fetch(url.slice(0, -1) + (url.endsWith("A") ? "B" : "A"), { method: "POST", body: "{}" });
    expect(wrong.status).toBe(404);
    expect((await fetch(url)).status).toBe(404);
    expect((await fetch(url, { method: "POST", body: "x".repeat(256 * 1_024 + 1) })).status).toBe(413);
    expect((await request("/v1/inbox", { method: "DELETE" })).status).toBe(200);
    expect((await json("/v1/inbox")).messages).toEqual([]);
    const { rows } = await database.pools.owner.query("select count(*)::int as n from inbox_messages");
    expect(rows[0].n).toBe(0);
  });
});

describe("the page", () => {
  it("is one document for every address of a browser, with the nonce of this very response", async () => {
    for (const path of ["/", "/consults/export/webhooks"]) {
      const answer = await request(path, { accept: "text/html" });
      const nonce = /nonce-([^']+)'/.exec(answer.headers.get("content-security-policy") ?? "")?.[1];
      expect(answer.headers.get("cache-control")).toBe("no-store");
      expect(await answer.text()).toBe(PAGE.replace("__CSP_NONCE__", nonce ?? "missing"));
    }
  });

  it("keeps hashed files for a year, and shows nothing that is not part of it", async () => {
    const script = await request("/assets/a-1.js");
    expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(script.headers.get("content-type")).toMatch(/javascript/);
    for (const path of [
      "/assets/gone.js",
      "/v1/nothing",
      "/api/auth/nothing",
      "/.well-known/nothing",
      "/%2e%2e/package.json",
    ]) {
      expect((await request(path, { accept: "application/json" })).status, path).toBe(404);
    }
    for (const path of ["/v1/nothing", "/assets/gone.js", "/operator/v1/sending"]) {
      expect((await request(path, { accept: "text/html" })).status, path).toBe(404);
    }
    expect(await (await request("/.built-from", { accept: "text/html" })).text()).not.toContain("secret");
  });
});

describe("health", () => {
  it("is ready, and says aloud where loopback is open", async () => {
    expect(await json("/livez")).toEqual({ live: true });
    expect(await json("/readyz")).toEqual({ ready: true });
    const open = await createApp(configOf({ allowLoopback: true, role: "worker" }), { log: silentLog() });
    try {
      const answer = await fetch(`${open.publicUrl}/readyz`);
      expect(await answer.json()).toEqual({ ready: true, allow_loopback: true });
      expect((await fetch(`${open.publicUrl}/v1/me`)).status).toBe(404);
    } finally {
      await open.stop();
    }
  });
});

describe("what the clinic does by itself", () => {
  it("is done by the running server: a card that is mended is asked again at once", async () => {
    const [plan] = (await json("/v1/membership-plans")).data;
    const [patient] = (await json("/v1/patients")).data;
    const wanted = { plan_id: plan.id, client_id: patient.id, payment_source: "practice_card_declined" };
    const { id, state } = await json("/v1/memberships", wanted);
    expect(state).toBe("pending");
    await json(`/v1/memberships/${id}/payment-source`, { payment_source: "practice_card" });
    await until("it is paid", async () => (await json(`/v1/memberships/${id}`)).state === "active");
  });
});

describe("the demo's seed", () => {
  it("may run again and changes nothing", async () => {
    const count = async () =>
      (
        await database.pools.owner.query(
          "select (select count(*) from clinics) c, (select count(*) from staff) s, (select count(*) from consults) n",
        )
      ).rows;
    const before = await count();
    await seedDemo({ ...app, password: "another password", replacePasswords: false });
    expect(await count()).toEqual(before);
    await expect(signIn()).resolves.toContain("hookwell.session_token");
  });

  it("with a new password gives it to the people who exist, and ends their sessions", async () => {
    await seedDemo({ ...app, password: "the new password", replacePasswords: true });
    expect((await request("/v1/me")).status).toBe(401);
    cookie = await signIn("the new password");
    expect((await request("/v1/me")).status).toBe(200);
  });
});

describe("the master key", () => {
  it("that does not open what the database holds is refused at the start, with what to do", async () => {
    const masterKey = { from: "environment", keys: [createSecretKey(randomBytes(32))] } as const;
    const refused = createApp(configOf({ masterKey }), { log: silentLog() });
    await expect(refused).rejects.toThrow(ConfigError);
    await expect(refused).rejects.toThrow(/^The master key does not open .* HOOKWELL_MASTER_KEY_FILE\.$/);
  });
});

describe("stopping", () => {
  it("closes everything, also where a start failed half-way", async () => {
    const taken = createServer();
    await new Promise<void>((done) => taken.listen(0, "127.0.0.1", done));
    const { port } = taken.address() as { port: number };
    const failing = createApp(configOf({ port, publicUrl: "http://localhost" }), { log: silentLog() });
    await expect(failing).rejects.toMatchObject({ code: "EADDRINUSE" });
    taken.close();
    const connections =
      "select count(*)::int as n from pg_stat_activity where datname = current_database() and application_name like 'hookwell%'";
    const before = (await database.pools.owner.query(connections)).rows[0].n;
    const third = await createApp(configOf(), { log: silentLog() });
    await Promise.all([third.stop(), third.stop()]);
    await expect(fetch(`${third.publicUrl}/livez`)).rejects.toThrow();
    await until(
      "its connections are gone",
      async () => (await database.pools.owner.query(connections)).rows[0].n <= before,
    );
  });
});

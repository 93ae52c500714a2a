/** API keys: who makes them, what they open, and that nothing of them is left where it could be read. */
import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Caller, startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";
import { refusalOf } from "../../test/refusal.ts";
import { until } from "../../test/until.ts";
import { createAccounts } from "../accounts/accounts.ts";
import { createApiKey } from "../accounts/api-keys.ts";
import { systemClock } from "../clock.ts";
import { inClinic } from "../db/pool.ts";
import type { Tx } from "../db/schema.ts";
import { createLog } from "../log.ts";

let api: TestApi;
let clinic: TestClinic;
let manager: Caller;
let logged = "";
/** Time that the cache of keys goes by; moved by hand. */
let aheadMs = 0;

beforeAll(async () => {
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged += chunk.toString("utf8");
      done();
    },
  });
  const log = createLog({ destination, level: "debug" });
  const monotonicMs = () => systemClock.monotonicMs() + aheadMs;
  api = await startTestApi({ log, clock: { ...systemClock, monotonicMs } });
  clinic = await api.newClinic();
  manager = clinic.as.manager;
});
afterAll(() => api.close());

const create = (name = "Relay", caller = manager) =>
  caller("/v1/api-keys", { method: "POST", body: { name, scopes: ["feed"] } });
const withKey = (key: string, path: string, method: "GET" | "POST" = "GET") =>
  api.anonymous(path, {
    method,
    headers: { authorization: `Bearer ${key}` },
    ...(method === "POST" ? { body: {} } : {}),
  });
const query = async (text: string) => (await api.database.pools.owner.query(text)).rows;

describe("an API key", () => {
  it("is shown once, is long enough, and is kept as its hash alone", async () => {
    const { status, json } = await create();
    expect(status).toBe(201);
    expect(json.key).toMatch(/^hk_[A-Za-z0-9_-]{49}$/);
    const list = (await manager("/v1/api-keys")).json.data;
    expect(list[0]).toEqual({
      ...{ id: json.id, name: "Relay", scopes: ["feed"], webhook_id: null, prefix: json.key.slice(0, 9) },
      ...{ created_at: json.created_at, last_used_at: null, expires_at: null, embed_origins: null },
    });
    const rows = JSON.stringify([await query("select * from api_keys"), await query("select * from audit")]);
    expect(rows).toContain(json.prefix);
    expect(rows).not.toContain(json.key.slice(9));
  });

  it("opens what its scope names, and nothing else: 403 elsewhere, for a manager's routes too", async () => {
    const { key } = (await create()).json;
    expect((await withKey(key, "/v1/events", "POST")).status).toBe(400);
    for (const path of ["/v1/me", "/v1/consults", "/v1/patients", "/v1/webhooks", "/v1/api-keys", "/v1/events"]) {
      const answer = await withKey(key, path);
      expect([path, answer.status, answer.json.code]).toEqual([path, 403, "wrong_scope"]);
    }
    expect((await withKey(key, "/v1/api-keys", "POST")).status).toBe(403);
    expect((await withKey(key, "/v1/consults", "POST")).status).toBe(403);
  });

  it("that is unknown, mistyped or no key at all is 401, even beside a good cookie", async () => {
    const { key } = (await create()).json;
    const mistyped = key.slice(0, -8) + (key.at(-8) === "A" ? "B" : "A") + key.slice(-7);
    const unknown = `hk_${"A".repeat(49)}`;
    for (const bad of [mistyped, unknown, "nonsense", ""]) {
      const answer = await withKey(bad, "/v1/events", "POST");
      expect([answer.status, answer.json.code]).toEqual([401, "unknown_api_key"]);
    }
    const beside = await manager("/v1/me", { headers: { authorization: `Bearer ${mistyped}` } });
    expect(beside.status).toBe(401);
  });

  it("is told once: the answer that an Idempotency-Key brings again is without it, and it is kept nowhere", async () => {
    const call = { method: "POST", headers: { "idempotency-key": "one-key" } } as const;
    const body = { name: "Told once", scopes: ["feed"] };
    const first = await manager("/v1/api-keys", { ...call, body });
    const again = await manager("/v1/api-keys", { ...call, body });
    const { key, ...shown } = first.json;
    expect(key).toMatch(/^hk_/);
    expect([again.status, again.headers["idempotency-replayed"]]).toEqual([201, "true"]);
    expect(again.json).toEqual(shown);
  });

  it("opens nothing after its last moment, when it has one", async () => {
    const expiring = (expires_at: string) =>
      manager("/v1/api-keys", { method: "POST", body: { name: "For a while", scopes: ["feed"], expires_at } });
    for (const bad of ["tomorrow", "2020-01-01T00:00:00Z"]) {
      const refused = await expiring(bad);
      expect([refused.status, refused.json.errors[0].field]).toEqual([400, "expires_at"]);
    }
    const { id, key, expires_at } = (await expiring("2100-01-01T00:00:00Z")).json;
    expect(Temporal.Instant.from(expires_at).toString()).toBe("2100-01-01T00:00:00Z");
    expect((await withKey(key, "/v1/events", "POST")).status).toBe(400);
    await query(`update api_keys set expires_at = now() where id = ${id}`);
    aheadMs += 1_000;
    expect((await withKey(key, "/v1/events", "POST")).status).toBe(401);
    const listed = (await manager("/v1/api-keys")).json.data.map((one: { id: number }) => one.id);
    expect(listed).not.toContain(id);
  });

  it("that was revoked opens nothing at once where that was asked, and within a second on any other node", async () => {
    const here = (await create()).json;
    expect((await withKey(here.key, "/v1/events", "POST")).status).toBe(400);
    await manager(`/v1/api-keys/${here.id}`, { method: "DELETE" });
    expect((await withKey(here.key, "/v1/events", "POST")).status).toBe(401);
    const elsewhere = (await create()).json;
    expect((await withKey(elsewhere.key, "/v1/events", "POST")).status).toBe(400);
    await query(`update api_keys set revoked_at = now() where id = ${elsewhere.id}`);
    aheadMs += 1_000;
    expect((await withKey(elsewhere.key, "/v1/events", "POST")).status).toBe(401);
  });

  it("that one node revokes is refused by another node within a second, although that one had just let it in", async () => {
    const { db, log, secret, publicUrl } = { ...api, ...api.context };
    let nowMs = 0;
    const authPool = api.database.pools.auth;
    const other = createAccounts({ db, authPool, secret, publicUrl, log, mail: null, monotonicMs: () => nowMs });
    const { id, key } = (await create()).json;
    const asks = async () => (await other.authenticate({ authorization: `Bearer ${key}` }))?.userId ?? null;
    expect(await asks()).toBe(`api_key:${id}`);
    expect((await manager(`/v1/api-keys/${id}`, { method: "DELETE" })).status).toBe(204);
    nowMs += 1_000;
    expect(await asks()).toBeNull();
    await other.close();
  });

  it("notes its use to the minute, and is revoked once", async () => {
    const { id, key } = (await create()).json;
    expect((await withKey(key, "/v1/events", "POST")).status).toBe(400);
    const shown = (await manager("/v1/api-keys")).json.data.find((one: { id: number }) => one.id === id);
    expect(Date.parse(shown.last_used_at)).toBeGreaterThanOrEqual(Date.parse(shown.created_at));
    expect((await manager(`/v1/api-keys/${id}`, { method: "DELETE" })).status).toBe(204);
    expect((await manager(`/v1/api-keys/${id}`, { method: "DELETE" })).status).toBe(404);
  });

  it("belongs to its clinic: another clinic's manager neither sees nor revokes it", async () => {
    const { id, key } = (await create("Not yours")).json;
    const stranger = (await api.newClinic()).as.manager;
    expect((await stranger("/v1/api-keys")).json.data).toEqual([]);
    expect((await stranger(`/v1/api-keys/${id}`, { method: "DELETE" })).status).toBe(404);
    expect((await withKey(key, "/v1/events", "POST")).status).toBe(400);
  });

  it("is on record: who made it and who revoked it", async () => {
    const { id } = (await create("On record")).json;
    await manager(`/v1/api-keys/${id}`, { method: "DELETE" });
    const entries = await query(`select action, before, after from audit where target = 'api_key:${id}' order by id`);
    expect(entries.map(({ action }) => action)).toEqual(["api_key.created", "api_key.revoked"]);
    expect(JSON.parse(entries[0].after)).toMatchObject({ name: "On record", scopes: ["feed"] });
  });

  it("needs a name and a known scope, and there are at most 50 of them", async () => {
    const bad = await manager("/v1/api-keys", { method: "POST", body: { name: " ", scopes: ["feed"] } });
    expect([bad.status, bad.json.errors[0].field]).toEqual([400, "name"]);
    const scope = await manager("/v1/api-keys", { method: "POST", body: { name: "A", scopes: ["all"] } });
    expect([scope.status, scope.json.errors[0].field]).toEqual([400, "scopes.0"]);
    const busy = (await api.newClinic()).as.manager;
    for (let n = 0; n < 49; n += 1) expect((await create(`Key ${n}`, busy)).status).toBe(201);
    expect((await create("Number 50", busy)).status).toBe(201);
    expect((await create("One more", busy)).json.code).toBe("too_many_api_keys");
  });

  it("that is made while another one is being made counts it", async () => {
    const { id: clinicId } = await api.newClinic();
    const key = { clinicId, actor: "u-1", name: "Relay", scopes: ["feed"] } as const;
    const inTransaction = <Result>(work: (tx: Tx) => Promise<Result>) => inClinic(api.db, clinicId, work);
    let second: Promise<string> | undefined;
    await inTransaction(async (tx) => {
      for (let n = 0; n < 50; n += 1) await createApiKey(tx, key);
      let hasEnded = false;
      second = refusalOf(() => inTransaction((other) => createApiKey(other, key))).then(({ code }) => code);
      second = second.finally(() => {
        hasEnded = true;
      });
      second.catch(() => "looked at below");
      const waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
      await until("the other one waits, or is through", async () => hasEnded || (await query(waiting)).length > 0);
    });
    expect(await second).toBe("too_many_api_keys");
  });

  it("is in no line of the log", async () => {
    const { key } = (await create()).json;
    await withKey(key, "/v1/events", "POST");
    await withKey(key.toUpperCase(), "/v1/events", "POST");
    expect(logged).toContain("POST /v1/events");
    expect(logged.toLowerCase()).not.toContain(key.slice(3, 20).toLowerCase());
    expect(logged).not.toMatch(/hk_|Bearer/);
  });
});

/**
 * Who signs what, and until when: secrets and key pairs through the API, signed with by the real engine, checked as a receiver
 * would with what he was given.
 */
import { type Secrets, sampleFacts, verify } from "@hookwell/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Caller, startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";
import { LOOPBACK } from "../../test/egress.ts";
import { createReceiver, type Received, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { systemClock } from "../clock.ts";
import { createKysely, inClinic } from "../db/pool.ts";
import { Dispatcher } from "../delivery/dispatcher.ts";
import { DeliveryStore } from "../delivery/store.ts";
import { createEgress, type Egress } from "../egress/client.ts";
import { silentLog } from "../log.ts";
import { emit } from "../outbox/emit.ts";
import { LOOKS_PER_MINUTE_MAX } from "./public-keys.ts";

const BOTH = ["v1", "v1a"];

let api: TestApi;
let clinic: TestClinic;
let manager: Caller;
let receiver: Receiver;
let egress: Egress;
let dispatcher: Dispatcher;
/** Added to the dispatcher's monotonic clock: so much time has gone by for it. */
let passedMs = 0;

beforeAll(async () => {
  api = await startTestApi({ allowLoopback: true });
  clinic = await api.newClinic();
  manager = clinic.as.manager;
  receiver = await createReceiver();
  egress = createEgress({ rules: LOOPBACK, monotonicMs: systemClock.monotonicMs });
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + passedMs };
  const { dispatch } = api.database.pools;
  const parts = { store: new DeliveryStore(dispatch), db: createKysely(dispatch), seal: api.context.seal };
  dispatcher = new Dispatcher({ ...parts, egress, clock, log: silentLog(), name: "test" });
  await dispatcher.start();
});
afterAll(async () => {
  await dispatcher.stop();
  await egress.close();
  await receiver.close();
  await api.close();
});

interface Key {
  public_key: string;
  valid_from: string;
  valid_until: string | null;
}

async function created(body: object = {}) {
  const whole = { url: receiver.url, events: ["consult.updated"], ...body };
  const answer = await manager("/v1/webhooks", { method: "POST", body: whole });
  if (answer.status !== 201) throw new Error(`creating answered ${answer.status}: ${answer.text}`);
  return answer.json as { id: number; secret: string; signatures: string[]; version: number };
}
const patch = (id: number, body: object) => manager(`/v1/webhooks/${id}`, { method: "PATCH", body });
const remove = (id: number) => manager(`/v1/webhooks/${id}`, { method: "DELETE" });
const rotate = (id: number) => manager(`/v1/webhooks/${id}/rotate-secret`, { method: "POST", body: {} });
const revoke = (id: number) => manager(`/v1/webhooks/${id}/revoke-previous-secret`, { method: "POST", body: {} });
const keysOf = async (id: number): Promise<{ url: string | null; keys: Key[] }> =>
  (await manager(`/v1/webhooks/${id}/public-keys`)).json;
const currentKey = async (id: number) =>
  (await keysOf(id)).keys.find((key) => key.valid_until === null)?.public_key ?? "";
const query = async (text: string) => (await api.database.pools.owner.query(text)).rows;

/** Something happens at the clinic; returns what arrived. */
async function delivery(): Promise<Received> {
  const before = receiver.received.length;
  const { db, outbox } = api.context;
  const facts = sampleFacts("consult.updated");
  await inClinic(db, clinic.id, (tx) => emit(outbox, tx, { clinicId: clinic.id, subject: "consult:1", facts }));
  dispatcher.nudge();
  return until("it arrives", () => receiver.received[before]);
}

const versionsOf = ({ headers }: Received) =>
  String(headers["webhook-signature"])
    .split(" ")
    .map((entry) => entry.split(",")[0]);

/** Which of them a receiver could check the message with, each alone. */
async function fits({ headers, body }: Received, each: readonly Secrets[]): Promise<string[]> {
  const nowSeconds = Date.now() / 1_000;
  const all = await Promise.all(each.map((secrets) => verify({ headers, body, secrets, nowSeconds })));
  return all.map((verification) => (verification.ok ? "ok" : verification.reason));
}

describe("a signature by key pair", () => {
  it("is made only where it was asked for, beside the other one, and fits the published public key", async () => {
    const { id, secret, signatures } = await created();
    expect(signatures).toEqual(["v1"]);
    expect(versionsOf(await delivery())).toEqual(["v1"]);
    expect(await keysOf(id)).toEqual({ url: null, keys: [] });

    expect((await patch(id, { signatures: BOTH })).json.signatures).toEqual(BOTH);
    const { url, keys } = await keysOf(id);
    expect(keys).toMatchObject([{ public_key: expect.stringMatching(/^whpk_/), valid_until: null }]);
    const arrived = await delivery();
    expect(versionsOf(arrived)).toEqual(["v1", "v1a"]);
    expect(await fits(arrived, [secret, keys[0]?.public_key ?? ""])).toEqual(["ok", "ok"]);
    const fetched = await api.anonymous(new URL(url ?? "").pathname);
    expect(fetched.json.keys).toMatchObject([{ public_key: keys[0]?.public_key, valid_until: null }]);

    expect((await patch(id, { signatures: ["v1"] })).json.signatures).toEqual(["v1"]);
    expect(versionsOf(await delivery())).toEqual(["v1"]);
    await remove(id);
  });

  it("goes with a test send of a draft, too, and the key stays the same when that is saved", async () => {
    const { id } = await created({ draft: true, signatures: BOTH });
    const key = await currentKey(id);
    await manager(`/v1/webhooks/${id}/test`, { method: "POST", body: { event: "consult.updated" } });
    expect(await fits(receiver.received.at(-1) as Received, [key])).toEqual(["ok"]);
    expect((await patch(id, { draft: false })).json.signatures).toEqual(BOTH);
    expect(await currentKey(id)).toBe(key);
    await remove(id);
  });

  it("has its key destroyed when it is switched off; the address stays, for the next key", async () => {
    const { id } = await created({ signatures: BOTH });
    const before = await keysOf(id);
    const path = new URL(before.url ?? "").pathname;
    await patch(id, { signatures: ["v1"] });
    expect(await query(`select 1 from webhook_keys where webhook_id = ${id}`)).toEqual([]);
    expect((await api.anonymous(path)).status).toBe(404);
    await patch(id, { signatures: BOTH });
    const after = await keysOf(id);
    expect(after.url).toBe(before.url);
    expect(after.keys.map((key) => key.public_key)).not.toEqual(before.keys.map((key) => key.public_key));
    await remove(id);
    expect((await api.anonymous(path)).status).toBe(404);
    expect(await query("select 1 from webhook_keys")).toEqual([]);
  });

  it("is refused without v1, twice, or in another order, and changes nothing", async () => {
    const { id, version } = await created();
    for (const signatures of [[], ["v1a"], ["v1a", "v1"], ["v1", "v1"], ["v1", "v1a", "v1a"], "v1a"]) {
      const answer = await patch(id, { signatures });
      expect([answer.status, answer.json.errors[0].field]).toEqual([400, "signatures"]);
    }
    expect((await manager(`/v1/webhooks/${id}`)).json).toMatchObject({ signatures: ["v1"], version });
    await remove(id);
  });
});

describe("the private key", () => {
  it("stands nowhere in clear: not in the database, the audit, or any answer; and opens in its own row alone", async () => {
    const one = await created({ signatures: BOTH });
    const other = await created({ signatures: BOTH });
    const answers = [one, await rotate(one.id), await manager(`/v1/webhooks/${one.id}`), await keysOf(one.id)];
    expect(JSON.stringify(answers)).not.toContain("whsk_");
    const stored = await query("select k::text as row from webhook_keys k union all select a::text from audit a");
    const canaries = ["whsk_", Buffer.from("whsk_").toString("hex")];
    for (const { row } of stored) for (const canary of canaries) expect(row.includes(canary)).toBe(false);

    const seal = await inClinic(api.db, clinic.id, (tx) => api.context.seal.forClinic(tx, clinic.id));
    const [key] = await query(`select id, private_key from webhook_keys where webhook_id = ${other.id}`);
    const place = (row: string) => ({ column: "webhook_keys.private_key", row }) as const;
    expect(seal.open(place(`${other.id}/${key.id}`), key.private_key)).toMatch(/^whsk_/);
    expect(() => seal.open(place(`${one.id}/${key.id}`), key.private_key)).toThrow();
    const elsewhere = { column: "webhook_secrets.secret", row: `${other.id}/${key.id}` } as const;
    expect(() => seal.open(elsewhere, key.private_key)).toThrow();
    await remove(one.id);
    await remove(other.id);
  });
});

describe("public keys for everybody", () => {
  it("are found under their own address alone, may be kept for a while, and tell nothing of the clinic", async () => {
    const { id } = await created({ signatures: BOTH });
    const path = new URL((await keysOf(id)).url ?? "").pathname;
    const found = await api.anonymous(path);
    expect([found.status, found.headers["cache-control"]]).toEqual([200, "public, max-age=300"]);
    expect(Object.keys(found.json)).toEqual(["keys"]);
    expect(found.json.keys[0].valid_from).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const last = path.endsWith("A") ? "B" : "A";
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    for (const wrong of [path.slice(0, -1) + last, `${path}A`, `${folder}${id}`, folder, `${folder}%00`]) {
      const answer = await api.anonymous(wrong);
      expect([wrong, answer.status]).toEqual([wrong, 404]);
    }
    const stranger = await api.newClinic();
    expect((await stranger.as.manager(`/v1/webhooks/${id}/public-keys`)).status).toBe(404);
    await remove(id);
  });
});

describe("whoever asks for public keys too often", () => {
  it("is held back, by his own address alone", async () => {
    const ask = (remoteAddress: string) =>
      api.app.inject({ url: "/.well-known/hookwell/keys/guess", remoteAddress }).then((answer) => answer.statusCode);
    for (let asked = 0; asked < LOOKS_PER_MINUTE_MAX; asked++) expect(await ask("10.0.0.1")).toBe(404);
    expect([await ask("10.0.0.1"), await ask("10.0.0.2")]).toEqual([429, 404]);
  });
});

describe("a rotation", () => {
  it("has both secrets and both keys sign for a day; revoked, the next attempt is signed with the new ones alone", async () => {
    const { id, secret } = await created({ signatures: BOTH });
    const key = await currentKey(id);
    await delivery(); // the dispatcher knows the webhook from now on
    const rotated = (await rotate(id)).json;
    const { keys, url } = await keysOf(id);
    expect(keys).toMatchObject([
      { public_key: rotated.public_key, valid_until: null },
      { public_key: key, valid_until: rotated.previous_valid_until },
    ]);
    const each = [secret, rotated.secret, key, rotated.public_key];
    const during = await delivery();
    expect(versionsOf(during)).toEqual(["v1", "v1", "v1a", "v1a"]);
    expect(await fits(during, each)).toEqual(["ok", "ok", "ok", "ok"]);

    const shown = (await manager(`/v1/webhooks/${id}`)).json;
    expect(shown.previous_secret_valid_until).toBe(rotated.previous_valid_until);
    const revoked = await revoke(id);
    expect(revoked.json).toMatchObject({ id, previous_secret_valid_until: null, version: shown.version + 1 });
    const after = await delivery();
    expect(versionsOf(after)).toEqual(["v1", "v1a"]);
    expect(await fits(after, each)).toEqual(["mismatch", "ok", "mismatch", "ok"]);
    expect((await api.anonymous(new URL(url ?? "").pathname)).json.keys).toHaveLength(1);
    await remove(id);
  });

  it("cannot be revoked where none runs, twice, or when it is over by itself; a new one may follow at once", async () => {
    const { id } = await created();
    const refused = async () => {
      const answer = await revoke(id);
      return [answer.status, answer.json.code];
    };
    expect(await refused()).toEqual([409, "nothing_to_revoke"]);
    await rotate(id);
    expect((await revoke(id)).status).toBe(200);
    expect(await refused()).toEqual([409, "nothing_to_revoke"]);
    expect((await rotate(id)).status).toBe(200);
    await query(`update webhook_secrets set retires_at = now() where webhook_id = ${id} and retires_at is not null`);
    expect(await refused()).toEqual([409, "nothing_to_revoke"]);
    expect((await revoke(999_999)).status).toBe(404);
    await remove(id);
  });

  it("and its revocation are in the audit, without any secret", async () => {
    const { id } = await created({ signatures: BOTH });
    const rotated = (await rotate(id)).json;
    await revoke(id);
    const rows = await query(`select action, before, after from audit where target = 'webhook:${id}' order by id`);
    expect(rows.map(({ action }) => action)).toEqual([
      "webhook.created",
      "webhook.secret_rotated",
      "webhook.secret_revoked",
    ]);
    expect(JSON.parse(rows[0].after).signatures).toEqual(BOTH);
    expect(JSON.parse(rows[1].after).public_key).toBe(rotated.public_key);
    const until = Temporal.Instant.from(JSON.parse(rows[2].before).previous_valid_until);
    expect(until.since(rotated.previous_valid_until).total("seconds")).toBeLessThan(1);
    expect(JSON.stringify(rows)).not.toMatch(/whsec_|whsk_/);
    await remove(id);
  });

  it("that is over by its time is over for a dispatcher that has the webhook at hand, whatever its wall clock says", async () => {
    const { id, secret } = await created({ signatures: BOTH });
    const key = await currentKey(id);
    const rotated = (await rotate(id)).json;
    const each = [secret, rotated.secret, key, rotated.public_key];
    expect(await fits(await delivery(), each)).toEqual(["ok", "ok", "ok", "ok"]); // and now it is at hand
    const version = (await manager(`/v1/webhooks/${id}`)).json.version;
    for (const table of ["webhook_secrets", "webhook_keys"]) {
      await query(`update ${table} set retires_at = retires_at - interval '25 hours' where webhook_id = ${id}`);
    }
    passedMs += 25 * 3_600_000;
    expect(await fits(await delivery(), each)).toEqual(["mismatch", "ok", "mismatch", "ok"]);
    expect((await manager(`/v1/webhooks/${id}`)).json.version).toBe(version);
    await remove(id);
  });
});

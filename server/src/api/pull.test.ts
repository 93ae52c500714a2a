/** Pull through the API: with which credential, which bodies, and that it is written down who has read what. */
import type { ServerResponse } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Caller, startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { createKysely } from "../db/pool.ts";
import { Dispatcher } from "../delivery/dispatcher.ts";
import { DeliveryStore } from "../delivery/store.ts";
import { pauseSending, resumeSending } from "../operator/pauses.ts";

let api: TestApi;
let clinic: TestClinic;
let manager: Caller;
let receiver: Receiver;
let dispatcher: Dispatcher;
let webhookId: number;
let ids: People;

interface People {
  readonly service_id: number;
  readonly practitioner_id: number;
  readonly patient_ids: number[];
}

beforeAll(async () => {
  api = await startTestApi({ allowLoopback: true });
  clinic = await api.newClinic();
  manager = clinic.as.manager;
  receiver = await createReceiver();
  const { pools } = api.database;
  const { seal, clock, log } = api.context;
  const parts = { store: new DeliveryStore(pools.engine), db: createKysely(pools.dispatch) };
  // biome-ignore lint/suspicious/noExplicitAny: the context shows less of its egress than a dispatcher needs
  dispatcher = new Dispatcher({ ...parts, seal, clock, log, egress: api.context.egress as any, name: "test" });
  await dispatcher.start();
  ids = await people(manager);
  webhookId = await newWebhook();
  for (let n = 1; n <= 3; n++) await schedule(n);
});
afterAll(async () => {
  await dispatcher.stop();
  await receiver.close();
  await api.close();
});
afterEach(() => change({ enabled: true, include: { patient: "all" } }));

const post = (path: string, body: object, caller = manager) => caller(path, { method: "POST", body });
const change = (body: object) => manager(`/v1/webhooks/${webhookId}`, { method: "PATCH", body });
async function people(caller: Caller): Promise<People> {
  const idOf = async (path: string, body: object) => (await post(path, body, caller)).json.id as number;
  return {
    service_id: await idOf("/v1/services", { name: "Invented class", kind: "class", duration: 60 }),
    practitioner_id: await idOf("/v1/practitioners", { name: "Pat Pretend", email: "pat@example.test" }),
    patient_ids: [await idOf("/v1/patients", { name: "Test Patient", email: "patient@example.test" })],
  };
}
async function newWebhook(caller = manager, url = receiver.url): Promise<number> {
  const settings = {
    ...{ url, events: ["participant.added"], include: { patient: "all" } },
    recipient: { organisation: "Example Insurer", country: "CA", purpose: "claims", agreement_on_file: true },
  };
  return (await post("/v1/webhooks", settings, caller)).json.id;
}

async function schedule(sequence: number): Promise<void> {
  await post("/v1/consults", { ...ids, start_time: `2026-11-0${sequence}T09:00` });
  dispatcher.nudge();
  await until(
    "it is delivered",
    async () =>
      (await pull()).json.data.at(-1)?.state === "delivered" && (await pull()).json.highest_sequence === sequence,
  );
}

const pull = (query = "", caller = manager, webhook = webhookId) =>
  caller(`/v1/webhooks/${webhook}/deliveries${query}`);
const keyOf = async (body: object, caller = manager): Promise<string> =>
  (await post("/v1/api-keys", { name: "Test receiver", ...body }, caller)).json.key;
const withKey =
  (key: string): Caller =>
  (path, call = {}) =>
    api.anonymous(path, { ...call, headers: { authorization: `Bearer ${key}` } });

describe("pulling", () => {
  it("gives every number in its order with the very body that was sent, page by page, until the highest is reached", async () => {
    const sent = receiver.received.map(({ headers, body }) => [
      headers["webhook-sequence"],
      headers["webhook-id"],
      body,
    ]);
    const pages = [(await pull("?limit=2")).json, (await pull("?after=2&limit=2")).json];
    expect(pages.map(({ next_after, highest_sequence, not_kept }) => [next_after, highest_sequence, not_kept])).toEqual(
      [
        [2, 3, []],
        [3, 3, []],
      ],
    );
    const data = pages.flatMap((page) => page.data);
    expect(data.map(({ sequence, id, body }) => [String(sequence), id, body])).toEqual(sent);
    expect(data[0]).toMatchObject({
      ...{ event: "participant.added", subject_version: 1, state: "delivered", reason: null, attempts: 1 },
      ...{ content: "kept", next_attempt_at: null },
    });
    expect(data[0].created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-0[45]:00$/);
    expect((await pull("?after=3")).json).toEqual({ data: [], not_kept: [], next_after: 3, highest_sequence: 3 });
  });

  it("gives a body with less as soon as data is unticked, and none while the webhook is off or of what was erased or lost", async () => {
    const bodies = async () => (await pull()).json.data.map(({ content, body }: never) => [content, body]);
    expect(JSON.stringify(await bodies())).toContain("Test Patient");
    await change({ include: { patient: "off" } });
    const narrowed = await bodies();
    expect(narrowed.map(([content]: [string]) => content)).toEqual(["kept", "kept", "kept"]);
    expect(JSON.stringify(narrowed)).not.toContain("Test Patient");
    await change({ enabled: false });
    expect(await bodies()).toEqual(Array(3).fill(["withheld", null]));
    await change({ enabled: true });
    const { owner } = api.database.pools;
    const at = (sequence: number) => `webhook_id = ${webhookId} and sequence = ${sequence}`;
    await owner.query(`update finished_deliveries set state = 'cancelled', reason = 'erased' where ${at(1)}`);
    await owner.query(
      `create table lost as select * from events where id = (select event_id from finished_deliveries where ${at(2)})`,
    );
    await owner.query("delete from events where id in (select id from lost)");
    const [erased, gone, kept] = (await pull()).json.data;
    expect(erased).toMatchObject({
      sequence: 1,
      state: "cancelled",
      reason: "erased",
      content: "withheld",
      body: null,
    });
    expect(gone).toMatchObject({
      sequence: 2,
      state: "delivered",
      content: "gone",
      event: null,
      subject: null,
      body: null,
    });
    expect(kept).toMatchObject({ sequence: 3, content: "kept" });
    await owner.query("insert into events select * from lost");
    await owner.query(`update finished_deliveries set state = 'delivered', reason = null where ${at(1)}`);
    await owner.query("drop table lost");
  });

  it("is for managers, and for a key of this scope that was made for this webhook; to it nothing else is there", async () => {
    const key = withKey(await keyOf({ scopes: ["deliveries:pull"], webhook_id: webhookId }));
    expect((await pull("", key)).json.data).toHaveLength(3);
    const other = await newWebhook();
    expect((await pull("", key, other)).status).toBe(404);
    expect((await pull("", key, 999_999)).status).toBe(404);
    for (const path of [
      "/v1/webhooks",
      `/v1/webhooks/${webhookId}`,
      "/v1/deliveries",
      `/v1/webhooks/${webhookId}/recover`,
    ]) {
      expect([path, (await key(path)).json.code]).toEqual([path, "wrong_scope"]);
    }
    const feed = withKey(await keyOf({ scopes: ["feed"] }));
    expect((await pull("", feed)).json.code).toBe("wrong_scope");
    expect((await pull("", clinic.as.practitioner)).status).toBe(403);
    const elsewhere = await api.newClinic();
    expect((await pull("", elsewhere.as.manager)).status).toBe(404);
    // A key of another clinic cannot even be made for this webhook.
    const stolen = { name: "Test", scopes: ["deliveries:pull"], webhook_id: webhookId };
    const refused = await post("/v1/api-keys", stolen, elsewhere.as.manager);
    expect([refused.status, refused.json.errors[0].field]).toEqual([404, "webhook_id"]);
    await manager(`/v1/webhooks/${other}`, { method: "DELETE" });
  });

  it("with a key needs the webhook that the key is for, and no other scope may name one", async () => {
    for (const body of [
      { scopes: ["deliveries:pull"] },
      { scopes: ["deliveries:pull", "feed"], webhook_id: null },
      { scopes: ["feed"], webhook_id: webhookId },
    ]) {
      const answer = await post("/v1/api-keys", { name: "Test", ...body });
      expect([answer.status, answer.json.errors[0].field]).toEqual([400, "webhook_id"]);
    }
    const both = await post("/v1/api-keys", {
      name: "Test",
      scopes: ["feed", "deliveries:pull"],
      webhook_id: webhookId,
    });
    expect([both.status, both.json.webhook_id]).toEqual([201, webhookId]);
    const wide =
      "insert into api_keys (clinic_id, name, scopes, prefix, key_hash, created_by) values ($1, 'x', '{deliveries:pull}', 'hk_xxxxxx', sha256('x'), 'x')";
    await expect(api.database.pools.owner.query(wide, [clinic.id])).rejects.toThrow(/api_keys_webhook_check/);
  });

  it("is written down with its range whenever a body was given, without any body", async () => {
    const { owner } = api.database.pools;
    const key = await post("/v1/api-keys", { name: "Test", scopes: ["deliveries:pull"], webhook_id: webhookId });
    await pull("?after=1", withKey(key.json.key));
    const last = "select actor, target, after from audit where action = 'deliveries.pulled' order by id desc limit 1";
    const written = async () => (await owner.query(last)).rows[0];
    const { actor, target, after } = await written();
    expect([actor, target]).toEqual([`api_key:${key.json.id}`, `webhook:${webhookId}`]);
    expect(JSON.parse(after)).toEqual({ after: 1, up_to: 3, deliveries: 2 });
    await pull("?after=3");
    expect((await written()).actor).toBe(actor); // nothing was given, nothing is written
  });

  it("names when each is tried next where that is planned, and else no time, as the deliveries do", async () => {
    const elsewhere = await api.newClinic();
    const caller = elsewhere.as.manager;
    const { owner } = api.database.pools;
    receiver.answer = ({ path }, response) => response.writeHead(path === "/busy" ? 503 : 200).end();
    const webhook = await newWebhook(caller, new URL("/busy", receiver.url).href);
    const patients = await people(caller);
    for (const day of [2, 3]) await post("/v1/consults", { ...patients, start_time: `2026-11-0${day}T09:00` }, caller);
    dispatcher.nudge();
    // Moved on as soon as they were tried: the retry comes after 5 s.
    const moved = `update deliveries set due_at = now() + attempt * interval '1 hour'
      where webhook_id = $1 and attempt > 0 and begun_at is null`;
    await until("both were tried", async () => (await owner.query(moved, [webhook])).rowCount === 2);
    const change = (body: object) => caller(`/v1/webhooks/${webhook}`, { method: "PATCH", body });
    const set = (statement: string) => owner.query(`${statement} where webhook_id = $1`, [webhook]);
    const next = async () => {
      const pulled = (await pull("", caller, webhook)).json.data as { id: string; next_attempt_at: string | null }[];
      const { data } = (await caller(`/v1/deliveries?webhook_id=${webhook}`)).json;
      const timeOf = new Map(data.map((one: (typeof pulled)[number]) => [one.id, one.next_attempt_at]));
      expect(pulled.map(({ id, next_attempt_at }) => [id, next_attempt_at])).toEqual([...timeOf].toReversed());
      return pulled.map(({ next_attempt_at }) => next_attempt_at);
    };
    const [first, second] = await next();
    expect([first, second]).toEqual(Array(2).fill(expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-0[45]:00$/)));
    expect(Date.parse(first ?? "")).toBeGreaterThan(Date.now());

    const parked = "failures = 5, failing_since = now(), parked_at = now(), next_at = now() + interval '9 hours'";
    const atRest = `update runs set ${parked} where webhook_id = $1 and owner is null`;
    await until("it is at rest", async () => (await owner.query(atRest, [webhook])).rowCount);
    expect((await next()).map((at) => at !== null && Date.parse(at) > Date.parse(first ?? ""))).toEqual([true, false]);
    await set("update runs set failures = 0, failing_since = null, parked_at = null");

    const keys = (
      await owner.query("select id, order_key from deliveries where webhook_id = $1 order by id", [webhook])
    ).rows as { id: number; order_key: string }[];
    await set(`update deliveries set order_key = '${keys[0]?.order_key}'`);
    expect(await next()).toEqual([first, null]);

    const none = [null, null];
    await change({ enabled: false });
    expect(await next()).toEqual(none);
    const only = { clinicId: elsewhere.id, webhookId: webhook };
    await pauseSending(createKysely(owner), only, { reason: "It floods a receiver.", cameFrom: "test" });
    await change({ enabled: true });
    expect(await next()).toEqual(none);
    await set("update deliveries set due_at = now() - interval '1 minute'");
    const held: ServerResponse[] = [];
    receiver.answer = (_received, response) => void held.push(response); // so that, due or begun, it stays
    await resumeSending(createKysely(owner), only, { reason: "It is mended.", cameFrom: "test" });
    expect(await next()).toEqual(none);
    receiver.answer = (_received, response) => response.writeHead(200).end();
    for (const response of held) response.writeHead(200).end();
  });

  it("names what it cannot read", async () => {
    for (const [query, field] of [
      ["?after=-1", "after"],
      ["?after=x", "after"],
      ["?after=9999999999999999", "after"],
      ["?limit=0", "limit"],
      ["?limit=101", "limit"],
      ["?cursor=x", "cursor"],
    ]) {
      const answer = await pull(query);
      expect([query, answer.status, answer.json.errors?.[0]?.field]).toEqual([query, 400, field]);
    }
  });
});

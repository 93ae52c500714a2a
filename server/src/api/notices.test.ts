/** Notices in the page, and the one address that is told of them: through the API, with real signatures and a real receiver. */
import { verify } from "@hookwell/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Caller, startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { createKysely } from "../db/pool.ts";
import { createEgress } from "../egress/client.ts";
import { createLog } from "../log.ts";
import { Notices } from "../notices/notices.ts";

let api: TestApi;
let clinic: TestClinic;
let manager: Caller;
let receiver: Receiver;
let worker: Notices;
const lines: string[] = [];

beforeAll(async () => {
  api = await startTestApi({ allowLoopback: true });
  receiver = await createReceiver();
  const { seal, clock, publicUrl } = api.context;
  const egress = createEgress({ rules: { allowLoopback: true, inboxUrlPrefix: null }, monotonicMs: clock.monotonicMs });
  const log = createLog({ destination: { write: (line) => void lines.push(line) } });
  worker = new Notices({
    db: createKysely(api.database.pools.dispatch),
    seal,
    clock,
    log,
    egress,
    mail: null,
    publicUrl,
  });
});
afterAll(async () => {
  await receiver.close();
  await api.close();
});
beforeEach(async () => {
  receiver.received.length = 0;
  receiver.answer = (_received, response) => response.writeHead(200).end();
  lines.length = 0;
  clinic = await api.newClinic({ timeZone: "America/Halifax" });
  manager = clinic.as.manager;
});

const owner = () => api.database.pools.owner;
const post = (path: string, body: object = {}) => manager(path, { method: "POST", body });
const patch = (body: object) => manager("/v1/operational-webhook", { method: "PATCH", body });

async function webhookId(): Promise<number> {
  const answer = await post("/v1/webhooks", {
    name: "Front desk robot",
    url: "https://hooks.example.test/canary-path",
    events: ["consult.updated"],
  });
  return answer.json.id;
}

async function raise(kind: string, details: object = {}, webhook: number | null = null): Promise<number> {
  const { rows } = await owner().query<{ id: number }>(
    "insert into notices (clinic_id, kind, webhook_id, cause, details) values ($1, $2, $3, gen_random_uuid()::text, $4) returning id",
    [clinic.id, kind, webhook, JSON.stringify(details)],
  );
  return rows[0]?.id as number;
}

async function tell(): Promise<void> {
  await worker.spread();
  await worker.tell("webhook");
}

describe("notices", () => {
  it("are listed newest first, by cursor, with what is known of each and the number of unread ones", async () => {
    const webhook = await webhookId();
    const first = await raise(
      "webhook.failing",
      { outcome: "answered", status: 503, failing_since: "2026-11-03T13:30:00Z", waiting: 2 },
      webhook,
    );
    const second = await raise(
      "delivery.late",
      { delivery_id: "msg_x_1", starts_at: "2026-11-03T14:00:00Z", event: "participant.removed" },
      webhook,
    );
    const third = await raise("webhook.recovered");
    const page = (await manager("/v1/notices?limit=2")).json;
    expect(page.data.map(({ id }: { id: number }) => id)).toEqual([third, second]);
    expect(page).toMatchObject({ unread_count: 3, email_is_set_up: false });
    expect(page.data[1]).toMatchObject({
      delivery_id: "msg_x_1",
      consult_starts_at: "2026-11-03T10:00:00-04:00",
      event: "participant.removed",
    });
    const rest = (await manager(`/v1/notices?limit=2&cursor=${page.next_cursor}`)).json;
    expect(rest.next_cursor).toBe(null);
    expect(rest.data).toMatchObject([
      {
        id: first,
        kind: "webhook.failing",
        webhook: { id: webhook, name: "Front desk robot", deleted: false },
        ...{ outcome: "answered", status: 503, waiting_count: 2, failing_since: "2026-11-03T09:30:00-04:00" },
        read_at: null,
        email: { sent: 0, waiting: 0, given_up: 0 },
      },
    ]);
  });

  it("are marked as read one by one, or all up to the newest that was seen", async () => {
    const ids = [
      await raise("webhook.failing"),
      await raise("webhook.gone"),
      await raise("webhook.recovered"),
    ] as const;
    const read = await post(`/v1/notices/${ids[0]}/read`);
    expect(read.json.read_at).not.toBe(null);
    expect((await post(`/v1/notices/${ids[0]}/read`)).json.read_at).toBe(read.json.read_at);
    expect((await post("/v1/notices/read-all", { up_to: ids[1] })).json).toEqual({ read_count: 1 });
    expect((await manager("/v1/notices?unread=true")).json).toMatchObject({ data: [{ id: ids[2] }], unread_count: 1 });
    expect((await post("/v1/notices/read-all")).json).toEqual({ read_count: 1 });
    expect((await manager("/v1/notices?unread=true")).json).toMatchObject({ data: [], unread_count: 0 });
  });

  it("of another clinic do not exist", async () => {
    const id = await raise("webhook.failing");
    const other = (await api.newClinic()).as.manager;
    expect((await other(`/v1/notices/${id}/read`, { method: "POST", body: {} })).status).toBe(404);
    expect((await other("/v1/notices")).json).toMatchObject({ data: [], unread_count: 0 });
    expect((await manager("/v1/notices?unread=true")).json.unread_count).toBe(1);
  });
});

describe("the operational webhook", () => {
  it("is made with a secret that is shown once, changed, and removed; each is audited with a masked address", async () => {
    expect((await manager("/v1/operational-webhook")).status).toBe(404);
    const url = "https://alerts.example.test/canary-path?key=canary";
    const made = await manager("/v1/operational-webhook", {
      method: "POST",
      headers: { "idempotency-key": "op" },
      body: { url },
    });
    expect(made.status).toBe(201);
    expect(made.json.secret).toMatch(/^whsec_/);
    const again = await manager("/v1/operational-webhook", {
      method: "POST",
      headers: { "idempotency-key": "op" },
      body: { url },
    });
    expect(again.json).toEqual({ ...made.json, secret: undefined });
    expect(made.json).toMatchObject({ url_masked: "https://alerts.example.test/••••••", enabled: true });
    expect((await post("/v1/operational-webhook", { url })).json.code).toBe("already_there");
    expect((await patch({ events: ["webhook.gone", "webhook.failing"], enabled: false })).json).toMatchObject({
      ...{ events: ["webhook.failing", "webhook.gone"], enabled: false, off_reason: "you", version: 2 },
    });
    expect((await manager("/v1/operational-webhook", { method: "DELETE" })).status).toBe(204);
    expect((await manager("/v1/operational-webhook")).status).toBe(404);
    const { rows } = await owner().query("select * from audit where clinic_id = $1 order by id", [clinic.id]);
    expect(rows.map(({ action }) => action)).toEqual(
      ["created", "changed", "deleted"].map((act) => `operational_webhook.${act}`),
    );
    expect(JSON.stringify(rows)).not.toMatch(/canary|whsec/);
  });

  it.each([
    [{ url: "http://alerts.example.test/" }, "url", "not_https"],
    [{ url: "https://10.0.0.1/" }, "url", "blocked_address"],
    [{ url: "https://alerts.example.test/", events: [] }, "events", "empty"],
    [{ url: "https://alerts.example.test/", events: ["consult.updated"] }, "events.0", "not_one_of"],
    [{}, "url", "missing"],
  ])("refuses %j and names the field", async (body, field, code) => {
    const answer = await post("/v1/operational-webhook", body);
    expect([answer.status, answer.json.errors?.[0]?.field, answer.json.errors?.[0]?.code]).toEqual([400, field, code]);
  });

  it("hears of what it asked for and of nothing else, signed, without any address or patient", async () => {
    const webhook = await webhookId();
    const { secret } = (
      await post("/v1/operational-webhook", { url: receiver.url, events: ["webhook.failing", "webhook.gone"] })
    ).json;
    await raise("webhook.recovered", {}, webhook);
    const id = await raise("webhook.failing", { outcome: "timed_out", failing_since: "2026-11-03T13:30:00Z" }, webhook);
    await tell();
    expect(receiver.received).toHaveLength(1);
    const [{ headers = {}, body = "" } = {}] = receiver.received;
    const verified = await verify({
      headers: headers as Record<string, string>,
      body,
      secrets: secret,
      nowSeconds: Date.now() / 1_000,
    });
    expect(verified).toMatchObject({ ok: true });
    expect(headers["webhook-id"]).toBe(`ntc_${id}`);
    expect(JSON.parse(body)).toEqual({
      type: "webhook.failing",
      timestamp: expect.any(String),
      data: {
        notice_id: id,
        webhook: { id: webhook, name: "Front desk robot" },
        ...{ outcome: "timed_out", failing_since: "2026-11-03T13:30:00Z" },
      },
    });
    expect(body + lines.join()).not.toMatch(/canary|whsec/);
    const [notice] = (await manager("/v1/notices")).json.data;
    expect(notice.operational_webhook).toEqual({ sent: 1, waiting: 0, given_up: 0 });
  });

  it("that fails is tried again with the same id, is given up in the end, and never raises a notice of its own", async () => {
    await post("/v1/operational-webhook", { url: receiver.url });
    await raise("webhook.failing");
    receiver.answer = (_received, response) => response.writeHead(500).end();
    for (let n = 0; n < 10; n++) {
      await tell();
      await owner().query("update notice_sends set due_at = due_at - interval '14 hours' where clinic_id = $1", [
        clinic.id,
      ]);
    }
    expect(receiver.received).toHaveLength(8);
    expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    const { data } = (await manager("/v1/notices")).json;
    expect(data).toHaveLength(1);
    expect(data[0].operational_webhook).toEqual({ sent: 0, waiting: 0, given_up: 1 });
    expect((await manager("/v1/operational-webhook")).json).toMatchObject({ last_error: "answered", last_status: 500 });
    const said = lines.map((line) => JSON.parse(line).event).filter((event) => event === "notices.webhook_given_up");
    expect(said).toHaveLength(1);
  });

  it("that answers 410 is turned off, and a new address begins without the old one's past", async () => {
    await post("/v1/operational-webhook", { url: receiver.url });
    await raise("webhook.failing");
    receiver.answer = (_received, response) => response.writeHead(410).end();
    await tell();
    await raise("webhook.recovered");
    await tell();
    expect(receiver.received).toHaveLength(1);
    expect((await manager("/v1/operational-webhook")).json).toMatchObject({
      enabled: false,
      off_reason: "receiver_gone",
      last_status: 410,
    });
    const changed = (await patch({ url: `${receiver.url}/new`, enabled: true })).json;
    expect(changed).toMatchObject({ enabled: true, off_reason: null, last_failed_at: null, last_status: null });
  });

  it("is signed with the old secret and the new one for a day after a rotation, and with the new one alone from then on", async () => {
    const rotate = () => post("/v1/operational-webhook/rotate-secret", {});
    expect((await rotate()).status).toBe(404);
    const { secret: old, previous_secret_valid_until: none } = (
      await post("/v1/operational-webhook", { url: receiver.url })
    ).json;
    expect(none).toBeNull();
    const rotated = await rotate();
    expect(rotated.status).toBe(200);
    const { secret, previous_valid_until: until } = rotated.json;
    expect((await manager("/v1/operational-webhook")).json.previous_secret_valid_until).toBe(until);
    expect((await rotate()).json.code).toBe("rotation_running");
    const told = async () => {
      await raise("webhook.failing");
      await tell();
      const { headers = {}, body = "" } = receiver.received.at(-1) ?? {};
      const verified = [old, secret].map((secrets) =>
        verify({ headers: headers as Record<string, string>, body, secrets, nowSeconds: Date.now() / 1_000 }),
      );
      return (await Promise.all(verified)).map(({ ok }) => ok);
    };
    expect(await told()).toEqual([true, true]);
    await owner().query("update operational_webhooks set previous_secret_until = now() where clinic_id = $1", [
      clinic.id,
    ]);
    expect(await told()).toEqual([false, true]);
    expect((await manager("/v1/operational-webhook")).json.previous_secret_valid_until).toBeNull();
    expect((await rotate()).status).toBe(200);
    const { rows } = await owner().query(
      "select before, after from audit where clinic_id = $1 and action = 'operational_webhook.secret_rotated'",
      [clinic.id],
    );
    expect(rows).toHaveLength(2);
    expect(JSON.stringify(rows)).not.toMatch(/whsec/);
  });

  it("that is removed is told nothing more, also of what waited", async () => {
    await post("/v1/operational-webhook", { url: receiver.url });
    await raise("webhook.failing");
    await worker.spread();
    await manager("/v1/operational-webhook", { method: "DELETE" });
    await worker.tell("webhook");
    expect(receiver.received).toEqual([]);
    expect((await manager("/v1/notices")).json.data[0].operational_webhook.given_up).toBe(1);
  });
});

describe("two workers at once", () => {
  it("call an address once for each notice", async () => {
    await post("/v1/operational-webhook", { url: receiver.url });
    for (let n = 0; n < 5; n++) await raise("webhook.failing");
    await Promise.all([worker.spread(), worker.spread()]);
    await Promise.all([worker.tell("webhook"), worker.tell("webhook")]);
    await worker.tell("webhook"); // whoever found the clinic locked comes back
    expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).toBe(5);
    expect(receiver.received).toHaveLength(5);
    expect(receiver.openMost).toBe(1);
    const { rows } = await owner().query("select state, attempts from notice_sends where clinic_id = $1", [clinic.id]);
    expect(rows).toEqual(Array(5).fill({ state: "sent", attempts: 1 }));
  });
});

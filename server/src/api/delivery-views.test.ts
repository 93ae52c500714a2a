/** Looking into deliveries: patients stand as dots until somebody says why, one is found by its number or day, and each day is counted. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Caller, startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";
import { embedKey, openEmbed } from "../../test/embed.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { createKysely } from "../db/pool.ts";
import { Dispatcher } from "../delivery/dispatcher.ts";
import { DeliveryStore } from "../delivery/store.ts";
import { createEgress } from "../egress/client.ts";

let api: TestApi;
let clinic: TestClinic;
let manager: Caller;
let receiver: Receiver;
let ids: { service: number; practitioner: number; patients: number[] };

beforeAll(async () => {
  api = await startTestApi({ allowLoopback: true });
  clinic = await api.newClinic();
  manager = clinic.as.manager;
  receiver = await createReceiver();
  ids = await people(manager);
});
afterAll(async () => {
  await receiver.close();
  await api.close();
});

const post = (path: string, body: object, caller = manager) => caller(path, { method: "POST", body });

async function people(caller: Caller) {
  const id = async (path: string, body: object) => (await post(path, body, caller)).json.id as number;
  return {
    service: await id("/v1/services", { name: "Invented class", kind: "class", duration: 60 }),
    practitioner: await id("/v1/practitioners", { name: "Pat Pretend", email: "pat@example.test" }),
    patients: [
      await id("/v1/patients", { name: "Test Patient One", email: "one@example.test" }),
      await id("/v1/patients", { name: "Test Patient Two", email: null }),
    ],
  };
}

const schedule = () =>
  post("/v1/consults", {
    service_id: ids.service,
    practitioner_id: ids.practitioner,
    start_time: "2026-11-02T09:00",
    patient_ids: ids.patients,
  });

async function newWebhook(body: object = {}) {
  const settings = { url: receiver.url, events: ["participant.added", "consult.updated"], ...body };
  return (await post("/v1/webhooks", settings)).json;
}

const WITH_PATIENTS = {
  include: { patient: "all" },
  recipient: { organisation: "Example Insurer", country: "CA", purpose: "claims", agreement_on_file: true },
};

/** Lets a dispatcher work until the condition holds. */
async function deliverUntil(what: string, condition: () => Promise<unknown>): Promise<void> {
  const { pools } = api.database;
  const { seal, clock, log } = api.context;
  const egress = createEgress({ rules: { allowLoopback: true, inboxUrlPrefix: null }, monotonicMs: clock.monotonicMs });
  const db = createKysely(pools.dispatch);
  const dispatcher = new Dispatcher({
    store: new DeliveryStore(pools.engine),
    db,
    seal,
    egress,
    clock,
    log,
    name: "test",
  });
  await dispatcher.start();
  try {
    dispatcher.nudge();
    await until(what, condition);
  } finally {
    await dispatcher.stop();
    await egress.close();
  }
}

const list = async (query: string) => (await manager(`/v1/deliveries?${query}`)).json.data;
const detail = async (id: string) => (await manager(`/v1/deliveries/${id}`)).json;

describe("a delivery", () => {
  it("shows patients as dots until somebody says why, and the audit trail keeps who and why", async () => {
    const webhook = await newWebhook(WITH_PATIENTS);
    await schedule();
    const [{ id }] = await list(`webhook_id=${webhook.id}`);
    const { request } = await detail(id);
    expect(request.body_masked).toBe(true);
    expect(JSON.parse(request.body)).toMatchObject([
      { participant: { id: ids.patients[0], name: "••••••", email: "••••••" } },
      { participant: { id: ids.patients[1], name: "••••••", email: null } },
    ]);
    expect(JSON.stringify(await detail(id))).not.toMatch(/Test Patient|one@example/);
    for (const reason of ["", "   ", "x".repeat(201)]) {
      expect((await post(`/v1/deliveries/${id}/reveal`, { reason })).json.errors[0].field).toBe("reason");
    }
    const twice = { method: "POST", body: { reason: "A call." }, headers: { "idempotency-key": "reveal" } } as const;
    const first = await manager(`/v1/deliveries/${id}/reveal`, twice);
    expect(JSON.parse(first.json.body)).toMatchObject([{ participant: { name: "Test Patient One" } }, {}]);
    expect((await manager(`/v1/deliveries/${id}/reveal`, twice)).json).toEqual({ id, body: null });
    const { data } = (await manager("/v1/audit?action=delivery.revealed&limit=1")).json;
    expect(data).toMatchObject([{ target: `delivery:${id}`, after: { reason: "A call." } }]);
    await manager(`/v1/webhooks/${webhook.id}`, { method: "DELETE" });
  });

  it("shows patients as dots in what a receiver repeats, and nothing of it to who may not see them, also narrowed later", async () => {
    const webhook = await newWebhook(WITH_PATIENTS);
    receiver.answer = ({ body }, response) => {
      const name = body.includes("Test Patient One") ? "Test Patient One" : "nobody";
      response
        .writeHead(200, { "x-echo": `Hello ${name}`, "x-mail": name === "nobody" ? "" : "to=one%40example.test" })
        .end(`for ${name.toUpperCase()}: ${body}`);
    };
    await schedule();
    const [{ id }] = await list(`webhook_id=${webhook.id}`);
    await deliverUntil("it was delivered", async () => (await detail(id)).state === "delivered");
    await manager(`/v1/webhooks/${webhook.id}`, { method: "PATCH", body: { include: { patient: "off" } } });
    await post(`/v1/deliveries/${id}/resend`, {});
    await deliverUntil("it was sent again", async () => (await detail(id)).last_attempt?.attempt === 2);

    const shown = await detail(id);
    expect(shown.attempts[0].answer_text).toMatch(/^for ••••••: \[\{.*"name":"••••••","email":"••••••"/);
    expect(shown.attempts[0].answer_headers).toMatchObject({ "x-echo": "Hello ••••••", "x-mail": "to=••••••" });
    expect(JSON.stringify([shown, await list(`id=${id}`)])).not.toMatch(/Test Patient|one(@|%40)example/i);
    const viewer = await openEmbed(api, (await embedKey(clinic)).key, { capabilities: ["view"] });
    const seen = await viewer.call(`/v1/deliveries/${id}`);
    expect(seen.json.attempts[0]).toMatchObject({ status: 200, answer_text: null, answer_headers: null });
    expect(seen.json.attempts[1].answer_text).toMatch(/^for/);
    expect(seen.json.attempts[0].sentence_key).toBe(shown.attempts[0].sentence_key);
    expect(seen.text).not.toContain("Test Patient");
    expect(seen.json.request).toMatchObject({ veiled: false, body: expect.not.stringContaining("••") });
    await manager(`/v1/webhooks/${webhook.id}`, { method: "DELETE" });
  });

  it("tells its cause also to who may not see what was answered, and hides the answer where its content is gone", async () => {
    const webhook = await newWebhook(WITH_PATIENTS);
    receiver.answer = (_received, response) =>
      response.writeHead(308, { location: "https://moved.example.test/in" }).end("Moved for Test Patient One");
    await schedule();
    const [{ id, event_id }] = await list(`webhook_id=${webhook.id}`);
    await deliverUntil("it was tried", async () => (await detail(id)).attempts.length > 0);
    const { call } = await openEmbed(api, (await embedKey(clinic)).key, { capabilities: ["view", "manage"] });
    const told = (await call(`/v1/deliveries/${id}`)).json.last_attempt;
    const whole = (await detail(id)).last_attempt;
    expect(whole).toMatchObject({ moved_to: "https://moved.example.test/in", answer_text: "Moved for ••••••" });
    expect(told).toEqual({ ...whole, moved_to: null, answer_text: null, answer_headers: null });
    expect(told.sentence).toContain("moved.example.test");
    await api.database.pools.owner.query("update events set facts = null where id = $1", [event_id]);
    expect((await detail(id)).last_attempt).toEqual(told);
    await manager(`/v1/webhooks/${webhook.id}`, { method: "DELETE" });
  });

  it("that was kept with its patients takes none of them to an address to which a page without include-patient moved it", async () => {
    const webhook = await newWebhook({ ...WITH_PATIENTS, enabled: false });
    await schedule();
    const [{ id }] = await list(`webhook_id=${webhook.id}`);
    const { call } = await openEmbed(api, (await embedKey(clinic)).key, { capabilities: ["view", "manage"] });
    const moved = { url: `${receiver.url}/moved`, include: { patient: "off" }, enabled: true };
    expect((await call(`/v1/webhooks/${webhook.id}`, { method: "PATCH", body: moved })).status).toBe(200);
    receiver.answer = (_received, response) => response.writeHead(200).end();
    expect((await post(`/v1/deliveries/${id}/resend`, {}, call)).status).toBe(202);
    await deliverUntil("it was delivered", async () => (await detail(id)).state === "delivered");
    const sent = receiver.received.at(-1);
    expect(sent?.headers["webhook-id"]).toBe(id);
    expect(sent?.body).toContain("participant.added");
    expect(sent?.body).not.toMatch(/Test Patient|@example|"participant"/);
    await manager(`/v1/webhooks/${webhook.id}`, { method: "DELETE" });
  });

  it("is shown with its patients thirty times a minute to one person, and no more", async () => {
    const other = (await api.newClinic()).as.manager;
    const reveal = async () => (await post("/v1/deliveries/none/reveal", { reason: "A call." }, other)).status;
    const statuses: number[] = [];
    for (let n = 0; n < 31; n++) statuses.push(await reveal());
    expect(statuses).toEqual([...Array(30).fill(404), 429]);
  });

  it("of a webhook without patients has nothing to hide", async () => {
    const webhook = await newWebhook();
    await schedule();
    const [{ id }] = await list(`webhook_id=${webhook.id}`);
    expect((await detail(id)).request.body_masked).toBe(false);
    await manager(`/v1/webhooks/${webhook.id}`, { method: "DELETE" });
  });

  it("is found by its id, by its event's, and by its day", async () => {
    const webhook = await newWebhook();
    await schedule();
    const mine = `webhook_id=${webhook.id}`;
    const [{ id, event_id, created_at }] = await list(mine);
    expect(await list(`id=${id}`)).toMatchObject([{ id }]);
    expect(await list(`${mine}&id=${event_id}`)).toMatchObject([{ id }]);
    expect(await list(`id=${id.replace(/_\d+$/, "_999999")}`)).toEqual([]);
    expect((await manager("/v1/deliveries?id=Test%20Patient%20One")).json.errors[0].field).toBe("id");
    const day = created_at.slice(0, 10);
    const next = Temporal.PlainDate.from(day).add({ days: 1 }).toString();
    const before = Temporal.PlainDate.from(day).subtract({ days: 1 }).toString();
    expect(await list(`${mine}&from_date=${day}&to_date=${day}`)).toHaveLength(1);
    expect(await list(`${mine}&from_date=${next}`)).toEqual([]);
    expect(await list(`${mine}&to_date=${before}`)).toEqual([]);
    expect((await manager("/v1/deliveries?from_date=yesterday")).json.errors[0].field).toBe("from_date");
    await manager(`/v1/webhooks/${webhook.id}`, { method: "DELETE" });
  });

  it("counts on its webhook's bars on the day it happened: waiting, then delivered; a test does not", async () => {
    const webhook = await newWebhook();
    const today = async () => {
      const { data } = (await manager("/v1/webhooks/activity")).json;
      const days = data.find((one: { webhook_id: number }) => one.webhook_id === webhook.id).days;
      expect(days).toHaveLength(7);
      for (const { delivered, failed, waiting } of days.slice(0, -1))
        expect([delivered, failed, waiting]).toEqual([0, 0, 0]);
      return days.at(-1);
    };
    const zone = (await manager("/v1/me")).json.clinic.time_zone;
    const day = Temporal.Now.plainDateISO(zone).toString();
    receiver.answer = (_received, response) => response.writeHead(200).end();
    await post(`/v1/webhooks/${webhook.id}/test`, { event: "participant.added" });
    await schedule();
    expect(await today()).toEqual({ day, delivered: 0, failed: 0, waiting: 1 });
    await deliverUntil("it was delivered", async () => (await today()).delivered > 0);
    expect(await today()).toEqual({ day, delivered: 1, failed: 0, waiting: 0 });
    await manager(`/v1/webhooks/${webhook.id}`, { method: "DELETE" });
    const { data } = (await manager("/v1/webhooks/activity")).json;
    expect(data.map((one: { webhook_id: number }) => one.webhook_id)).not.toContain(webhook.id);
  });
});

/** Looking into deliveries: patients stand as dots until somebody says why, one is found by its number or day, and each day is counted. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Caller, TestApi, TestClinic } from "../../test/api.ts";
import { type DeliveriesApi, openDeliveriesApi, WITH_PATIENTS } from "../../test/deliveries-api.ts";
import { embedKey, openEmbed } from "../../test/embed.ts";
import type { Receiver } from "../../test/receiver.ts";

let desk: DeliveriesApi;
let api: TestApi;
let clinic: TestClinic;
let manager: Caller;
let receiver: Receiver;

beforeAll(async () => {
  desk = await openDeliveriesApi();
  ({ api, clinic, manager, receiver } = desk);
});
afterAll(() => desk.close());

describe("a delivery", () => {
  it("shows patients as dots until somebody says why, and the audit trail keeps who and why", async () => {
    const webhook = await desk.newWebhook(WITH_PATIENTS);
    await desk.schedule();
    const [{ id }] = await desk.list(`webhook_id=${webhook.id}`);
    const { request } = await desk.detail(id);
    expect(request.body_masked).toBe(true);
    expect(JSON.parse(request.body)).toMatchObject([
      { participant: { id: desk.ids.patients[0], name: "••••••", email: "••••••" } },
      { participant: { id: desk.ids.patients[1], name: "••••••", email: null } },
    ]);
    expect(JSON.stringify(await desk.detail(id))).not.toMatch(/Test Patient|one@example/);
    for (const reason of ["", "   ", "x".repeat(201)]) {
      expect((await desk.post(`/v1/deliveries/${id}/reveal`, { reason })).json.errors[0].field).toBe("reason");
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
    const webhook = await desk.newWebhook(WITH_PATIENTS);
    receiver.answer = ({ body }, response) => {
      const name = body.includes("Test Patient One") ? "Test Patient One" : "nobody";
      response
        .writeHead(200, { "x-echo": `Hello ${name}`, "x-mail": name === "nobody" ? "" : "to=one%40example.test" })
        .end(`for ${name.toUpperCase()}: ${body}`);
    };
    await desk.schedule();
    const [{ id }] = await desk.list(`webhook_id=${webhook.id}`);
    await desk.deliverUntil("it was delivered", async () => (await desk.detail(id)).state === "delivered");
    await manager(`/v1/webhooks/${webhook.id}`, { method: "PATCH", body: { include: { patient: "off" } } });
    await desk.post(`/v1/deliveries/${id}/resend`, {});
    await desk.deliverUntil("it was sent again", async () => (await desk.detail(id)).last_attempt?.attempt === 2);

    const shown = await desk.detail(id);
    expect(shown.attempts[0].answer_text).toMatch(/^for ••••••: \[\{.*"name":"••••••","email":"••••••"/);
    expect(shown.attempts[0].answer_headers).toMatchObject({ "x-echo": "Hello ••••••", "x-mail": "to=••••••" });
    expect(JSON.stringify([shown, await desk.list(`id=${id}`)])).not.toMatch(/Test Patient|one(@|%40)example/i);
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
    const webhook = await desk.newWebhook(WITH_PATIENTS);
    receiver.answer = (_received, response) =>
      response.writeHead(308, { location: "https://moved.example.test/in" }).end("Moved for Test Patient One");
    await desk.schedule();
    const [{ id, event_id }] = await desk.list(`webhook_id=${webhook.id}`);
    await desk.deliverUntil("it was tried", async () => (await desk.detail(id)).attempts.length > 0);
    const { call } = await openEmbed(api, (await embedKey(clinic)).key, { capabilities: ["view", "manage"] });
    const told = (await call(`/v1/deliveries/${id}`)).json.last_attempt;
    const whole = (await desk.detail(id)).last_attempt;
    expect(whole).toMatchObject({ moved_to: "https://moved.example.test/in", answer_text: "Moved for ••••••" });
    expect(told).toEqual({ ...whole, moved_to: null, answer_text: null, answer_headers: null });
    expect(told.sentence).toContain("moved.example.test");
    await api.database.pools.owner.query("update events set facts = null where id = $1", [event_id]);
    expect((await desk.detail(id)).last_attempt).toEqual(told);
    await manager(`/v1/webhooks/${webhook.id}`, { method: "DELETE" });
  });

  it("that was kept with its patients takes none of them to an address to which a page without include-patient moved it", async () => {
    const webhook = await desk.newWebhook({ ...WITH_PATIENTS, enabled: false });
    await desk.schedule();
    const [{ id }] = await desk.list(`webhook_id=${webhook.id}`);
    const { call } = await openEmbed(api, (await embedKey(clinic)).key, { capabilities: ["view", "manage"] });
    const moved = { url: `${receiver.url}/moved`, include: { patient: "off" }, enabled: true };
    expect((await call(`/v1/webhooks/${webhook.id}`, { method: "PATCH", body: moved })).status).toBe(200);
    receiver.answer = (_received, response) => response.writeHead(200).end();
    expect((await desk.post(`/v1/deliveries/${id}/resend`, {}, call)).status).toBe(202);
    await desk.deliverUntil("it was delivered", async () => (await desk.detail(id)).state === "delivered");
    const sent = receiver.received.at(-1);
    expect(sent?.headers["webhook-id"]).toBe(id);
    expect(sent?.body).toContain("participant.added");
    expect(sent?.body).not.toMatch(/Test Patient|@example|"participant"/);
    await manager(`/v1/webhooks/${webhook.id}`, { method: "DELETE" });
  });

  it("is shown with its patients thirty times a minute to one person, and no more", async () => {
    const other = (await api.newClinic()).as.manager;
    const reveal = async () => (await desk.post("/v1/deliveries/none/reveal", { reason: "A call." }, other)).status;
    const statuses: number[] = [];
    for (let n = 0; n < 31; n++) statuses.push(await reveal());
    expect(statuses).toEqual([...Array(30).fill(404), 429]);
  });

  it("of a webhook without patients has nothing to hide", async () => {
    const webhook = await desk.newWebhook();
    await desk.schedule();
    const [{ id }] = await desk.list(`webhook_id=${webhook.id}`);
    expect((await desk.detail(id)).request.body_masked).toBe(false);
    await manager(`/v1/webhooks/${webhook.id}`, { method: "DELETE" });
  });

  it("is found by its id, by its event's, and by its day", async () => {
    const webhook = await desk.newWebhook();
    await desk.schedule();
    const mine = `webhook_id=${webhook.id}`;
    const [{ id, event_id, created_at }] = await desk.list(mine);
    expect(await desk.list(`id=${id}`)).toMatchObject([{ id }]);
    expect(await desk.list(`${mine}&id=${event_id}`)).toMatchObject([{ id }]);
    expect(await desk.list(`id=${id.replace(/_\d+$/, "_999999")}`)).toEqual([]);
    expect((await manager("/v1/deliveries?id=Test%20Patient%20One")).json.errors[0].field).toBe("id");
    const day = created_at.slice(0, 10);
    const next = Temporal.PlainDate.from(day).add({ days: 1 }).toString();
    const before = Temporal.PlainDate.from(day).subtract({ days: 1 }).toString();
    expect(await desk.list(`${mine}&from_date=${day}&to_date=${day}`)).toHaveLength(1);
    expect(await desk.list(`${mine}&from_date=${next}`)).toEqual([]);
    expect(await desk.list(`${mine}&to_date=${before}`)).toEqual([]);
    expect((await manager("/v1/deliveries?from_date=yesterday")).json.errors[0].field).toBe("from_date");
    await manager(`/v1/webhooks/${webhook.id}`, { method: "DELETE" });
  });

  it("counts on its webhook's bars on the day it happened: waiting, then delivered; a test does not", async () => {
    const webhook = await desk.newWebhook();
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
    await desk.post(`/v1/webhooks/${webhook.id}/test`, { event: "participant.added" });
    await desk.schedule();
    expect(await today()).toEqual({ day, delivered: 0, failed: 0, waiting: 1 });
    await desk.deliverUntil("it was delivered", async () => (await today()).delivered > 0);
    expect(await today()).toEqual({ day, delivered: 1, failed: 0, waiting: 0 });
    await manager(`/v1/webhooks/${webhook.id}`, { method: "DELETE" });
    const { data } = (await manager("/v1/webhooks/activity")).json;
    expect(data.map((one: { webhook_id: number }) => one.webhook_id)).not.toContain(webhook.id);
  });
});

/** Deliveries through the API: what waits, what was sent with which answer, what would be sent, and sending again. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Caller, TestApi } from "../../test/api.ts";
import { type DeliveriesApi, openDeliveriesApi, WITH_PATIENTS } from "../../test/deliveries-api.ts";
import type { Receiver } from "../../test/receiver.ts";

let desk: DeliveriesApi;
let api: TestApi;
let manager: Caller;
let receiver: Receiver;

beforeAll(async () => {
  desk = await openDeliveriesApi();
  ({ api, manager, receiver } = desk);
});
afterAll(() => desk.close());
const revealed = async (id: string) =>
  (await desk.post(`/v1/deliveries/${id}/reveal`, { reason: "The insurer asks." })).json.body;

describe("a delivery", () => {
  it("waits, is delivered, and shows every byte of the request and what was answered", async () => {
    const webhook = await desk.newWebhook({ ...WITH_PATIENTS, headers: [{ name: "X-Key", value: "canary" }] });
    receiver.answer = (_received, response) => response.writeHead(202).end("thanks");
    await desk.schedule();
    const [waiting] = await desk.list(`webhook_id=${webhook.id}`);
    expect(waiting).toMatchObject({
      event: "participant.added",
      webhook: { id: webhook.id, name: webhook.name },
      state: "waiting",
      attempts: 0,
      sequence: null,
      last_attempt: null,
      subject_version: 1,
    });
    expect(waiting.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-0[45]:00$/);
    expect(waiting).toMatchObject({ waiting: { for: "turn" }, next_attempt_at: null });
    const planned = await desk.detail(waiting.id);

    await desk.deliverUntil("it was delivered", async () => (await desk.detail(waiting.id)).state === "delivered");
    const sent = receiver.received.at(-1);
    const shown = await desk.detail(waiting.id);
    expect(await revealed(waiting.id)).toBe(sent?.body);
    expect(planned.request.body).toBe(shown.request.body);
    expect(shown.attempts).toHaveLength(1);
    expect(shown.attempts[0]).toMatchObject({
      attempt: 1,
      outcome: "answered",
      status: 202,
      answer_text: "thanks",
      answer_headers: { connection: "keep-alive" },
      failure_code: null,
      late: false,
    });
    expect(shown).toMatchObject({ sequence: 1, reason: null, test: false });
    for (const [name, value] of Object.entries(shown.request.headers)) {
      if (!shown.request.masked.includes(name)) expect(sent?.headers[name], name).toBe(value);
    }
    expect(shown.request.masked).toEqual(["webhook-signature", "x-key"]);
    expect(JSON.stringify(shown)).not.toContain("canary");
    await manager(`/v1/webhooks/${webhook.id}`, { method: "DELETE" });
  });

  it("that was sent keeps what was sent, while one that waits is narrowed at once when data is unticked", async () => {
    const webhook = await desk.newWebhook(WITH_PATIENTS);
    receiver.answer = (_received, response) => response.writeHead(500).end();
    await desk.schedule();
    const [{ id }] = await desk.list(`webhook_id=${webhook.id}`);
    await desk.deliverUntil("it was tried", async () => (await desk.detail(id)).attempts.length > 0);
    await desk.schedule();
    await manager(`/v1/webhooks/${webhook.id}`, { method: "PATCH", body: { include: { patient: "off" } } });
    const [second] = await desk.list(`webhook_id=${webhook.id}`);
    expect(await revealed(id)).toContain("Test Patient One");
    expect(await revealed(second.id)).not.toContain("Test Patient");
    await manager(`/v1/webhooks/${webhook.id}`, { method: "DELETE" });
  });

  it("that failed says so in plain words, and when it is tried again", async () => {
    const webhook = await desk.newWebhook();
    receiver.answer = (_received, response) => response.writeHead(503).end("later");
    await desk.schedule();
    const [{ id }] = await desk.list(`webhook_id=${webhook.id}`);
    // The retry comes after 5 s; it is moved on, so that it is not due before it was read.
    const moved = `update deliveries set due_at = now() + interval '1 hour'
      where webhook_id = $1 and attempt = 1 and begun_at is null`;
    const { owner } = desk.api.database.pools;
    await desk.deliverUntil("it was tried", async () => (await owner.query(moved, [webhook.id])).rowCount);
    const shown = await desk.detail(id);
    expect(shown).toMatchObject({ state: "waiting", last_attempt: { status: 503, sentence_key: "broken" } });
    expect(shown.next_attempt_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-0[45]:00$/);
    expect(shown.last_attempt.sentence).toMatch(
      /internal problem \(503 Service Unavailable\)\. Nothing to do; next try \d{4}-\d\d-\d\d at \d\d:\d\d\.$/,
    );
    const hoursLeft = (Date.parse(shown.tries_until) - Date.parse(shown.next_attempt_at)) / 3_600_000;
    expect(hoursLeft).toBeCloseTo(75 + 35 / 60, 2);
    expect([shown.sentence, shown.sentence_key]).toEqual([null, null]);
    expect((await manager(`/v1/webhooks/${webhook.id}`)).json).toMatchObject({
      state: "needs_attention",
      waiting_count: 1,
    });
    await manager(`/v1/webhooks/${webhook.id}`, { method: "PATCH", body: { enabled: false } });
    const held = await desk.detail(id);
    expect(held.next_attempt_at).toBeNull();
    expect(held).toMatchObject({
      ...{ sentence: "It waits until the webhook is turned on.", sentence_key: "waits_until_on" },
      ...{ tries_until: null, last_attempt: { sentence: expect.not.stringContaining("next try") } },
    });
    await manager(`/v1/webhooks/${webhook.id}`, { method: "DELETE" });
    expect(await desk.detail(id)).toMatchObject({ state: "cancelled", reason: "deleted" });
  });

  it("of an event while the webhook was off is kept as cancelled, so that it can be sent later", async () => {
    const webhook = await desk.newWebhook({ enabled: false });
    await desk.schedule();
    const [{ id, state, reason }] = await desk.list(`webhook_id=${webhook.id}&state=failed`);
    expect([state, reason]).toEqual(["cancelled", "off"]);
    const resend = () => desk.post(`/v1/deliveries/${id}/resend`, {});
    expect((await resend()).json.code).toBe("webhook_off");
    await manager(`/v1/webhooks/${webhook.id}`, { method: "PATCH", body: { enabled: true } });
    const queued = await resend();
    expect([queued.status, queued.json]).toEqual([202, { id, state: "waiting" }]);
    expect((await resend()).json.code).toBe("still_waiting");
    receiver.answer = (_received, response) => response.writeHead(200).end();
    await desk.deliverUntil("it was delivered", async () => (await desk.detail(id)).state === "delivered");
    expect(receiver.received.at(-1)?.headers["webhook-id"]).toBe(id);
    const { rows } = await api.database.pools.owner.query("select action from audit where target = $1", [
      `delivery:${id}`,
    ]);
    expect(rows).toEqual([{ action: "delivery.resent" }]);
    await manager(`/v1/webhooks/${webhook.id}`, { method: "DELETE" });
  });

  it("is another clinic's secret", async () => {
    const webhook = await desk.newWebhook();
    await desk.schedule();
    const [{ id }] = await desk.list(`webhook_id=${webhook.id}`);
    const stranger = (await api.newClinic()).as.manager;
    expect((await stranger(`/v1/deliveries/${id}`)).status).toBe(404);
    expect((await desk.post(`/v1/deliveries/${id}/resend`, {}, stranger)).status).toBe(404);
    expect((await stranger("/v1/deliveries")).json.data).toEqual([]);
    expect((await stranger(`/v1/deliveries?webhook_id=${webhook.id}`)).json.data).toEqual([]);
    for (const garbage of ["x", "msg_1_1", `${id}0`])
      expect((await manager(`/v1/deliveries/${garbage}`)).status).toBe(404);
    await manager(`/v1/webhooks/${webhook.id}`, { method: "DELETE" });
  });
});

describe("the list", () => {
  it("goes through waiting and finished deliveries together, newest first, each once, whatever the page's size", async () => {
    const waiting = await desk.newWebhook();
    const off = await desk.newWebhook({ enabled: false });
    for (let i = 0; i < 4; i++) await desk.schedule();
    const all = (await desk.list("limit=100")).map(({ id }: { id: string }) => id);
    const paged: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page: { data: { id: string }[]; next_cursor: string | null } = (
        await manager(`/v1/deliveries?limit=3${cursor && `&cursor=${cursor}`}`)
      ).json;
      paged.push(...page.data.map(({ id }) => id));
      cursor = page.next_cursor;
    }
    expect(paged).toEqual(all);
    expect(new Set(paged).size).toBe(paged.length);
    const keyOf = (id: string) => id.replace(/_(\d+)$/, (_whole, webhook: string) => `_${webhook.padStart(9, "0")}`);
    const byKey = (a: string, b: string) => keyOf(b).localeCompare(keyOf(a), "en");
    expect(all).toEqual(all.toSorted(byKey));
    expect(await desk.list(`webhook_id=${waiting.id}&state=waiting`)).toHaveLength(4);
    expect(await desk.list(`webhook_id=${off.id}&state=failed`)).toHaveLength(4);
    expect(await desk.list(`webhook_id=${off.id}&state=delivered`)).toEqual([]);
    expect(await desk.list(`webhook_id=${off.id}&event=consult.updated`)).toEqual([]);
  });

  it("can be narrowed to one subject, whether it waits or is finished", async () => {
    await desk.newWebhook();
    await desk.newWebhook({ enabled: false });
    const { id } = (await desk.schedule()).json;
    await desk.schedule();
    const about = await desk.list(`subject=consult:${id}`);
    expect(about.map(({ state }: { state: string }) => state).toSorted()).toEqual(
      expect.arrayContaining(["cancelled", "waiting"]),
    );
    expect(new Set(about.map(({ subject }: { subject: string }) => subject))).toEqual(new Set([`consult:${id}`]));
    expect(await desk.list("subject=consult:999999")).toEqual([]);
    for (const kind of ["course-access", "webinar-access"]) expect(await desk.list(`subject=${kind}:1`)).toEqual([]);
  });

  it("can be narrowed to days on the clinic's clock, to one event and to one delivery", async () => {
    const webhook = await desk.newWebhook();
    await desk.schedule();
    await desk.schedule();
    const all = await desk.list(`webhook_id=${webhook.id}`);
    const [{ id, event_id, created_at: createdAt }] = all;
    const today = createdAt.slice(0, 10);
    const before = Temporal.PlainDate.from(today).subtract({ days: 1 }).toString();
    const ids = async (query: string) =>
      (await desk.list(`webhook_id=${webhook.id}&${query}`)).map((one: { id: string }) => one.id);
    expect(await ids(`from_date=${today}&to_date=${today}`)).toHaveLength(2);
    expect(await ids(`to_date=${before}`)).toEqual([]);
    expect(await ids(`id=${id}`)).toEqual([id]);
    expect(await ids(`id=${event_id}`)).toEqual([id]);
    const refused = async (query: string) => (await manager(`/v1/deliveries?${query}`)).json.errors[0].field;
    expect(await refused(`from_date=${today}&to_date=${before}`)).toBe("to_date");
    expect(await refused("id=consult-16")).toBe("id");
    await manager(`/v1/webhooks/${webhook.id}`, { method: "DELETE" });
  });

  it("names an invoice by its number, which staff know", async () => {
    const webhook = await desk.newWebhook({ events: ["invoice.created"] });
    const invoice = await desk.post("/v1/invoices", {
      client_id: desk.ids.patients[0],
      line_items: [{ description: "Invented splint", unit_price: 10, units: 1 }],
    });
    const [shown] = await desk.list(`webhook_id=${webhook.id}`);
    expect(shown).toMatchObject({ subject: `invoice:${invoice.json.id}`, subject_name: invoice.json.invoice_number });
    expect((await desk.detail(shown.id)).subject_name).toBe(invoice.json.invoice_number);
    await manager(`/v1/webhooks/${webhook.id}`, { method: "DELETE" });
  });

  it("names a filter that it does not know", async () => {
    for (const [query, field] of [
      ["state=lost", "state"],
      ["event=nothing", "event"],
      ["colour=red", "colour"],
      ["cursor=xyz", "cursor"],
      ["subject=consult", "subject"],
      ["subject=consult:%25", "subject"],
    ]) {
      const answer = await manager(`/v1/deliveries?${query}`);
      expect([answer.status, answer.json.errors[0].field]).toEqual([400, field]);
    }
  });
});

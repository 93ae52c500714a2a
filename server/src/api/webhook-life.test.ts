/** The life of a webhook through the API: secrets, drafts, test sends, deleting. */
import { verify } from "@hookwell/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Caller, startTestApi, type TestApi } from "../../test/api.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";

const RECIPIENT = { organisation: "Example Insurer", country: "CA", purpose: "claims", agreement_on_file: true };
const BODY = { url: "https://hooks.example.test/in", events: ["consult.updated"] };

let api: TestApi;
let manager: Caller;
let receiver: Receiver;

beforeAll(async () => {
  api = await startTestApi({ allowLoopback: true });
  manager = (await api.newClinic()).as.manager;
  receiver = await createReceiver();
});
afterAll(async () => {
  await receiver.close();
  await api.close();
});

const patch = (id: number, body: object) => manager(`/v1/webhooks/${id}`, { method: "PATCH", body });
const remove = (id: number) => manager(`/v1/webhooks/${id}`, { method: "DELETE" });

async function created(body: object = {}) {
  const answer = await manager("/v1/webhooks", { method: "POST", body: { ...BODY, ...body } });
  if (answer.status !== 201) throw new Error(`creating answered ${answer.status}: ${answer.text}`);
  return answer.json;
}

describe("a secret", () => {
  it("is told once: what an Idempotency-Key brings again is without it", async () => {
    const call = (key: string) => ({ method: "POST", headers: { "idempotency-key": key } }) as const;
    const create = () => manager("/v1/webhooks", { ...call("made-once"), body: BODY });
    const { secret, ...shown } = (await create()).json;
    expect(secret).toMatch(/^whsec_/);
    expect(await create()).toMatchObject({ status: 201, headers: { "idempotency-replayed": "true" } });
    expect((await create()).json).toEqual(shown);
    const rotate = () => manager(`/v1/webhooks/${shown.id}/rotate-secret`, { ...call("rotated-once"), body: {} });
    const rotated = (await rotate()).json;
    expect(rotated.secret).toMatch(/^whsec_/);
    expect((await rotate()).json).toEqual({ previous_valid_until: rotated.previous_valid_until, public_key: null });
    await remove(shown.id);
  });

  it("is rotated with an overlap of a day, at most two live, and every rotation counts the version up", async () => {
    const { id, secret } = await created();
    const rotated = await manager(`/v1/webhooks/${id}/rotate-secret`, { method: "POST", body: {} });
    expect(rotated.json.secret).toMatch(/^whsec_/);
    expect(rotated.json.secret).not.toBe(secret);
    const overlap = Temporal.Now.instant().until(Temporal.Instant.from(rotated.json.previous_valid_until));
    expect(Math.round(overlap.total("hours"))).toBe(24);
    const again = await manager(`/v1/webhooks/${id}/rotate-secret`, { method: "POST", body: {} });
    expect([again.status, again.json.code]).toEqual([409, "rotation_running"]);
    expect((await manager(`/v1/webhooks/${id}`)).json.version).toBe(2);

    await api.database.pools.owner.query("update webhook_secrets set retires_at = now() where retires_at is not null");
    expect((await manager(`/v1/webhooks/${id}/rotate-secret`, { method: "POST" })).status).toBe(200);
    await remove(id);
  });
});

describe("a draft", () => {
  it("is tested before it is saved, and turned live by the save, with the secret it had", async () => {
    const draft = await created({ url: receiver.url, draft: true, include: { patient: "all" } });
    expect(draft).toMatchObject({ draft: true, enabled: false, state: "not_set_up" });
    const tested = await manager(`/v1/webhooks/${draft.id}/test`, {
      method: "POST",
      body: { event: "consult.updated" },
    });
    expect(tested.json.result).toMatchObject({
      kind: "answered",
      status: 200,
      answer_text: "ok",
      sentence_key: "accepted",
    });
    expect(tested.json.result.sentence).toMatch(/^It answered 200 OK in \d+\.?\d* s\.$/);
    expect(receiver.received.at(-1)?.headers).toMatchObject({
      "webhook-test": "true",
      "webhook-id": tested.json.delivery_id,
    });

    expect((await patch(draft.id, { draft: false })).json.errors[0].field).toBe("recipient");
    const live = await patch(draft.id, { draft: false, recipient: RECIPIENT });
    expect(live.json).toMatchObject({ draft: false, enabled: true });
    expect((await patch(draft.id, { draft: true })).json.errors[0].field).toBe("draft");
    await remove(draft.id);
  });

  it("is gone after 24 hours", async () => {
    const { id } = await created({ draft: true });
    const pass = "update webhooks set draft_until = draft_until - interval '23 hours 59 minutes' where id = $1";
    await api.database.pools.owner.query(pass, [id]);
    expect((await manager(`/v1/webhooks/${id}`)).status).toBe(200);
    await api.database.pools.owner.query(
      "update webhooks set draft_until = draft_until - interval '1 minute' where id = $1",
      [id],
    );
    expect((await manager(`/v1/webhooks/${id}`)).status).toBe(404);
    expect((await patch(id, { draft: false })).status).toBe(404);
    expect(
      (await manager(`/v1/webhooks/${id}/test`, { method: "POST", body: { event: "consult.updated" } })).status,
    ).toBe(404);
    expect((await manager("/v1/webhooks")).json.data).toEqual([]);
  });
});

describe("a test send", () => {
  it("is never made unasked, whatever is done to a webhook: an automation would act on invented data", async () => {
    const own = await createReceiver();
    const act = (id: number, way: string, body: object = {}) =>
      manager(`/v1/webhooks/${id}/${way}`, { method: "POST", body });
    const tests = async (id: number) => {
      const rows = "select count(*)::int as count from finished_deliveries where webhook_id = $1 and test";
      return (await api.database.pools.owner.query(rows, [id])).rows[0].count;
    };
    const { id } = await created({ url: own.url, draft: true });
    const answers = [
      await patch(id, { draft: false }),
      await patch(id, { events: ["consult.updated", "invoice.created"], include: { practitioner: "id" } }),
      await patch(id, { enabled: false }),
      await patch(id, { enabled: true }),
      await patch(id, { url: `${own.url}?moved` }),
      await act(id, "rotate-secret"),
      await manager("/v1/webhooks/check-url", { method: "POST", body: { url: own.url } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect([await tests(id), own.received.length]).toEqual([0, 0]);
    await act(id, "test", { event: "consult.updated" });
    expect([await tests(id), own.received.length]).toEqual([1, 1]);
    await remove(id);
    await own.close();
  });

  it("is never said to be tried again", async () => {
    const { id } = await created({ url: receiver.url });
    const answered = receiver.answer;
    receiver.answer = (_received, response) => response.writeHead(503).end();
    const body = { event: "consult.updated" };
    const { delivery_id, result } = (await manager(`/v1/webhooks/${id}/test`, { method: "POST", body })).json;
    receiver.answer = answered;
    const sentence = "It has an internal problem (503 Service Unavailable). Tell whoever runs the other system.";
    expect(result).toMatchObject({ status: 503, sentence });
    const shown = (await manager(`/v1/deliveries/${delivery_id}`)).json;
    expect(shown.last_attempt.sentence).toBe(result.sentence);
    await remove(id);
  });

  it("of unsaved changes has the saved secret and headers, goes where the changes say, and stores nothing", async () => {
    const elsewhere = await createReceiver();
    const headers = [{ name: "X-Api-Key", value: "an invented key" }];
    const { id, secret } = await created({ url: receiver.url, headers });
    const before = (await manager(`/v1/webhooks/${id}`)).json;
    const test = (changes: object) =>
      manager(`/v1/webhooks/${id}/test`, { method: "POST", body: { event: "participant.added", changes } });
    const include = { practitioner: "id", patient: "all" };
    const answer = await test({ url: elsewhere.url, include, one_participant_per_request: true });
    expect(answer.json.result).toMatchObject({ kind: "answered", status: 200 });
    const sent = elsewhere.received.at(-1);
    if (sent === undefined) throw new Error("nothing arrived at the changed address");
    expect(sent.headers["x-api-key"]).toBe("an invented key");
    const nowSeconds = Number(sent.headers["webhook-timestamp"]);
    const verified = await verify({ headers: sent.headers, body: sent.body, secrets: secret, nowSeconds });
    expect(verified.ok).toBe(true);
    const [one, ...others] = JSON.parse(sent.body);
    expect(others).toEqual([]);
    expect(Object.keys(one)).toEqual(expect.arrayContaining(["practitioner", "participant"]));
    expect((await manager(`/v1/webhooks/${id}`)).json).toMatchObject({
      ...{ url: before.url, include: before.include, one_participant_per_request: false },
      ...{ version: before.version, recipient: null },
    });

    const wrong = await test({ url: "http://hooks.example.test/" });
    expect([wrong.status, wrong.json.errors[0].field]).toEqual([400, "changes.url"]);
    expect((await test({ headers: [] })).json.errors[0].field).toBe("changes.headers");
    await remove(id);
    await elsewhere.close();
  });

  it("shows what the receiver really answered, once per key", async () => {
    const { id } = await created({ url: receiver.url });
    receiver.answer = (_received, response) => response.writeHead(403).end("no entry");
    const send = () =>
      manager(`/v1/webhooks/${id}/test`, {
        method: "POST",
        body: { event: "invoice.created" },
        headers: { "idempotency-key": `test-${id}` },
      });
    const sent = receiver.received.length;
    const first = await send();
    expect(first.json.result).toMatchObject({
      kind: "answered",
      status: 403,
      answer_text: "no entry",
      sentence_key: "refused",
    });
    expect((await send()).json).toEqual(first.json);
    expect(receiver.received.length).toBe(sent + 1);
    receiver.answer = (_received, response) => response.writeHead(200).end("ok");
    await remove(id);
  });

  it("asked for twice while the first is on its way is told so, and a key whose process was lost is free after a minute", async () => {
    const { id } = await created({ url: receiver.url });
    let open: (() => void) | undefined;
    receiver.answer = (_received, response) => {
      open = () => response.writeHead(200).end("ok");
    };
    const headers = { "idempotency-key": `twice-${id}` };
    const send = () =>
      manager(`/v1/webhooks/${id}/test`, { method: "POST", body: { event: "invoice.created" }, headers });
    const first = send();
    const answerFirst = await until("the first is on its way", () => open);
    const second = await send();
    expect([second.status, second.json.code]).toEqual([409, "still_running"]);
    answerFirst();
    expect((await first).status).toBe(200);

    receiver.answer = (_received, response) => response.writeHead(200).end("ok");
    const { owner } = api.database.pools;
    const lost = "update idempotency_keys set status = null, answer = null";
    await owner.query(lost);
    expect((await send()).json.code).toBe("still_running");
    await owner.query(`${lost}, created_at = created_at - interval '2 minutes'`);
    expect((await send()).status).toBe(200);
    await remove(id);
  });

  it("of an event that does not exist is refused before anything leaves", async () => {
    const { id } = await created({ url: receiver.url });
    const sent = receiver.received.length;
    const answer = await manager(`/v1/webhooks/${id}/test`, { method: "POST", body: { event: "nothing.happened" } });
    expect([answer.status, answer.json.errors[0].field]).toEqual([400, "event"]);
    expect(receiver.received.length).toBe(sent);
    await remove(id);
  });
});

describe("the check of an address", () => {
  const check = async (url: string) =>
    (await manager("/v1/webhooks/check-url", { method: "POST", body: { url } })).json;

  it("says what is wrong with it, and sends nothing", async () => {
    const sent = receiver.received.length;
    expect(await check(receiver.url)).toEqual({ ok: true, host: new URL(receiver.url).host, known_host: null });
    expect(await check("https://10.1.2.3/")).toMatchObject({ ok: false, code: "blocked_address" });
    expect(await check("nothing")).toMatchObject({ ok: false, code: "not_a_url" });
    expect(receiver.received.length).toBe(sent);
  });

  it("is limited for each person and minute", async () => {
    const one = (await api.newClinic()).as.manager;
    const ask = (caller: Caller) => caller("/v1/webhooks/check-url", { method: "POST", body: { url: "nothing" } });
    for (let count = 0; count < 30; count += 1) expect((await ask(one)).status).toBe(200);
    const refused = await ask(one);
    expect([refused.status, refused.json.code]).toEqual([429, "too_many_requests"]);
    expect((await ask(manager)).status).toBe(200);
  });
});

describe("deleting", () => {
  it("says what it drops, keeps that in the log of deliveries, and forgets address and secrets", async () => {
    const { id } = await created({ url: receiver.url, enabled: true, events: ["participant.added"] });
    const service = await manager("/v1/services", {
      method: "POST",
      body: { name: "S", kind: "one_to_one", duration: 30 },
    });
    const practitioner = await manager("/v1/practitioners", {
      method: "POST",
      body: { name: "P", email: "p@example.test" },
    });
    const patient = await manager("/v1/patients", { method: "POST", body: { name: "Test", email: null } });
    const nudges = api.nudges();
    await manager("/v1/consults", {
      method: "POST",
      body: {
        service_id: service.json.id,
        practitioner_id: practitioner.json.id,
        start_time: "2026-11-02T09:00",
        patient_ids: [patient.json.id],
      },
    });
    expect(api.nudges()).toBe(nudges + 1);
    expect((await manager(`/v1/webhooks/${id}`)).json).toMatchObject({ waiting_count: 1, state: "waiting" });
    expect((await remove(id)).json).toEqual({ dropped: 1 });
    expect((await manager(`/v1/webhooks/${id}`)).status).toBe(404);
    const { data } = (await manager(`/v1/deliveries?webhook_id=${id}`)).json;
    expect(data).toMatchObject([{ state: "cancelled", reason: "deleted", attempts: 0, last_attempt: null }]);
    const { rows } = await api.database.pools.owner.query(
      "select count(*)::int as n from webhook_secrets where webhook_id = $1",
      [id],
    );
    expect(rows[0].n).toBe(0);
    const resent = await manager(`/v1/deliveries/${data[0].id}/resend`, { method: "POST", body: {} });
    expect([resent.status, resent.json.code]).toEqual([409, "webhook_deleted"]);
  });
});

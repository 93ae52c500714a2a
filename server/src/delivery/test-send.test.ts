import { EVENT_NAMES, render, sampleFacts, verify } from "@hookwell/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { clinicLog } from "../../test/clinic-log.ts";
import { createTestEngine, type TestEngine, type TestWebhook } from "../../test/engine.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { silentLog } from "../log.ts";
import { parseDeliveryId } from "../outbox/identifiers.ts";
import { answerRow } from "./attempt.ts";
import { Sender } from "./sender.ts";
import { Targets } from "./targets.ts";
import { sendTest, type TestSendContext } from "./test-send.ts";

let engine: TestEngine;
let receiver: Receiver;
let clinicId: number;
let webhook: TestWebhook;
let context: TestSendContext;
const log = () => clinicLog(engine.owner, () => clinicId);

beforeAll(async () => {
  engine = await createTestEngine();
  const { app, dispatch, seal, clock, store, egress } = engine;
  const targets = new Targets({ db: dispatch, seal, clock });
  const sender = new Sender({ db: dispatch, clock, egress, targets, log: silentLog() });
  context = { db: app, seal, clock, store, targets, sender };
});
afterAll(() => engine.close());
beforeEach(async () => {
  receiver = await createReceiver();
  clinicId = await engine.createClinic();
  webhook = await engine.createWebhook(clinicId, { url: receiver.url, patient: "all", proved: false });
});
afterEach(async () => {
  await engine.stopDispatchers();
  await receiver.close();
});

const send = (event: (typeof EVENT_NAMES)[number] = "participant.added") =>
  sendTest(context, { clinicId, webhookId: webhook.id, event });

describe("a test", () => {
  test("goes the real way: invented people, rendered by the data choice, signed, marked, with no sequence and no subject", async () => {
    const sent = await send();
    const [got] = receiver.received;
    if (!got) throw new Error("nothing arrived");
    expect(got.headers).toMatchObject({
      "webhook-test": "true",
      "webhook-attempt": "1",
      "webhook-id": sent.deliveryId,
    });
    for (const name of ["webhook-sequence", "webhook-subject", "webhook-subject-version"]) {
      expect(got.headers[name]).toBeUndefined();
    }
    const slice = { part: 0, participantsPerRequest: 200 };
    expect(got.body).toBe(render(sampleFacts("participant.added"), { practitioner: "off", patient: "all" }, slice));
    const nowSeconds = Math.floor(Date.now() / 1000);
    expect(await verify({ headers: got.headers, body: got.body, secrets: webhook.secret, nowSeconds })).toMatchObject({
      ok: true,
    });
    expect(parseDeliveryId(sent.deliveryId)).toMatchObject({ webhookId: webhook.id, part: 0 });
  });

  test("of an address that has not answered yet goes out once a second, also before it is saved; too many are refused", async () => {
    const waits: number[] = [];
    const after = (ms: number, then: () => void) => {
      waits.push(ms);
      then();
      return () => {};
    };
    const hurried = { ...context, clock: { ...engine.clock, after } };
    const test = { clinicId, webhookId: webhook.id, event: "participant.added" } as const;
    const changes = { url: `${receiver.url}/other`, choice: { practitioner: "off", patient: "off" } } as const;
    const tried = { ...test, changes: { ...changes, oneParticipantPerRequest: false } };
    const all = Promise.allSettled(Array.from({ length: 12 }, () => sendTest(hurried, test)));
    const refused = (await all).filter(({ status }) => status === "rejected");
    expect(refused[0]).toMatchObject({ reason: { status: 429, code: "too_many_tests", retryAfterSeconds: 3 } });
    expect(receiver.received.length).toBe(12 - refused.length);
    expect(receiver.received.length).toBeLessThanOrEqual(5); // one at once, and those that wait for three seconds at most
    expect(Math.max(...waits)).toBeGreaterThan(1_500);
    await engine.owner.query("update runs set answered_at = now() where webhook_id = $1", [webhook.id]);
    await Promise.all(Array.from({ length: 8 }, () => sendTest(hurried, test)));
    await engine.owner.query("update webhooks set tested_at = now() + interval '1 minute' where id = $1", [webhook.id]);
    await expect(sendTest(hurried, tried)).rejects.toMatchObject({ status: 429 });
  });

  test("shows what the receiver really said, and stands in the log with it", async () => {
    receiver.answer = (_got, response) => response.writeHead(418, { "x-kind": "teapot" }).end("short and stout");
    const sent = await send();
    expect(sent).toMatchObject({ outcome: "answered", attempted: { settled: { status: 418 } } });
    const [attempt] = await log().attempts();
    expect(attempt).toMatchObject({ outcome: "answered", status: 418, body_sent: true, choice_patient: "all" });
    const clinicSeal = await engine.seal.forClinic(engine.dispatch, clinicId);
    const { eventId } = parseDeliveryId(sent.deliveryId) ?? { eventId: "" };
    const row = answerRow({ eventId, webhookId: webhook.id, part: 0, attempt: 1 });
    expect(JSON.parse(clinicSeal.open({ column: "attempts.answer", row }, attempt?.answer))).toMatchObject({
      ...{ text: "short and stout", truncated: false, headers: { "x-kind": "teapot" } },
    });
  });

  test("that succeeds is delivered in the log, and says nothing of the webhook's health or address", async () => {
    await send();
    expect(await log().finished()).toMatchObject([{ test: true, state: "delivered", attempt: 1, sequence: null }]);
    expect(await log().run(webhook.id)).toMatchObject({
      answered_at: null,
      last_delivered_at: null,
      last_failed_at: null,
    });
    expect(await log().hot()).toEqual([]);
  });

  test.each([410, 429, 500, 301])(
    "that is answered with %i is never sent again and turns nothing off",
    async (status) => {
      await engine.startDispatcher();
      receiver.answer = (_got, response) => response.writeHead(status, { "retry-after": "0" }).end();
      await send();
      expect(await log().finished()).toMatchObject([
        { test: true, state: "given_up", reason: "test_failed", attempt: 1 },
      ]);
      expect(await log().hot()).toEqual([]);
      expect(await log().webhook(webhook.id)).toMatchObject({ enabled: true, version: 1 });
      expect(receiver.received).toHaveLength(1);
    },
  );

  test("that does not reach its receiver says why, and that nothing was sent", async () => {
    await receiver.down();
    expect(await send()).toMatchObject({ outcome: "connection_refused" });
    expect(await log().attempts()).toMatchObject([{ outcome: "connection_refused", status: null, body_sent: false }]);
  });

  test("works on a draft, on a webhook that is off, and for every event", async () => {
    await engine.owner.query("update webhooks set enabled = false, off_reason = 'you' where id = $1", [webhook.id]);
    expect(await send()).toMatchObject({ attempted: { settled: { status: 200 } } });
    await engine.owner.query("update webhooks set draft = true, draft_until = now() + interval '1 day' where id = $1", [
      webhook.id,
    ]);
    expect(await send()).toMatchObject({ attempted: { settled: { status: 200 } } });
    await engine.owner.query("update webhooks set draft = false, draft_until = null where id = $1", [webhook.id]);
    await engine.owner.query("update runs set answered_at = now() where webhook_id = $1", [webhook.id]); // none has to wait
    for (const event of EVENT_NAMES)
      expect(await send(event)).toMatchObject({ attempted: { settled: { status: 200 } } });
    expect(receiver.received).toHaveLength(2 + EVENT_NAMES.length);
  });

  test("that waits for its turn while the operator pauses sending is not sent", async () => {
    await engine.owner.query("update webhooks set tested_at = now() + interval '2 seconds' where id = $1", [
      webhook.id,
    ]);
    const refused = expect(send()).rejects.toMatchObject({ status: 409, code: "sending_paused" });
    const hasTakenTurn = "select from webhooks where id = $1 and tested_at > now() + interval '2.5 seconds'";
    await until("it waits", async () => (await engine.owner.query(hasTakenTurn, [webhook.id])).rowCount === 1);
    await engine.owner.query("insert into sending_pauses (clinic_id, reason) values ($1, 'test')", [clinicId]);
    await engine.owner.query("update webhooks set paused = true where id = $1", [webhook.id]);
    await refused;
    expect(receiver.received).toEqual([]);
  });

  test("of a webhook that is deleted, or another clinic's, is not found, and nothing is sent", async () => {
    const missing = { status: 404, code: "not_found" };
    const other = await engine.createClinic();
    const test = { webhookId: webhook.id, event: "participant.added" } as const;
    await expect(sendTest(context, { ...test, clinicId: other })).rejects.toMatchObject(missing);
    await engine.owner.query("update webhooks set deleted_at = now() where id = $1", [webhook.id]);
    await expect(send()).rejects.toMatchObject(missing);
    expect(receiver.received).toEqual([]);
  });

  test("waits for no delivery and lets none wait: it runs outside the order and takes no number", async () => {
    await engine.owner.query("update runs set answered_at = now() where webhook_id = $1", [webhook.id]);
    await engine.startDispatcher();
    await engine.emit(clinicId, "consult:1");
    await until("it is delivered", async () => (await log().finished()).length === 1);
    await send();
    await engine.emit(clinicId, "consult:1");
    await until("the next is delivered", async () => (await log().finished()).length === 3);
    expect(receiver.received.map((r) => r.headers["webhook-sequence"])).toEqual(["1", undefined, "2"]);
  });
});

describe("a test whose process is lost before its answer", () => {
  async function interrupted(): Promise<void> {
    const answering = new Promise<void>((fulfil) => {
      receiver.answer = () => fulfil(); // and never answers
    });
    const lost = send().catch(() => null); // goes on in this process, as if in one that is gone
    await answering;
    receiver.answer = (_got, response) => response.writeHead(200).end();
    lostTests.push(lost);
  }
  const lostTests: Promise<unknown>[] = [];
  afterEach(async () => {
    await receiver.close();
    await Promise.all(lostTests.splice(0));
  });

  test("is left alone by the engine while it may still be under way", async () => {
    await engine.startDispatcher();
    await interrupted();
    await engine.passTime("10 minutes");
    await engine.store.reap();
    expect(await log().hot()).toMatchObject([{ test: true, attempt: 1 }]);
    expect(receiver.received).toHaveLength(1);
  });

  test("is ended after a minute as failed, its outcome unknown, and is not sent again", async () => {
    await engine.startDispatcher();
    await interrupted();
    await engine.owner.query(
      "update deliveries set created_at = created_at - interval '61 seconds' where clinic_id = $1",
      [clinicId],
    );
    await engine.store.reap();
    expect(await log().hot()).toEqual([]);
    expect(await log().finished()).toMatchObject([
      { test: true, state: "given_up", reason: "test_failed", sequence: null },
    ]);
    expect(await log().attempts()).toMatchObject([{ attempt: 1, outcome: "unknown", body_sent: true, status: null }]);
    expect(receiver.received).toHaveLength(1);
  });
});

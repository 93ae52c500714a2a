import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { clinicLog } from "../../test/clinic-log.ts";
import { createTestEngine, type TestEngine, type TestWebhook } from "../../test/engine.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { inClinic } from "../db/pool.ts";
import { type DeliveryKey, uuidv7 } from "../outbox/identifiers.ts";
import { resend } from "./resend.ts";

let engine: TestEngine;
let receiver: Receiver;
let clinicId: number;
let webhook: TestWebhook;
const log = () => clinicLog(engine.owner, () => clinicId);

beforeAll(async () => {
  engine = await createTestEngine();
});
afterAll(() => engine.close());
beforeEach(async () => {
  receiver = await createReceiver();
  clinicId = await engine.createClinic();
  webhook = await engine.createWebhook(clinicId, { url: receiver.url, patient: "all" });
});
afterEach(async () => {
  await engine.stopDispatchers();
  await receiver.close();
});

async function emitOne(subject = "consult:1"): Promise<DeliveryKey> {
  return { eventId: (await engine.emit(clinicId, subject)).id, webhookId: webhook.id, part: 0 };
}

async function deliverOne(subject = "consult:1"): Promise<DeliveryKey> {
  const before = (await log().finished()).length;
  const key = await emitOne(subject);
  await until("it is delivered", async () => (await log().finished()).length === before + 1);
  return key;
}

async function resendOne(key: DeliveryKey, as = clinicId): Promise<void> {
  await inClinic(engine.app, as, (tx) => resend(tx, as, key));
  engine.nudge();
}

describe("a resend", () => {
  test("sends the same delivery again: same id, sequence, version and body, the attempt's number goes on", async () => {
    await engine.startDispatcher();
    const key = await deliverOne();
    await resendOne(key);
    await until(
      "it has come again",
      async () => (await log().finished()).length === 1 && receiver.received.length === 2,
    );
    const [first, second] = receiver.received;
    for (const name of ["webhook-id", "webhook-sequence", "webhook-subject", "webhook-subject-version"]) {
      expect(second?.headers[name]).toBe(first?.headers[name]);
    }
    expect(second?.body).toBe(first?.body);
    expect(receiver.received.map((r) => r.headers["webhook-attempt"])).toEqual(["1", "2"]);
    expect(await log().finished()).toMatchObject([{ state: "delivered", attempt: 2, sequence: 1 }]);
    expect((await log().attempts()).map((a) => a.attempt)).toEqual([1, 2]);
  });

  test("starts one new schedule of ten attempts, and can be sent again after that", async () => {
    await engine.startDispatcher();
    const key = await deliverOne();
    // Of this one delivery: its webhook is neither paced nor parked for it.
    receiver.answer = (_got, response) => response.writeHead(422).end();
    await resendOne(key);
    await until("it is given up", async () => {
      await engine.bringDue();
      return (await log().finished()).length === 1;
    });
    expect(await log().finished()).toMatchObject([
      { state: "given_up", reason: "schedule_ended", attempt: 11, sequence: 1 },
    ]);
    expect(receiver.received.map((r) => Number(r.headers["webhook-attempt"]))).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    ]);
    receiver.answer = (_got, response) => response.writeHead(200).end();
    await resendOne(key);
    await until("it is delivered", async () => (await log().finished()).some((f) => f.state === "delivered"));
    expect(await log().finished()).toMatchObject([{ attempt: 12 }]);
  });

  test("runs outside the order: it waits for nothing of its subject, and nothing waits for it", async () => {
    await engine.startDispatcher();
    const key = await deliverOne();
    const failing = new Set(["2"]);
    receiver.answer = (got, response) =>
      response.writeHead(failing.has(String(got.headers["webhook-subject-version"])) ? 500 : 200).end();
    await emitOne();
    await until("the second fails", async () => (await log().attempts()).length === 2);
    await resendOne(key);
    await until("the first has come again", () => receiver.received.length === 3);
    await until("it has ended", async () => (await log().finished()).length === 1);
    failing.delete("2");
    failing.add("1");
    await resendOne(key);
    await until("the resend fails", () => receiver.received.length === 4);
    await until("the second is delivered while the resend still waits", async () => {
      await engine.bringDue();
      return (await log().finished()).some((f) => f.event_id !== key.eventId);
    });
    expect(await log().hot()).toMatchObject([{ event_id: key.eventId }]);
  });

  test("of what was kept while the webhook was off gives it its number now", async () => {
    await engine.startDispatcher();
    await engine.owner.query("update webhooks set enabled = false, off_reason = 'you' where id = $1", [webhook.id]);
    const key = await emitOne();
    expect(await log().finished()).toMatchObject([{ state: "cancelled", reason: "off", sequence: null }]);
    await engine.owner.query("update webhooks set enabled = true, off_reason = null where id = $1", [webhook.id]);
    await deliverOne("consult:2");
    await resendOne(key);
    await until(
      "both are delivered",
      async () => (await log().finished()).filter((f) => f.state === "delivered").length === 2,
    );
    expect(receiver.received.map((r) => [r.headers["webhook-sequence"], r.headers["webhook-attempt"]])).toEqual([
      ["1", "1"],
      ["2", "1"],
    ]);
  });

  test("that two people ask for at the same time is done once", async () => {
    await engine.startDispatcher();
    const key = await deliverOne();
    await engine.stopDispatchers();
    const asked = await Promise.allSettled(Array.from({ length: 5 }, () => resendOne(key)));
    expect(asked.filter((one) => one.status === "fulfilled")).toHaveLength(1);
    for (const one of asked) if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "still_waiting" });
    expect(await log().hot()).toHaveLength(1);
  });
});

describe("a resend is refused and changes nothing", () => {
  const refused = async (key: DeliveryKey, problem: object, as = clinicId) => {
    const before = [await log().hot(), await log().finished()];
    await expect(resendOne(key, as)).rejects.toMatchObject(problem);
    expect([await log().hot(), await log().finished()]).toEqual(before);
  };

  test("while the delivery is still on its way", async () => {
    await refused(await emitOne(), { status: 409, code: "still_waiting" });
  });

  test("where there is no such delivery: another event, webhook, part or clinic", async () => {
    await engine.startDispatcher();
    const key = await deliverOne();
    const missing = { status: 404, code: "not_found" };
    await refused({ ...key, eventId: uuidv7(Date.now()) }, missing);
    await refused({ ...key, webhookId: key.webhookId + 1_000 }, missing);
    await refused({ ...key, part: 1 }, missing);
    await refused(key, missing, await engine.createClinic());
  });

  test("where the webhook is off or deleted, or the content is no longer kept", async () => {
    await engine.startDispatcher();
    const key = await deliverOne();
    await engine.owner.query("update webhooks set enabled = false, off_reason = 'you' where id = $1", [webhook.id]);
    await refused(key, { status: 409, code: "webhook_off" });
    await engine.owner.query("update webhooks set deleted_at = now() where id = $1", [webhook.id]);
    await refused(key, { status: 409, code: "webhook_deleted" });
    await engine.owner.query("update webhooks set enabled = true, deleted_at = null where id = $1", [webhook.id]);
    await engine.owner.query("delete from events where clinic_id = $1", [clinicId]);
    await refused(key, { status: 409, code: "content_gone" });
  });

  test("where it was a test", async () => {
    await engine.startDispatcher();
    const key = await deliverOne();
    await engine.owner.query("update finished_deliveries set test = true where clinic_id = $1", [clinicId]);
    await refused(key, { status: 409, code: "test_not_resent" });
  });
});

/** What is kept, for how long, and how what waits too long ends. Partitions: partitions.test.ts. */
import { sampleFacts } from "@hookwell/sdk";
import type pg from "pg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { clinicLog } from "../../test/clinic-log.ts";
import { createTestEngine, type TestEngine } from "../../test/engine.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { inClinic } from "../db/pool.ts";
import { silentLog } from "../log.ts";
import { emitMany } from "../outbox/emit.ts";
import { uuidv7 } from "../outbox/identifiers.ts";
import { resend } from "./resend.ts";
import { ANNOUNCED_DAYS_MIN, eraseContent, runRetention, WAITING_DAYS_MIN } from "./retention.ts";

const DAY_MS = 86_400_000;
const OPERATOR_DAYS = 30;
let engine: TestEngine;
let receiver: Receiver;
let clinicId: number;
const log = () => clinicLog(engine.owner, () => clinicId);

beforeEach(async () => {
  [engine, receiver] = await Promise.all([createTestEngine(), createReceiver()]);
  clinicId = await engine.createClinic();
});
afterEach(async () => {
  await engine.close();
  await receiver.close();
});

const query = async (text: string, values: unknown[] = []) => (await engine.owner.query(text, values)).rows;
const optionsOf = (days = OPERATOR_DAYS, owner: pg.Pool = engine.owner) => ({ owner, log: silentLog(), days });
const pass = (days?: number) => runRetention(optionsOf(days));
const choose = (days: number | null, clinic = clinicId) =>
  query("update clinics set retention_days = $2 where id = $1", [clinic, days]);
const events = () =>
  query("select subject, facts is null as erased from events where clinic_id = $1 order by id", [clinicId]);
const notices = () =>
  query("select kind, webhook_id, details from notices where clinic_id = $1 order by id", [clinicId]);

/** A pass that announces, and another one when the notice is as old as it has to be. */
async function announceAndPass(days?: number): Promise<void> {
  await pass(days);
  await ageNotices(ANNOUNCED_DAYS_MIN);
  await pass(days);
}
const ageNotices = (days: number) =>
  query("update notices set created_at = created_at - $1 * interval '1 day', cause = cause || ' earlier'", [days]);
const expired = async () =>
  (await log().finished()).filter(({ reason }) => reason === "expired").map(({ event_id }) => event_id);

/** An event of so many days ago. */
async function emitOld(daysAgo: number, subject = "consult:1"): Promise<string> {
  const id = uuidv7(Date.now() - daysAgo * DAY_MS);
  const event = { id, subject, facts: sampleFacts("participant.added") };
  await inClinic(engine.app, clinicId, (tx) => emitMany(engine, tx, { clinicId, events: [event] }));
  return id;
}

/** The same, delivered so many days ago. */
async function deliverOld(daysAgo: number, subject?: string): Promise<string> {
  const id = await emitOld(daysAgo, subject);
  engine.nudge();
  await until("it is delivered", async () => (await log().hot()).length === 0);
  await query("update finished_deliveries set finished_at = now() - $2 * interval '1 day' where event_id = $1", [
    id,
    daysAgo,
  ]);
  return id;
}

describe("what was delivered", () => {
  beforeEach(async () => {
    await engine.createWebhook(clinicId, { url: receiver.url });
    await engine.startDispatcher();
  });

  test("goes with its attempts after the days that its clinic has chosen, and another clinic's stays for the operator's", async () => {
    await deliverOld(4, "consult:4");
    await deliverOld(2, "consult:2");
    const other = await engine.createClinic();
    await choose(1, other);
    await pass();
    expect(await events()).toHaveLength(2);
    await choose(3);
    await pass();
    expect(await events()).toEqual([{ subject: "consult:2", erased: false }]);
    expect(await log().finished()).toHaveLength(1);
    expect(await log().attempts()).toMatchObject([{ answer: expect.any(Buffer) }]);
    await choose(OPERATOR_DAYS);
    await pass(1); // the operator allows less by now
    expect(await events()).toEqual([]);
  });

  test("loses its content as soon as nothing waits for it where the clinic keeps it for 0 days; the record stays for a day", async () => {
    await choose(0);
    const id = await deliverOld(0);
    await engine.stopDispatchers();
    await engine.emit(clinicId, "consult:waiting");
    await eraseContent(optionsOf());
    expect(await events()).toEqual([
      { subject: "consult:1", erased: true },
      { subject: "consult:waiting", erased: false },
    ]);
    expect(await log().attempts()).toMatchObject([{ outcome: "answered", status: 200, answer: null }]);
    expect(await log().finished()).toMatchObject([{ event_id: id, state: "delivered" }]);
    await query("update finished_deliveries set finished_at = now() - interval '25 hours'");
    await pass();
    expect(await events()).toHaveLength(2); // the event itself is younger than a day
    await engine.startDispatcher();
    await deliverOld(2, "consult:old");
    await pass();
    expect((await events()).map(({ subject }) => subject)).not.toContain("consult:old");
  });

  test("keeps what was answered before for as long as it waits for its retry, and loses it afterwards", async () => {
    await choose(0);
    receiver.answer = (_request, response) => void response.writeHead(500).end("no");
    await engine.emit(clinicId, "consult:1");
    await until("it has failed", async () => (await log().attempts()).length === 1);
    await eraseContent(optionsOf());
    expect(await log().attempts()).toMatchObject([{ status: 500, answer: expect.any(Buffer) }]);
    receiver.answer = (_request, response) => void response.writeHead(200).end("yes");
    await engine.bringDue();
    await until("it is delivered", async () => (await log().hot()).length === 0);
    await eraseContent(optionsOf());
    expect((await log().attempts()).map(({ answer }) => answer)).toEqual([null, null]);
  });

  test("is gone in rows of the default partition, too, when the operator's days are over", async () => {
    await deliverOld(OPERATOR_DAYS + 2);
    await deliverOld(OPERATOR_DAYS - 1, "consult:2");
    await pass();
    expect((await events()).map(({ subject }) => subject)).toEqual(["consult:2"]);
    expect([await log().finished(), await log().attempts()].map((rows) => rows.length)).toEqual([1, 1]);
  });

  test("cannot be sent again once its content is gone, whether erased or dropped, and nothing is changed then", async () => {
    await choose(0);
    const eventId = await deliverOld(0);
    const [{ webhook_id: webhookId }] = (await log().finished()) as [{ webhook_id: number }];
    const again = () => inClinic(engine.app, clinicId, (tx) => resend(tx, clinicId, { eventId, webhookId, part: 0 }));
    await eraseContent(optionsOf());
    await expect(again()).rejects.toMatchObject({ code: "content_gone" });
    await query("delete from events");
    await expect(again()).rejects.toMatchObject({ code: "content_gone" });
    expect([(await log().finished()).length, (await log().hot()).length]).toEqual([1, 0]);
  });
});

describe("what waits", () => {
  const off = () => engine.createWebhook(clinicId, { url: receiver.url });

  test("is announced once some days before, and then ends as cancelled: expired before its content goes", async () => {
    const webhook = await off();
    await emitOld(OPERATOR_DAYS - 7, "consult:later");
    await pass();
    expect(await notices()).toEqual([]);
    const eventId = await emitOld(OPERATOR_DAYS - 5, "consult:soon");
    await pass();
    await pass();
    const [notice, ...more] = await notices();
    expect([notice, more]).toMatchObject([{ kind: "deliveries.expiring", webhook_id: webhook.id }, []]);
    // It ends a day before its content goes. The clinic is in Toronto.
    const endsOn = Temporal.Now.instant()
      .add({ hours: 24 * 4 })
      .toZonedDateTimeISO("America/Toronto")
      .toPlainDate();
    const told = JSON.parse(notice?.details) as { waiting: number; expires_at: string };
    const toldDay = Temporal.Instant.from(told.expires_at).toZonedDateTimeISO("America/Toronto").toPlainDate();
    expect([told.waiting, toldDay.toString()]).toEqual([1, endsOn.toString()]);
    expect(await log().hot()).toHaveLength(2);

    await ageNotices(2);
    const old = await emitOld(OPERATOR_DAYS - 1, "consult:old"); // it is in none of the notices so far
    await ageNotices(ANNOUNCED_DAYS_MIN - 2);
    await announceAndPass();
    expect(await log().finished()).toMatchObject([
      { event_id: old, state: "cancelled", reason: "expired", attempt: 0 },
    ]);
    expect((await log().hot()).map((row) => row.event_id)).toContain(eventId);
    expect((await events()).map(({ subject }) => subject)).toContain("consult:old"); // for a day, so that one can see what ended
  });

  test("keeps its content for longer than any schedule, however few days its clinic or the operator has chosen", async () => {
    await off();
    await choose(0);
    await emitOld(WAITING_DAYS_MIN - 2, "consult:kept");
    await emitOld(WAITING_DAYS_MIN, "consult:over");
    await announceAndPass(0);
    expect((await log().hot()).map((row) => row.order_key)).toEqual(["consult:kept"]);
    expect(await log().finished()).toMatchObject([{ state: "cancelled", reason: "expired" }]);
    expect(await events()).toMatchObject([
      { subject: "consult:over", erased: true },
      { subject: "consult:kept", erased: false },
    ]);
  });

  test("is not ended while it is being sent, and an attempt that was lost with its node is said to be unknown", async () => {
    await off();
    await emitOld(OPERATOR_DAYS);
    const node = await engine.store.register("one", 30_000);
    await engine.store.take(node, { webhooks: 8, perWebhook: 8, suspect: false });
    await announceAndPass();
    expect(await log().hot()).toHaveLength(1);
    await query("update deliveries set begun_at = now() - interval '1 hour'");
    await pass();
    expect(await log().finished()).toMatchObject([{ state: "cancelled", reason: "expired", attempt: 1, sequence: 1 }]);
    expect(await log().attempts()).toMatchObject([{ attempt: 1, outcome: "unknown" }]);
  });

  test("behind one that has expired is delivered, without waiting for anything else", async () => {
    await off();
    await emitOld(OPERATOR_DAYS, "consult:1");
    await engine.emit(clinicId, "consult:1");
    // As after a failed attempt: the subject's head is due in a day, and the webhook sleeps until then.
    await query("update deliveries set due_at = now() + interval '1 day' where id = (select min(id) from deliveries)");
    await engine.startDispatcher();
    await until("the webhook sleeps", async () => (await query("select from runs where owner is null")).length === 1);
    expect(receiver.received).toEqual([]);
    await announceAndPass();
    await until("the later one is delivered", async () => (await log().hot()).length === 0);
    expect(receiver.received).toHaveLength(1);
  });

  test("is ended only after a notice that names it, though fewer days are chosen of a sudden", async () => {
    const webhook = await off();
    const eventId = await emitOld(WAITING_DAYS_MIN + 5);
    await pass();
    expect(await notices()).toEqual([]);
    await choose(3);
    await pass();
    await pass();
    expect(await notices()).toMatchObject([{ kind: "deliveries.expiring", webhook_id: webhook.id }]);
    const { expires_at } = JSON.parse((await notices())[0]?.details);
    const leftMs = Temporal.Instant.from(expires_at).epochMilliseconds - Date.now();
    expect(leftMs).toBeGreaterThan((ANNOUNCED_DAYS_MIN - 1) * DAY_MS); // the day on which it ends, not one that is over
    await ageNotices(ANNOUNCED_DAYS_MIN - 0.1);
    await pass();
    expect([await expired(), await events()]).toMatchObject([[], [{ erased: false }]]);
    await ageNotices(0.1);
    await pass();
    expect(await expired()).toEqual([eventId]);
  });

  test("because it was sent again on its last day is ended only after a notice that names it", async () => {
    const webhook = await off();
    const old = await emitOld(OPERATOR_DAYS, "consult:old");
    const again = await emitOld(OPERATOR_DAYS, "consult:again");
    await announceAndPass();
    expect((await expired()).toSorted()).toEqual([old, again].toSorted());
    const key = { eventId: again, webhookId: webhook.id, part: 0 };
    await inClinic(engine.app, clinicId, (tx) => resend(tx, clinicId, key));
    await ageNotices(ANNOUNCED_DAYS_MIN);
    await pass();
    expect(await expired()).toEqual([old]);
    expect(await notices()).toHaveLength(2);
    await pass();
    expect(await expired()).toEqual([old]);
    await ageNotices(ANNOUNCED_DAYS_MIN);
    await pass();
    expect((await expired()).toSorted()).toEqual([old, again].toSorted());
  });

  test("and whose event is gone all the same is ended by the engine, and holds nothing up", async () => {
    await off();
    await emitOld(0, "consult:1");
    await emitOld(0, "consult:2");
    await query("delete from events where subject = 'consult:1'");
    await query("update events set facts = null where subject = 'consult:2'");
    await engine.emit(clinicId, "consult:1");
    await engine.emit(clinicId, "consult:3");
    await engine.startDispatcher();
    await until("nothing waits", async () => (await log().hot()).length === 0);
    const ended = (await log().finished()).map(({ state, reason, sequence }) => [state, reason, sequence]);
    expect(ended.filter(([state]) => state === "cancelled").map(([, reason]) => reason)).toEqual([
      "expired",
      "expired",
    ]);
    expect(receiver.received.map((r) => r.headers["webhook-subject"]).toSorted()).toEqual(["consult:1", "consult:3"]);
    expect(ended.map(([, , sequence]) => sequence).toSorted()).toEqual([1, 2, 3, 4]);
    const attempts = await log().attempts();
    expect(attempts.filter((a) => a.outcome === "failed_here")).toMatchObject([
      { body_sent: false },
      { body_sent: false },
    ]);
  });
});

test("a pass that is cut off before any of its statements leaves what the next one finishes", async () => {
  const webhook = await engine.createWebhook(clinicId, { url: receiver.url });
  await choose(3);
  const finish = async (id: string) => {
    await query(
      `with d as (delete from deliveries where event_id = $1 returning *)
       insert into finished_deliveries (clinic_id, event_id, webhook_id, part, participants_per_request, choice_practitioner,
         choice_patient, test, attempt, state, created_at, finished_at)
       select clinic_id, event_id, webhook_id, part, participants_per_request, choice_practitioner, choice_patient, test, 1,
         'delivered', created_at, created_at - interval '5 days' from d`,
      [id],
    );
  };
  for (let statement = 1; ; statement++) {
    for (const daysAgo of [2, 4, OPERATOR_DAYS + 3]) await finish(await emitOld(daysAgo, `consult:${daysAgo}`));
    await emitOld(WAITING_DAYS_MIN, "consult:waits");
    await announced(webhook.id);
    const cut = await runRetention(optionsOf(OPERATOR_DAYS, cutOff(engine.owner, statement))).catch(
      (error: Error) => error,
    );
    if (!(cut instanceof Error)) {
      expect(statement).toBeGreaterThan(30); // it has no more statements
      break;
    }
    expect(cut.message).toBe("cut off");
    await pass();
    expect((await events()).map(({ subject }) => subject).toSorted()).toEqual(["consult:2", "consult:waits"]);
    expect(await log().finished()).toMatchObject([
      { reason: "expired", webhook_id: webhook.id },
      { state: "delivered" },
    ]);
    await query("delete from finished_deliveries");
    await query("delete from events");
  }
});

/** A notice of long enough ago that names whatever of the webhook waits now. */
async function announced(webhookId: number): Promise<void> {
  await query(
    `insert into notices (clinic_id, kind, webhook_id, cause, details, created_at)
     select $1, 'deliveries.expiring', $2, gen_random_uuid()::text,
       json_build_object('up_to', max(id), 'before', instant_bound(now()))::text, now() - interval '4 days'
     from deliveries where webhook_id = $2`,
    [clinicId, webhookId],
  );
}

/** A pool whose process is gone from its n-th statement on. */
function cutOff(pool: pg.Pool, statement: number): pg.Pool {
  let count = 0;
  const query = async (text: string, values?: unknown[]) => {
    count += 1;
    if (count >= statement) throw new Error("cut off");
    return pool.query(text, values);
  };
  return { query } as unknown as pg.Pool;
}

/**
 * A test send: invented people, the real path (render, sign, egress, deadline), marked by a header, never retried, answered
 * with what the receiver really said (contract §6).
 *
 * It is written down as begun before anything leaves and settled like any delivery, so that it shows in the log; it carries
 * no sequence and no subject, runs outside the order, and works on drafts, too.
 */
import { type DataChoice, type EventName, PARTICIPANTS_PER_REQUEST_MAX, sampleFacts } from "@hookwell/sdk";
import { sql } from "kysely";
import type { Clock } from "../clock.ts";
import { inClinic } from "../db/pool.ts";
import type { Db, Tx } from "../db/schema.ts";
import type { Outcome } from "../egress/outcome.ts";
import { conflict, notFound, ProblemError } from "../errors.ts";
import { deliveryId, uuidv7 } from "../outbox/identifiers.ts";
import type { Seal } from "../seal/seal.ts";
import type { RunKey, Sendable } from "./engine-store.ts";
import type { Attempted, Sender } from "./sender.ts";
import type { DeliveryStore } from "./store.ts";
import type { Target, Targets } from "./targets.ts";

/** Between two tests of an address that has not answered yet (security.md, Amplification). */
const TEST_EVERY_MS = 1_000;
/** For so long a test waits for its turn at most. */
const TESTS_WAIT_MS_MAX = 3_000;
const PAUSED = "The administrator of this server has paused sending. What waits is kept and goes out afterwards.";

export interface TestSendContext {
  /** runs as hookwell_app */
  db: Db;
  seal: Seal;
  clock: Clock;
  store: DeliveryStore;
  targets: Targets;
  sender: Sender;
}

export interface TestSend {
  clinicId: number;
  webhookId: number;
  event: EventName;
  /** Settings that hold for this one test only, checked by the caller; secret and custom headers are always the saved ones. */
  changes?: TestChanges | undefined;
}

export interface TestChanges {
  url: string;
  choice: DataChoice;
  oneParticipantPerRequest: boolean;
}

export interface TestSent {
  /** the webhook-id of the test */
  deliveryId: string;
  outcome: Outcome["kind"];
  attempted: Attempted;
}

/** Sends one test and waits for its end, at most the deadline of a delivery. Problem: 404 for a webhook that is not there. */
export async function sendTest(context: TestSendContext, test: TestSend): Promise<TestSent> {
  const saved = await context.targets.load(test);
  if (saved === null) throw notFound("webhook");
  const { changes } = test;
  const target = changes === undefined ? saved : { ...saved, url: changes.url, choice: changes.choice };
  await waitTurn(context, { ...test, isNew: changes !== undefined && changes.url !== saved.url });
  const begun = await inClinic(context.db, test.clinicId, async (tx) => {
    await refusePaused(tx, test); // anew: it may have waited for its turn meanwhile
    return beginTest(context, tx, { ...test, target });
  });
  const attempted = await context.sender.sendTo(begun, target);
  const startedMsAgo = context.clock.monotonicMs() - attempted.startedMs;
  await context.store.settle([{ ...attempted.settled, startedMsAgo }]);
  return { deliveryId: deliveryId(begun), outcome: attempted.settled.outcome as Outcome["kind"], attempted };
}

interface TurnAsked extends RunKey {
  /** an address that is tried before it is saved */
  isNew: boolean;
}

interface Turn {
  paused: boolean;
  wait_ms: number;
}

/**
 * An address that has not answered 2xx yet gets one test a second, whoever sends them and from whichever node; one that is
 * tried before it is saved has answered nobody. Throws 409 `sending_paused` and 429 `too_many_tests`.
 */
async function waitTurn({ db, clock }: TestSendContext, { clinicId, webhookId, isNew }: TurnAsked): Promise<void> {
  const turn = await inClinic(db, clinicId, async (tx) => {
    const { rows } = await sql<Turn>`
      with turn as (
        select w.clinic_id, w.id, w.paused, ${isNew} or r.answered_at is null as slow,
          greatest(now(), w.tested_at + ${TEST_EVERY_MS}::float8 * interval '1 ms') as next
        from webhooks w join runs r on r.clinic_id = w.clinic_id and r.webhook_id = w.id
        where w.clinic_id = ${clinicId} and w.id = ${webhookId} for no key update of w),
      taken as (
        update webhooks w set tested_at = t.next from turn t
        where w.clinic_id = t.clinic_id and w.id = t.id and t.slow and not t.paused
          and t.next <= now() + ${TESTS_WAIT_MS_MAX}::float8 * interval '1 ms')
      select paused, case when slow then extract(epoch from next - now()) * 1000 else 0 end::float8 as wait_ms
      from turn`.execute(tx);
    return rows[0];
  });
  if (turn === undefined) throw notFound("webhook");
  if (turn.paused) throw conflict("sending_paused", PAUSED);
  if (turn.wait_ms > TESTS_WAIT_MS_MAX) throw tooManyTests();
  if (turn.wait_ms > 0) await new Promise<void>((fulfil) => clock.after(turn.wait_ms, fulfil));
}

async function refusePaused(tx: Tx, { clinicId, webhookId }: RunKey): Promise<void> {
  const isThis = { clinic_id: clinicId, id: webhookId };
  const row = await tx
    .selectFrom("webhooks")
    .select("paused")
    .where((eb) => eb.and(isThis))
    .executeTakeFirst();
  if (row?.paused) throw conflict("sending_paused", PAUSED);
}

function tooManyTests(): ProblemError {
  return new ProblemError({
    status: 429,
    code: "too_many_tests",
    title: "This address has not answered yet, so it gets one test a second. Wait a few seconds, then try again.",
    retryAfterSeconds: Math.ceil(TESTS_WAIT_MS_MAX / 1_000),
  });
}

async function beginTest(context: TestSendContext, tx: Tx, test: TestSend & { target: Target }): Promise<Sendable> {
  const { clinicId, webhookId, target } = test;
  const eventId = uuidv7(context.clock.now().epochMilliseconds);
  const clinicSeal = await context.seal.forClinic(tx, clinicId);
  const facts = clinicSeal.seal({ column: "events.facts", row: eventId }, JSON.stringify(sampleFacts(test.event)));
  const subject = `test:${eventId}`;
  const stored = { clinic_id: clinicId, id: eventId, name: test.event, subject, subject_version: 0, test: true, facts };
  await tx.insertInto("events").values(stored).execute();
  const isAlone = test.changes?.oneParticipantPerRequest ?? (await sendsOneParticipant(tx, test));
  const participantsPerRequest = isAlone ? 1 : PARTICIPANTS_PER_REQUEST_MAX;
  const { id } = await tx
    .insertInto("deliveries")
    .values({
      clinic_id: clinicId,
      webhook_id: webhookId,
      event_id: eventId,
      participants_per_request: participantsPerRequest,
      order_key: subject,
      choice_practitioner: target.choice.practitioner,
      choice_patient: target.choice.patient,
      test: true,
      attempt: 1,
      fence: 0,
      begun_at: sql<Temporal.Instant>`now()`,
      due_at: sql<Temporal.Instant>`'infinity'`, // never claimed by the engine
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  const begun = {
    clinicId,
    webhookId,
    id,
    eventId,
    part: 0,
    participantsPerRequest,
    orderKey: subject,
    choice: target.choice,
  };
  const event = { name: test.event, subject, subjectVersion: 0, facts };
  return { ...begun, test: true, sequence: null, attempt: 1, scheduleStart: 0, fence: 0, event };
}

async function sendsOneParticipant(tx: Tx, { clinicId, webhookId }: TestSend): Promise<boolean> {
  const options = await tx
    .selectFrom("webhooks")
    .select("one_participant_per_request")
    .where("clinic_id", "=", clinicId)
    .where("id", "=", webhookId)
    .executeTakeFirstOrThrow();
  return options.one_participant_per_request;
}

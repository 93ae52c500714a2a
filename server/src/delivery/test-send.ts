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
import { notFound } from "../errors.ts";
import { deliveryId, uuidv7 } from "../outbox/identifiers.ts";
import type { Seal } from "../seal/seal.ts";
import type { Sendable } from "./engine-store.ts";
import type { Attempted, Sender } from "./sender.ts";
import type { DeliveryStore } from "./store.ts";
import type { Target, Targets } from "./targets.ts";

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
  const begun = await inClinic(context.db, test.clinicId, (tx) => beginTest(context, tx, { ...test, target }));
  const attempted = await context.sender.sendTo(begun, target);
  const startedMsAgo = context.clock.monotonicMs() - attempted.startedMs;
  await context.store.settle([{ ...attempted.settled, startedMsAgo }]);
  return { deliveryId: deliveryId(begun), outcome: attempted.settled.outcome as Outcome["kind"], attempted };
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

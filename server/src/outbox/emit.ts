/**
 * The only door between the clinic and delivery.
 *
 * Owns: storing an event and fanning it out, in the caller's transaction. Promises: the event, one delivery per part for
 * each webhook that listens, and the bells that wake the engine commit together with the change itself or not at all; the
 * subject's version rises in commit order; no row that other transactions write is touched but the subject's own.
 * Does not: render, sign or send anything, nor wake the engine (the caller nudges it after the commit).
 */
import { countParts, type Facts, PARTICIPANTS_PER_REQUEST_MAX } from "@hookwell/sdk";
import { sql } from "kysely";
import type { Clock } from "../clock.ts";
import type { Tx } from "../db/schema.ts";
import type { Seal } from "../seal/seal.ts";
import { uuidv7 } from "./identifiers.ts";

/** What emit() needs besides the transaction. */
export interface OutboxContext {
  seal: Seal;
  clock: Clock;
}

export interface NewEvent {
  clinicId: number;
  /** `consult:<id>`, `invoice:<id>`, … (contract §7, Subjects) */
  subject: string;
  facts: Facts;
}

export interface EmittedEvent {
  id: string;
  subjectVersion: number;
}

/**
 * Stores one event and its deliveries.
 *
 * Call it in the order in which the events of one subject shall arrive. A webhook that is off by its manager or by us, but
 * still has the event ticked, gets the delivery kept as "cancelled: off", so that it can be recovered (contract §6).
 * Facts about nobody (a consult without participants) make no event (contract §3 rule 3): that is the caller's to know.
 */
export async function emit(context: OutboxContext, tx: Tx, event: NewEvent): Promise<EmittedEvent> {
  const id = uuidv7(context.clock.now().epochMilliseconds);
  const clinicSeal = await context.seal.forClinic(tx, event.clinicId);
  const facts = clinicSeal.seal({ column: "events.facts", row: id }, JSON.stringify(event.facts));
  const partsWhole = countParts(event.facts, PARTICIPANTS_PER_REQUEST_MAX);
  const partsSingle = countParts(event.facts, 1);
  if (partsWhole < 1) throw new Error(`an event about nobody was emitted: ${event.facts.event} of ${event.subject}`);

  const { rows } = await sql<{ version: number }>`
    with bumped as (
      insert into subjects as s (clinic_id, subject, version) values (${event.clinicId}, ${event.subject}, 1)
      on conflict (clinic_id, subject) do update set version = s.version + 1
      returning version),
    stored as (
      insert into events (clinic_id, id, name, subject, subject_version, facts)
      select ${event.clinicId}, ${id}::uuid, ${event.facts.event}, ${event.subject}, version, ${facts} from bumped
      returning id),
    listening as materialized (
      select w.id, w.enabled, w.include_practitioner, w.include_patient, p.part,
        case when w.one_participant_per_request then 1 else ${PARTICIPANTS_PER_REQUEST_MAX}::int end as per_request
      from bumped cross join webhooks w
        cross join lateral generate_series(0,
          case when w.one_participant_per_request then ${partsSingle}::int else ${partsWhole}::int end - 1) as p (part)
      where w.clinic_id = ${event.clinicId} and ${event.facts.event} = any (w.events)
        and not w.draft and w.deleted_at is null
      order by w.id, p.part),
    fanned_out as (
      insert into deliveries (clinic_id, webhook_id, event_id, part, participants_per_request, order_key,
        choice_practitioner, choice_patient)
      select ${event.clinicId}, l.id, ${id}::uuid, l.part, l.per_request, ${event.subject}, l.include_practitioner, l.include_patient
      from listening l where l.enabled order by l.id, l.part),
    kept_as_off as (
      insert into finished_deliveries (clinic_id, event_id, webhook_id, part, participants_per_request,
        choice_practitioner, choice_patient, test, attempt, state, reason, created_at)
      select ${event.clinicId}, ${id}::uuid, l.id, l.part, l.per_request, l.include_practitioner, l.include_patient,
        false, 0, 'cancelled', 'off', now()
      from listening l where not l.enabled),
    rung as (
      insert into bells (clinic_id, webhook_id)
      select distinct ${event.clinicId}::bigint, l.id from listening l where l.enabled)
    select version from bumped`.execute(tx);
  const version = rows[0]?.version;
  if (version === undefined) throw new Error(`the outbox stored no event for ${event.subject}`);
  return { id, subjectVersion: version };
}

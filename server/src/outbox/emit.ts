/**
 * The only door between the clinic and delivery.
 *
 * Owns: storing events and fanning them out, in the caller's transaction. Promises: the events, one delivery per part for
 * each webhook that listens, and the bells that wake the engine commit together with the change itself or not at all; the
 * subject's version rises in commit order; no row that other transactions write is touched but the subjects' own, and
 * those are locked in one order, so that two batches never wait for each other in a ring.
 * Does not: render, sign or send anything, nor wake the engine (the caller nudges it after the commit).
 */
import { countParts, type Facts, PARTICIPANTS_PER_REQUEST_MAX } from "@hookwell/sdk";
import { type RawBuilder, sql } from "kysely";
import type { Clock } from "../clock.ts";
import type { Tx } from "../db/schema.ts";
import type { ClinicSeal, Seal } from "../seal/seal.ts";
import { uuidv7 } from "./identifiers.ts";

/** What one call of emitMany() takes: it bounds the memory of a batch, here and in the database. */
export const EVENTS_PER_BATCH_MAX = 1_000;

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
  /** Webhooks that have something to send now, by this event or another of its batch: for whoever wakes the engine. */
  woken: readonly number[];
}

/**
 * Stores one event and its deliveries.
 *
 * Call it in the order in which the events of one subject shall arrive. A webhook that is off by its manager or by us, but
 * still has the event ticked, gets the delivery kept as "cancelled: off", so that it can be recovered (contract §6).
 * Facts about nobody (a consult without participants) make no event (contract §3 rule 3): that is the caller's to know.
 */
export async function emit(context: OutboxContext, tx: Tx, event: NewEvent): Promise<EmittedEvent> {
  const [emitted] = await emitMany(context, tx, { clinicId: event.clinicId, events: [event] });
  if (emitted === undefined) throw new Error(`the outbox stored no event for ${event.subject}`);
  return emitted;
}

export interface Batch {
  clinicId: number;
  /** At most EVENTS_PER_BATCH_MAX, in the order in which they happened. */
  events: readonly BatchEvent[];
}

export interface BatchEvent extends Omit<NewEvent, "clinicId"> {
  /** From uuidv7(), where the caller has written it down already; drawn here otherwise. */
  id?: string;
}

/**
 * Stores up to EVENTS_PER_BATCH_MAX events of one clinic and their deliveries in one statement, whatever their number.
 *
 * Promises what emit() promises, for each of them; several events of one subject get their versions, and their deliveries
 * their order, as they stand in the list. Returns them in the order of the list.
 * @throws RangeError beyond EVENTS_PER_BATCH_MAX, which is the caller's bug
 */
export async function emitMany(context: OutboxContext, tx: Tx, batch: Batch): Promise<EmittedEvent[]> {
  const { clinicId, events } = batch;
  if (events.length === 0) return [];
  if (events.length > EVENTS_PER_BATCH_MAX) throw new RangeError(`a batch has at most ${EVENTS_PER_BATCH_MAX} events`);
  const seal = await context.seal.forClinic(tx, clinicId);
  const millis = context.clock.now().epochMilliseconds;
  const rows = events.map((event) => toRow(event, seal, event.id ?? uuidv7(millis)));
  const { rows: stored } = await store(clinicId, rows).execute(tx);
  if (stored.length !== rows.length) throw new Error(`the outbox stored ${stored.length} of ${rows.length} events`);
  const woken = stored[0]?.woken ?? [];
  return rows.map(({ id }, at) => ({ id, subjectVersion: (stored[at] as StoredRow).version, woken }));
}

interface EventRow {
  readonly id: string;
  readonly name: string;
  readonly subject: string;
  readonly facts: Buffer;
  /** Requests it makes, and how many where each participant has one of his own. */
  readonly partsWhole: number;
  readonly partsSingle: number;
}

function toRow({ subject, facts }: BatchEvent, seal: ClinicSeal, id: string): EventRow {
  const partsWhole = countParts(facts, PARTICIPANTS_PER_REQUEST_MAX);
  if (partsWhole < 1) throw new Error(`an event about nobody was emitted: ${facts.event} of ${subject}`);
  return {
    ...{ id, subject, partsWhole },
    name: facts.event,
    facts: seal.seal({ column: "events.facts", row: id }, JSON.stringify(facts)),
    partsSingle: countParts(facts, 1),
  };
}

interface StoredRow {
  readonly version: number;
  /** Of the whole batch, in its first row alone. */
  readonly woken: number[] | null;
}

/** The subjects of a batch in the one order in which every transaction locks them, and each event's place among them. */
interface SubjectPlaces {
  readonly subjects: readonly string[];
  /** How many events each has. */
  readonly counts: readonly number[];
  /** For each event: its subject's place, from 1, and how many events of that subject come after it. */
  readonly places: readonly number[];
  readonly later: readonly number[];
}

function placesOf(rows: readonly EventRow[]): SubjectPlaces {
  const subjects = [...new Set(rows.map(({ subject }) => subject))].sort(byBytes);
  const place = new Map(subjects.map((subject, at) => [subject, at + 1]));
  const places = rows.map(({ subject }) => place.get(subject) as number);
  const counts = subjects.map(() => 0);
  const later = places
    .toReversed()
    .map((at) => {
      const seen = counts[at - 1] as number;
      counts[at - 1] = seen + 1;
      return seen;
    })
    .reverse();
  return { subjects, counts, places, later };
}

/** The order of PostgreSQL's collation "C". */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Where each event's sealed facts begin in the one value that carries them all, counted from 1 as SQL does. */
function beginnings(rows: readonly EventRow[]): number[] {
  let next = 1;
  return rows.map(({ facts }) => {
    const begin = next;
    next += facts.length;
    return begin;
  });
}

/**
 * The statement. Versions are handed from CTE to CTE as one array, read by place: no join whose plan depends on how many
 * events there are, so that one prepared plan serves them all (planning takes longer than storing an event).
 */
function store(clinicId: number, rows: readonly EventRow[]): RawBuilder<StoredRow> {
  const column = <Value>(read: (row: EventRow) => Value) => rows.map(read);
  const { subjects, counts, places, later } = placesOf(rows);
  return sql<StoredRow>`/* prepared emit */
    with given as materialized (
      select * from unnest(${column(({ id }) => id)}::uuid[], ${column(({ name }) => name)}::text[],
        ${column(({ subject }) => subject)}::text[], ${places}::int[], ${later}::int[],
        ${column(({ partsWhole }) => partsWhole)}::int[], ${column(({ partsSingle }) => partsSingle)}::int[],
        ${beginnings(rows)}::int[], ${column(({ facts }) => facts.length)}::int[])
      with ordinality as g (id, name, subject, subject_at, later, parts_whole, parts_single, facts_begin, facts_bytes, place)),
    bumped as (
      insert into subjects as s (clinic_id, subject, version)
      select ${clinicId}::bigint, u.subject, u.events from unnest(${subjects}::text[], ${counts}::int[]) as u (subject, events)
      order by u.subject collate "C"
      on conflict (clinic_id, subject) do update set version = s.version + excluded.version
      returning subject, version),
    versions as materialized (select array_agg(b.version order by b.subject collate "C") as of_subject from bumped b),
    numbered as materialized (select g.*, v.of_subject[g.subject_at] - g.later as version from given g cross join versions v),
    stored as (
      insert into events (clinic_id, id, name, subject, subject_version, facts)
      select ${clinicId}::bigint, n.id, n.name, n.subject, n.version,
        substring(${Buffer.concat(column(({ facts }) => facts))}::bytea from n.facts_begin for n.facts_bytes)
      from numbered n),
    listening as materialized (
      select n.id as event_id, n.subject, n.place, w.id, w.enabled, w.include_practitioner, w.include_patient, p.part,
        case when w.one_participant_per_request then 1 else ${PARTICIPANTS_PER_REQUEST_MAX}::int end as per_request
      from numbered n
        join webhooks w on w.clinic_id = ${clinicId} and n.name = any (w.events) and not w.draft and w.deleted_at is null
        cross join lateral generate_series(0,
          case when w.one_participant_per_request then n.parts_single else n.parts_whole end - 1) as p (part)),
    fanned_out as (
      insert into deliveries (clinic_id, webhook_id, event_id, part, participants_per_request, order_key,
        choice_practitioner, choice_patient)
      select ${clinicId}::bigint, l.id, l.event_id, l.part, l.per_request, l.subject, l.include_practitioner, l.include_patient
      from listening l where l.enabled order by l.place, l.id, l.part),
    kept_as_off as (
      insert into finished_deliveries (clinic_id, event_id, webhook_id, part, participants_per_request,
        choice_practitioner, choice_patient, test, attempt, state, reason, created_at)
      select ${clinicId}::bigint, l.event_id, l.id, l.part, l.per_request, l.include_practitioner, l.include_patient,
        false, 0, 'cancelled', 'off', now()
      from listening l where not l.enabled),
    woken as materialized (select distinct l.id from listening l where l.enabled),
    rung as (
      insert into bells (clinic_id, webhook_id) select ${clinicId}::bigint, w.id from woken w)
    select n.version, case when n.place = 1 then (select array_agg(w.id) from woken w) end as woken
    from numbered n order by n.place`;
}

/**
 * Reading what was, is and will be delivered: the unfinished and the finished deliveries as one list, and one delivery.
 * Only reads. The list goes by the key (event, webhook, part), newest first, which both tables are indexed by.
 */
import type { BlockChoice, EventName } from "@hookwell/sdk";
import { type RawBuilder, sql } from "kysely";
import type { Tx } from "../db/schema.ts";
import type { DeliveryKey } from "../outbox/identifiers.ts";
import { isPlanned, type Waiting, waitingOf } from "./waiting.ts";

/** Of so many events the deliveries are looked up one by one. */
const FEW_EVENTS_MAX = 2_000;

type DeliveryState = "waiting" | "sending" | "delivered" | "given_up" | "cancelled";

export interface LoggedDelivery extends DeliveryKey {
  event: EventName;
  webhookName: string;
  subject: string;
  subjectVersion: number;
  sequence: number | null;
  participantsPerRequest: number;
  choice: { practitioner: BlockChoice; patient: BlockChoice };
  test: boolean;
  state: DeliveryState;
  reason: string | null;
  attempts: number;
  /** Null where it does not wait. */
  waiting: Waiting | null;
  /** Null where no time can be named. */
  nextAttemptAt: Temporal.Instant | null;
  /** While its receiver is parked: since when it has been failing. */
  parkedSince: Temporal.Instant | null;
  /** Attempts that belong to schedules before this one. */
  scheduleStart: number;
  /** Sealed; of its webhook, as it is now. */
  webhookUrl: Buffer;
  /** Of the attempt that is under way. */
  begunAt: Temporal.Instant | null;
  createdAt: Temporal.Instant;
  finishedAt: Temporal.Instant | null;
}

export interface DeliveryQuery {
  readonly clinicId: number;
  readonly webhookId?: number | undefined;
  readonly event?: EventName | undefined;
  readonly subject?: string | undefined;
  /** `failed`: ended without being delivered. */
  readonly state?: "delivered" | "waiting" | "failed" | undefined;
  /** All deliveries of one event; with `exact`, the one. */
  readonly eventId?: string | undefined;
  readonly exact?: DeliveryKey | undefined;
  /** Ids of events: the lowest that is wanted, and the lowest that no longer is. */
  readonly from?: string | undefined;
  readonly until?: string | undefined;
  /** The last one of the page before. */
  readonly after?: DeliveryKey | undefined;
  readonly limit: number;
}

/** A page of deliveries, newest first. */
export async function readDeliveries(tx: Tx, query: DeliveryQuery): Promise<LoggedDelivery[]> {
  const statement = deliveriesStatement(query, { byEvents: await isOfFewEvents(tx, query) });
  return (await statement.execute(tx)).rows.map(toDelivery);
}

/**
 * Whether the events that are asked for are so few that their deliveries are found from them; otherwise they are frequent
 * among the deliveries. PostgreSQL would not see it: it takes each look into one day's partition for a look into all.
 */
export async function isOfFewEvents(tx: Tx, query: DeliveryQuery): Promise<boolean> {
  const { clinicId, event, subject } = query;
  if (event === undefined && subject === undefined) return false;
  const conditions = [sql`e.clinic_id = ${clinicId}`, ...ofEvent(query)];
  const some = sql`select from events e where ${sql.join(conditions, sql` and `)} limit ${FEW_EVENTS_MAX + 1}`;
  const { rows } = await sql<{ found: number }>`select count(*) as found from (${some}) few`.execute(tx);
  return Number(rows[0]?.found) <= FEW_EVENTS_MAX;
}

/** The statement of a page. However many a clinic has, it looks at few more than it shows (delivery-log.test.ts). */
export function deliveriesStatement(query: DeliveryQuery, { byEvents }: { byEvents: boolean }) {
  return byEvents ? named(sql`(${byFewEvents(query)})`, query.limit) : allOf(query);
}

function allOf(query: DeliveryQuery) {
  return named(sql.join(partsOf(query), sql` union all `), query.limit);
}

/** Of which event, where the statement goes from event to event. */
type Query = DeliveryQuery & { readonly ofEvent?: RawBuilder<unknown> };

function partsOf(query: Query) {
  return [
    ...(query.state === undefined || query.state === "waiting" ? [sql`(${unfinished(query)})`] : []),
    ...(query.state !== "waiting" ? [sql`(${finished(query)})`] : []),
  ];
}

/** One delivery; null where this clinic has none with that key. */
export async function readDelivery(tx: Tx, clinicId: number, key: DeliveryKey): Promise<LoggedDelivery | null> {
  const [found] = await readDeliveries(tx, { clinicId, limit: 1, exact: key });
  return found ?? null;
}

/** From each event to its deliveries, in both tables. */
function byFewEvents(query: DeliveryQuery) {
  const { event: _event, subject: _subject, ...others } = query;
  const one = { ...others, ofEvent: sql`e.id` };
  const parts = partsOf(one);
  return sql`select d.* from events e cross join lateral (${sql.join(parts, sql` union all `)}) d
    where ${sql.join([sql`e.clinic_id = ${query.clinicId}`, ...ofEvent(query)], sql` and `)}
    order by e.id desc, d.webhook_id desc, d.part desc limit ${query.limit}`;
}

function unfinished(query: Query) {
  return sql`select d.clinic_id, d.event_id, d.webhook_id, d.part, d.participants_per_request, d.choice_practitioner,
      d.choice_patient, d.test, d.sequence, d.attempt, d.schedule_start, case when d.begun_at is null then 'waiting' else 'sending' end as state,
      null::text as reason, d.created_at, null::timestamptz as finished_at, d.begun_at,
      case when d.begun_at is null and d.due_at < 'infinity' then d.due_at end as next_attempt_at, d.order_key, d.id as place
    from deliveries d where ${filters(query)} order by d.event_id desc, d.webhook_id desc, d.part desc limit ${query.limit}`;
}

function finished(query: Query) {
  const state =
    query.state === undefined
      ? sql``
      : query.state === "delivered"
        ? sql` and d.state = 'delivered'`
        : sql` and d.state <> 'delivered'`;
  return sql`select d.clinic_id, d.event_id, d.webhook_id, d.part, d.participants_per_request, d.choice_practitioner,
      d.choice_patient, d.test, d.sequence, d.attempt, 0::smallint as schedule_start, d.state, d.reason, d.created_at, d.finished_at,
      null::timestamptz as begun_at, null::timestamptz as next_attempt_at, null::text as order_key, null::bigint as place
    from finished_deliveries d where ${filters(query)}${state}
    order by d.event_id desc, d.webhook_id desc, d.part desc limit ${query.limit}`;
}

function filters(query: Query) {
  const { clinicId, webhookId, eventId, exact, after } = query;
  const conditions = [sql`d.clinic_id = ${clinicId}`, ...within(query, sql`d.event_id`)];
  if (query.ofEvent !== undefined) conditions.push(sql`d.event_id = ${query.ofEvent}`);
  if (webhookId !== undefined) conditions.push(sql`d.webhook_id = ${webhookId}`);
  if (eventId !== undefined) conditions.push(sql`d.event_id = ${eventId}::uuid`);
  const key = sql`(d.event_id, d.webhook_id, d.part)`;
  if (after !== undefined) conditions.push(sql`${key} < (${after.eventId}::uuid, ${after.webhookId}, ${after.part})`);
  if (exact !== undefined) conditions.push(sql`${key} = (${exact.eventId}::uuid, ${exact.webhookId}, ${exact.part})`);
  if (query.event !== undefined || query.subject !== undefined) {
    // Looked up for each delivery that is otherwise fitting: a join would be begun from the events, of which there are many.
    const isWanted = sql.join(ofEvent(query), sql` and `);
    conditions.push(sql`(select ${isWanted} from events e where e.clinic_id = d.clinic_id and e.id = d.event_id)`);
  }
  return sql.join(conditions, sql` and `);
}

/** What is asked of the event. The bounds are said here, too: PostgreSQL does not carry them over from its deliveries. */
function ofEvent(query: DeliveryQuery) {
  const { event, subject } = query;
  return [
    ...(event === undefined ? [] : [sql`e.name = ${event}`]),
    ...(subject === undefined ? [] : [sql`e.subject = ${subject}`]),
    ...within(query, sql`e.id`),
  ];
}

function within({ after, from, until }: DeliveryQuery, id: RawBuilder<unknown>) {
  return [
    ...(from === undefined ? [] : [sql`${id} >= ${from}::uuid`]),
    ...(until === undefined ? [] : [sql`${id} < ${until}::uuid`]),
    ...(after === undefined ? [] : [sql`${id} <= ${after.eventId}::uuid`]),
  ];
}

interface DeliveryRow {
  event_id: string;
  webhook_id: number;
  part: number;
  participants_per_request: number;
  choice_practitioner: BlockChoice;
  choice_patient: BlockChoice;
  test: boolean;
  sequence: number | null;
  attempt: number;
  schedule_start: number;
  state: DeliveryState;
  reason: string | null;
  created_at: Temporal.Instant;
  finished_at: Temporal.Instant | null;
  begun_at: Temporal.Instant | null;
  next_attempt_at: Temporal.Instant | null;
  event: EventName;
  subject: string;
  subject_version: number;
  webhook_name: string;
  webhook_url: Buffer;
  enabled: boolean;
  paused: boolean;
  due: boolean | null;
  parked: boolean | null;
  /** While its receiver is parked; null while it is just being probed. */
  probe_at: Temporal.Instant | null;
  failing_since: Temporal.Instant | null;
  /** The first of its subject's, where that is another one. */
  earlier_event_id: string | null;
  earlier_part: number | null;
}

function named(from: RawBuilder<unknown>, limit: number) {
  return sql<DeliveryRow>`
    select p.*, e.name as event, e.subject, e.subject_version, w.name as webhook_name, w.url as webhook_url, w.enabled, w.paused,
      p.next_attempt_at <= now() as due, r.parked_at is not null as parked,
      case when r.parked_at is not null and r.next_at < 'infinity' then r.next_at end as probe_at,
      case when r.parked_at is not null then r.failing_since end as failing_since,
      h.event_id as earlier_event_id, h.part as earlier_part
    from (select * from (${from}) u order by u.event_id desc, u.webhook_id desc, u.part desc limit ${limit}) p
      join events e on e.clinic_id = p.clinic_id and e.id = p.event_id
      join webhooks w on w.clinic_id = p.clinic_id and w.id = p.webhook_id
      left join runs r on r.clinic_id = p.clinic_id and r.webhook_id = p.webhook_id
      left join lateral (select e.event_id, e.part from deliveries e where e.clinic_id = p.clinic_id
        and e.webhook_id = p.webhook_id and e.order_key = p.order_key and e.id < p.place order by e.id limit 1) h on true
    order by p.event_id desc, p.webhook_id desc, p.part desc`;
}

function toDelivery(row: DeliveryRow): LoggedDelivery {
  const waiting = waitingOfRow(row);
  return {
    eventId: row.event_id,
    webhookId: row.webhook_id,
    part: row.part,
    event: row.event,
    webhookName: row.webhook_name,
    subject: row.subject,
    subjectVersion: row.subject_version,
    sequence: row.sequence,
    participantsPerRequest: row.participants_per_request,
    choice: { practitioner: row.choice_practitioner, patient: row.choice_patient },
    test: row.test,
    state: row.state,
    reason: row.reason,
    attempts: row.attempt,
    waiting,
    nextAttemptAt: isPlanned(waiting) ? nextOf(row) : null,
    parkedSince: row.failing_since,
    scheduleStart: row.schedule_start,
    webhookUrl: row.webhook_url,
    begunAt: row.begun_at,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}

function waitingOfRow(row: DeliveryRow): Waiting | null {
  const { earlier_event_id: eventId, earlier_part: part, webhook_id: webhookId } = row;
  return waitingOf({
    ...{ state: row.state, isEnabled: row.enabled, isPaused: row.paused },
    ...{ isParked: row.parked === true, isDue: row.due === true },
    earlier: eventId === null || part === null ? null : { eventId, webhookId, part },
  });
}

/** A delivery's own time stands still while its receiver is parked: then the probe's counts, too. */
function nextOf({ next_attempt_at: due, parked, probe_at: probe }: DeliveryRow): Temporal.Instant | null {
  if (due === null || probe === null) return parked === true ? null : due;
  return Temporal.Instant.compare(due, probe) < 0 ? probe : due;
}

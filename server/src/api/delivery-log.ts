/**
 * Reading what was, is and will be delivered: the unfinished and the finished deliveries as one list, and one delivery with
 * its attempts. Only reads. The list goes by the key (event, webhook, part), newest first, which both tables are indexed by.
 */
import type { BlockChoice, EventName } from "@hookwell/sdk";
import { type RawBuilder, sql } from "kysely";
import type { Tx } from "../db/schema.ts";
import type { DeliveryKey } from "../outbox/identifiers.ts";

/** More attempts of one delivery than this are not shown; after a resend there may be many. */
const ATTEMPTS_SHOWN_MAX = 200;
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
  /** Null where none is planned, also because the webhook is off. */
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

export interface LoggedAttempt extends DeliveryKey {
  attempt: number;
  startedAt: Temporal.Instant;
  durationMs: number | null;
  outcome: string;
  status: number | null;
  choice: { practitioner: BlockChoice; patient: BlockChoice } | null;
  answer: Buffer | null;
  late: boolean;
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
      case when d.begun_at is null and d.due_at < 'infinity' then d.due_at end as next_attempt_at
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
      null::timestamptz as begun_at, null::timestamptz as next_attempt_at
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
  /** While its receiver is parked. */
  probe_at: Temporal.Instant | null;
  failing_since: Temporal.Instant | null;
}

function named(from: RawBuilder<unknown>, limit: number) {
  return sql<DeliveryRow>`
    select p.*, e.name as event, e.subject, e.subject_version, w.name as webhook_name, w.url as webhook_url, w.enabled,
      case when r.parked_at is not null and r.next_at < 'infinity' then r.next_at end as probe_at,
      case when r.parked_at is not null then r.failing_since end as failing_since
    from (select * from (${from}) u order by u.event_id desc, u.webhook_id desc, u.part desc limit ${limit}) p
      join events e on e.clinic_id = p.clinic_id and e.id = p.event_id
      join webhooks w on w.clinic_id = p.clinic_id and w.id = p.webhook_id
      left join runs r on r.clinic_id = p.clinic_id and r.webhook_id = p.webhook_id
    order by p.event_id desc, p.webhook_id desc, p.part desc`;
}

function toDelivery(row: DeliveryRow): LoggedDelivery {
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
    nextAttemptAt: row.enabled ? laterOf(row.next_attempt_at, row.probe_at) : null,
    parkedSince: row.failing_since,
    scheduleStart: row.schedule_start,
    webhookUrl: row.webhook_url,
    begunAt: row.begun_at,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}

/** A delivery's own time stands still while its receiver is parked: then the probe's counts. */
function laterOf(due: Temporal.Instant | null, probe: Temporal.Instant | null): Temporal.Instant | null {
  if (due === null || probe === null) return due;
  return Temporal.Instant.compare(due, probe) < 0 ? probe : due;
}

/** The last attempt of each delivery, by `attemptsName`. */
export async function readLastAttempts(
  tx: Tx,
  clinicId: number,
  deliveries: readonly DeliveryKey[],
): Promise<Map<string, LoggedAttempt>> {
  if (deliveries.length === 0) return new Map();
  const keys = sql`unnest(${deliveries.map((d) => d.eventId)}::uuid[], ${deliveries.map((d) => d.webhookId)}::bigint[],
    ${deliveries.map((d) => d.part)}::smallint[]) as k (event_id, webhook_id, part)`;
  const { rows } = await sql<AttemptRow>`
    select a.* from ${keys} cross join lateral (
      select * from attempts t where t.clinic_id = ${clinicId} and t.event_id = k.event_id and t.webhook_id = k.webhook_id
        and t.part = k.part order by t.attempt desc limit 1) a`.execute(tx);
  return new Map(rows.map(toAttempt).map((attempt) => [keyName(attempt), attempt]));
}

/** What `readLastAttempts` keys its map by. */
export function keyName({ eventId, webhookId, part }: DeliveryKey): string {
  return `${eventId}/${webhookId}/${part}`;
}

/** The attempts of one delivery, oldest first. */
export async function readAttempts(tx: Tx, clinicId: number, key: DeliveryKey): Promise<LoggedAttempt[]> {
  const { rows } = await sql<AttemptRow>`
    select * from attempts where clinic_id = ${clinicId} and event_id = ${key.eventId}::uuid and webhook_id = ${key.webhookId}
      and part = ${key.part} order by attempt desc limit ${ATTEMPTS_SHOWN_MAX}`.execute(tx);
  return rows.map(toAttempt).reverse();
}

interface AttemptRow {
  event_id: string;
  webhook_id: number;
  part: number;
  attempt: number;
  started_at: Temporal.Instant;
  duration_ms: number | null;
  outcome: string;
  status: number | null;
  choice_practitioner: BlockChoice | null;
  choice_patient: BlockChoice | null;
  answer: Buffer | null;
  late: boolean;
}

function toAttempt(row: AttemptRow): LoggedAttempt {
  const { choice_practitioner: practitioner, choice_patient: patient } = row;
  return {
    eventId: row.event_id,
    webhookId: row.webhook_id,
    part: row.part,
    attempt: row.attempt,
    startedAt: row.started_at,
    durationMs: row.duration_ms,
    outcome: row.outcome,
    status: row.status,
    choice: practitioner === null || patient === null ? null : { practitioner, patient },
    answer: row.answer,
    late: row.late,
  };
}

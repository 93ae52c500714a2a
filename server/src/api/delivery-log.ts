/**
 * Reading what was, is and will be delivered: the unfinished and the finished deliveries as one list, and one delivery with
 * its attempts. Only reads. The list goes by the key (event, webhook, part), newest first, which both tables are indexed by.
 */
import type { BlockChoice, EventName } from "@hookwell/sdk";
import { sql } from "kysely";
import type { Tx } from "../db/schema.ts";
import { type DeliveryKey, parseDeliveryId } from "../outbox/identifiers.ts";

/** More attempts of one delivery than this are not shown; after a resend there may be many. */
const ATTEMPTS_SHOWN_MAX = 200;

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
  /** Of a delivery, or of an event; whatever else it is, nothing has it. */
  readonly id?: string | undefined;
  /** Events from this id on, and before that one: see `lowestEventId`. */
  readonly fromEventId?: string | undefined;
  readonly toEventId?: string | undefined;
  /** The last one of the page before. */
  readonly after?: DeliveryKey | undefined;
  readonly limit: number;
}

/** A page of deliveries, newest first. */
export async function readDeliveries(tx: Tx, query: DeliveryQuery): Promise<LoggedDelivery[]> {
  const parts = [
    ...(query.state === undefined || query.state === "waiting" ? [sql`(${unfinished(query)})`] : []),
    ...(query.state !== "waiting" ? [sql`(${finished(query)})`] : []),
  ];
  return select(tx, sql`${sql.join(parts, sql` union all `)}`, query.limit);
}

/** One delivery; null where this clinic has none with that key. */
export async function readDelivery(tx: Tx, clinicId: number, key: DeliveryKey): Promise<LoggedDelivery | null> {
  const query = { clinicId, limit: 1, exact: key };
  const rows = await select(tx, sql`(${unfinished(query)}) union all (${finished(query)})`, 1);
  return rows[0] ?? null;
}

type Query = DeliveryQuery & { readonly exact?: DeliveryKey };

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

function filters({ clinicId, webhookId, event, subject, after, exact, id, fromEventId, toEventId }: Query) {
  const conditions = [sql`d.clinic_id = ${clinicId}`];
  if (fromEventId !== undefined) conditions.push(sql`d.event_id >= ${fromEventId}::uuid`);
  if (toEventId !== undefined) conditions.push(sql`d.event_id < ${toEventId}::uuid`);
  if (id !== undefined) conditions.push(named(id));
  if (webhookId !== undefined) conditions.push(sql`d.webhook_id = ${webhookId}`);
  if (event !== undefined) {
    conditions.push(
      sql`exists (select from events e where e.clinic_id = d.clinic_id and e.id = d.event_id and e.name = ${event})`,
    );
  }
  if (subject !== undefined) {
    conditions.push(
      sql`exists (select from events e where e.clinic_id = d.clinic_id and e.id = d.event_id and e.subject = ${subject})`,
    );
  }
  if (after !== undefined) {
    conditions.push(
      sql`(d.event_id, d.webhook_id, d.part) < (${after.eventId}::uuid, ${after.webhookId}, ${after.part})`,
    );
  }
  if (exact !== undefined) {
    conditions.push(
      sql`(d.event_id, d.webhook_id, d.part) = (${exact.eventId}::uuid, ${exact.webhookId}, ${exact.part})`,
    );
  }
  return sql.join(conditions, sql` and `);
}

const EVENT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function named(id: string) {
  const key = parseDeliveryId(id);
  if (key !== null) {
    return sql`(d.event_id, d.webhook_id, d.part) = (${key.eventId}::uuid, ${key.webhookId}, ${key.part})`;
  }
  return EVENT_ID.test(id) ? sql`d.event_id = ${id}::uuid` : sql`false`;
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

async function select(tx: Tx, from: ReturnType<typeof sql>, limit: number): Promise<LoggedDelivery[]> {
  const { rows } = await sql<DeliveryRow>`
    select p.*, e.name as event, e.subject, e.subject_version, w.name as webhook_name, w.url as webhook_url, w.enabled,
      case when r.parked_at is not null and r.next_at < 'infinity' then r.next_at end as probe_at,
      case when r.parked_at is not null then r.failing_since end as failing_since
    from (select * from (${from}) u order by u.event_id desc, u.webhook_id desc, u.part desc limit ${limit}) p
      join events e on e.clinic_id = p.clinic_id and e.id = p.event_id
      join webhooks w on w.clinic_id = p.clinic_id and w.id = p.webhook_id
      left join runs r on r.clinic_id = p.clinic_id and r.webhook_id = p.webhook_id
    order by p.event_id desc, p.webhook_id desc, p.part desc`.execute(tx);
  return rows.map((row) => ({
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
  }));
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

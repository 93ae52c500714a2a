/**
 * The statements of the list of deliveries: the unfinished and the finished ones as one list, by the key (event, webhook,
 * part), newest first, which both tables are indexed by.
 */
import type { BlockChoice, EventName } from "@hookwell/sdk";
import { type RawBuilder, sql } from "kysely";
import type { DeliveryKey } from "../outbox/identifiers.ts";

export type DeliveryState = "waiting" | "sending" | "delivered" | "given_up" | "cancelled";

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

/** The statement of a page. `byEvents`: from each event that is wanted to its deliveries, where these events are few. */
export function deliveriesStatement(query: DeliveryQuery, { byEvents }: { byEvents: boolean }) {
  return byEvents ? named(sql`(${byFewEvents(query)})`, query.limit) : allOf(query);
}

function allOf(query: DeliveryQuery) {
  return named(sql.join(partsOf(query), sql` union all `), query.limit);
}

/** Of which event, where the statement goes from event to event. */
type Query = DeliveryQuery & { readonly ofEvent?: RawBuilder<unknown> };

function partsOf(query: Query) {
  return fromTables(query, sql`(${unfinished(query)})`, sql`(${finished(query)})`);
}

/** Of what is read of each table, that of those in which a delivery can be in the state that is asked for. */
function fromTables({ state }: Query, ofUnfinished: RawBuilder<unknown>, ofFinished: RawBuilder<unknown>) {
  return [
    ...(state === undefined || state === "waiting" ? [ofUnfinished] : []),
    ...(state === "waiting" ? [] : [ofFinished]),
  ];
}

/**
 * The event down to which so many deliveries go, from the newest that is asked for; none where there are not so many. They
 * are counted without what no index knows: their events, and whether they were delivered.
 */
export function floorStatement({ event: _event, subject: _subject, ...query }: DeliveryQuery, rows: number) {
  const counted = { ...query, limit: rows + 1 };
  const keys = (from: RawBuilder<unknown>) => sql`(select d.event_id from ${from} d where ${filters(counted)}
    order by d.event_id desc, d.webhook_id desc, d.part desc limit ${counted.limit})`;
  const isFailed = sql`(select * from finished_deliveries where state <> 'delivered')`;
  const ofFinished = keys(query.state === "failed" ? isFailed : sql`finished_deliveries`);
  const parts = fromTables(query, keys(sql`deliveries`), ofFinished);
  return sql<{ event_id: string }>`select event_id from (${sql.join(parts, sql` union all `)}) k
    order by event_id desc offset ${rows} limit 1`;
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
      null::text as reason, d.created_at, null::timestamptz as finished_at, d.begun_at
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
      null::timestamptz as begun_at
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
export function ofEvent(query: DeliveryQuery) {
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

export interface DeliveryRow {
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
  event: EventName;
  subject: string;
  subject_version: number;
  webhook_name: string;
  webhook_url: Buffer;
}

function named(from: RawBuilder<unknown>, limit: number) {
  return sql<DeliveryRow>`
    select p.*, e.name as event, e.subject, e.subject_version, w.name as webhook_name, w.url as webhook_url
    from (select * from (${from}) u order by u.event_id desc, u.webhook_id desc, u.part desc limit ${limit}) p
      join events e on e.clinic_id = p.clinic_id and e.id = p.event_id
      join webhooks w on w.clinic_id = p.clinic_id and w.id = p.webhook_id
    order by p.event_id desc, p.webhook_id desc, p.part desc`;
}

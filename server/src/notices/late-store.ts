/** The SQL of the watch over deadlines, one function per step; see late.ts. Times are the database's. */
import { sql } from "kysely";
import type { Db } from "../db/schema.ts";
import type { LateEvent } from "./kinds.ts";

/** So long before a consult starts, its change has to have arrived. */
const LATE_BEFORE_START_MINUTES = 30;
const PASS_EVERY_SECONDS = 60;
const GO_ON_AFTER_SECONDS = 1;
/** A mark becomes the limit of a pass no sooner: by then, what a healthy receiver takes has been delivered. */
const MARK_RESTS_SECONDS = 30;
/** One transaction that never ends must not stop the watch; what it draws later than this may be passed over. */
const MARK_WAITS_MAX_MINUTES = 10;

export interface WebhookKey {
  readonly clinicId: number;
  readonly webhookId: number;
}

export interface Pass {
  /** No row with an id up to this one can appear any more. */
  readonly safeId: number;
  /** The webhook after which it begins. */
  readonly at: WebhookKey;
  readonly now: Temporal.Instant;
}

/**
 * Takes the pass that is due; null where none is, or another node was faster. Moves the limit: the last id drawn is noted
 * first and a snapshot taken after it, so whoever drew an id up to there is running in that snapshot or has ended; once all
 * that were running have ended, too, the note is safe.
 */
export async function claimPass(db: Db): Promise<Pass | null> {
  const drawn = await sql<{ last_value: number }>`select last_value from deliveries_id_seq`.execute(db);
  const lastId = drawn.rows[0]?.last_value ?? 0;
  const { rows } = await sql<{ safe_id: number; at_clinic_id: number; at_webhook_id: number; now: Temporal.Instant }>`
    update late_pass p set next_at = now() + ${PASS_EVERY_SECONDS} * interval '1 second',
      safe_id = case when m.is_safe then p.mark_id else p.safe_id end,
      mark_id = case when m.is_safe then ${lastId}::bigint else p.mark_id end,
      mark_xmax = case when m.is_safe then m.xmax else p.mark_xmax end,
      mark_at = case when m.is_safe then now() else p.mark_at end
    from (
      select s.xmax, l.mark_at <= now() - ${MARK_RESTS_SECONDS} * interval '1 second'
        -- beyond xmax: the database was restored elsewhere, where transactions count anew
        and (s.xmin >= l.mark_xmax or l.mark_xmax > s.xmax
          or l.mark_at <= now() - ${MARK_WAITS_MAX_MINUTES} * interval '1 minute') as is_safe
      from late_pass l cross join (select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as xmin,
        pg_snapshot_xmax(pg_current_snapshot())::text::bigint as xmax) s) m
    where p.next_at <= now()
    returning p.safe_id, p.at_clinic_id, p.at_webhook_id, now() as now`.execute(db);
  const [row] = rows;
  if (row === undefined) return null;
  return {
    safeId: row.safe_id,
    at: { clinicId: row.at_clinic_id, webhookId: row.at_webhook_id },
    now: row.now,
  };
}

/** The next pass begins behind this webhook, and soon. */
export async function stopPassAt(db: Db, { clinicId, webhookId }: WebhookKey): Promise<void> {
  await sql`update late_pass set at_clinic_id = ${clinicId}, at_webhook_id = ${webhookId},
    next_at = now() + ${GO_ON_AFTER_SECONDS} * interval '1 second'`.execute(db);
}

export interface ScannedWebhook extends WebhookKey {
  /** Up to this id its waiting deliveries have been looked at. */
  readonly seenId: number;
}

/** Webhooks with deliveries that nobody has looked at, in the order of their keys: one probe of the primary key each. */
export async function webhooksToScan(
  db: Db,
  { after, safeId, limit }: { readonly after: WebhookKey; readonly safeId: number; readonly limit: number },
): Promise<ScannedWebhook[]> {
  const { rows } = await sql<{ clinic_id: number; webhook_id: number; seen_id: number }>`
    select r.clinic_id, r.webhook_id, coalesce(s.seen_id, 0) as seen_id
    from runs r left join late_scans s on s.clinic_id = r.clinic_id and s.webhook_id = r.webhook_id
      cross join lateral (select from deliveries d
        where d.clinic_id = r.clinic_id and d.webhook_id = r.webhook_id and d.id > coalesce(s.seen_id, 0) and d.id <= ${safeId}
        order by d.id limit 1) d
    where (r.clinic_id, r.webhook_id) > (${after.clinicId}, ${after.webhookId})
    order by r.clinic_id, r.webhook_id limit ${limit}`.execute(db);
  return rows.map((row) => ({ clinicId: row.clinic_id, webhookId: row.webhook_id, seenId: row.seen_id }));
}

export interface Waiting {
  readonly id: number;
  readonly eventId: string;
  readonly part: number;
  /** null where it is no change of a consult, or a test */
  readonly change: {
    readonly event: LateEvent;
    readonly subject: string;
    readonly facts: Buffer;
    readonly occurredAt: Temporal.Instant;
  } | null;
}

interface WaitingRow {
  id: number;
  event_id: string;
  part: number;
  name: LateEvent | null;
  subject: string;
  facts: Buffer;
  occurred_at: Temporal.Instant;
}

/** The next waiting deliveries of one webhook, by id. The facts come along only where they will be opened. */
export async function readWaiting(
  db: Db,
  { clinicId, webhookId, seenId, safeId, limit }: ScannedWebhook & { readonly safeId: number; readonly limit: number },
): Promise<Waiting[]> {
  const { rows } = await sql<WaitingRow>`
    select d.id, d.event_id, d.part, e.name, e.subject, e.facts, e.occurred_at
    from (select clinic_id, id, event_id, part, test from deliveries
        where clinic_id = ${clinicId} and webhook_id = ${webhookId} and id > ${seenId} and id <= ${safeId}
        order by id limit ${limit}) d
      left join events e on e.clinic_id = d.clinic_id and e.id = d.event_id and not d.test and e.facts is not null
        and e.name in ('consult.updated', 'participant.removed')
    order by d.id`.execute(db);
  return rows.map(({ name, ...row }) => ({
    ...{ id: row.id, eventId: row.event_id, part: row.part },
    change: name && { event: name, subject: row.subject, facts: row.facts, occurredAt: row.occurred_at },
  }));
}

export interface Watch {
  readonly deliveryId: number;
  /** its webhook-id */
  readonly delivery: string;
  readonly event: LateEvent;
  readonly subject: string;
  readonly startsAt: Temporal.Instant;
}

/** Remembers the watches and how far the webhook was looked at, together. */
export async function keepWatches(db: Db, webhook: ScannedWebhook, watches: readonly Watch[]): Promise<void> {
  const { clinicId, webhookId, seenId } = webhook;
  const column = <Value>(read: (watch: Watch) => Value) => watches.map(read);
  await sql`
    with watched as (
      insert into late_watches (clinic_id, webhook_id, delivery_id, delivery, event, subject, starts_at)
      select ${clinicId}::bigint, ${webhookId}::bigint, w.* from unnest(
        ${column((watch) => watch.deliveryId)}::bigint[], ${column((watch) => watch.delivery)}::text[],
        ${column((watch) => watch.event)}::text[], ${column((watch) => watch.subject)}::text[],
        ${column((watch) => watch.startsAt.toString())}::timestamptz[]) as w
      on conflict do nothing)
    insert into late_scans as s (clinic_id, webhook_id, seen_id) values (${clinicId}, ${webhookId}, ${seenId})
    on conflict (clinic_id, webhook_id) do update set seen_id = greatest(s.seen_id, excluded.seen_id)`.execute(db);
}

/**
 * Takes watches whose time has come and raises a notice for those whose delivery still waits, once per consult and webhook.
 * Returns how many watches that were, and how many notices are new.
 */
export async function raiseDue(db: Db, limit: number): Promise<{ watched: number; notices: number }> {
  const { rows } = await sql<{ watched: number; notices: number }>`
    with due as materialized (
      select * from late_watches where starts_at <= now() + ${LATE_BEFORE_START_MINUTES} * interval '1 minute'
      order by starts_at limit ${limit} for update skip locked),
    gone as (
      delete from late_watches w using due
      where w.clinic_id = due.clinic_id and w.webhook_id = due.webhook_id and w.delivery_id = due.delivery_id),
    raised as (
      insert into notices (clinic_id, kind, webhook_id, cause, details)
      select due.clinic_id, 'delivery.late', due.webhook_id, 'delivery.late:' || due.webhook_id || ':' || due.subject,
        json_build_object('delivery_id', due.delivery, 'event', due.event,
          'starts_at', to_char(due.starts_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))::text
      from due
      where exists (select from deliveries d
        where d.clinic_id = due.clinic_id and d.webhook_id = due.webhook_id and d.id = due.delivery_id)
      order by due.starts_at, due.delivery_id
      on conflict (clinic_id, cause) do nothing returning 1)
    select (select count(*)::int from due) as watched, (select count(*)::int from raised) as notices`.execute(db);
  return rows[0] ?? { watched: 0, notices: 0 };
}

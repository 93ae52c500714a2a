/**
 * The rows of `notice_sends`: who is still to be told of what. All SQL of telling, one function per transition, each in one
 * transaction by the database's clock.
 *
 * waiting → (lease) begun → sent | waiting again | given up. A lease that runs out is due again: whoever was telling may have
 * told, so a crash can tell twice and never not at all. A result counts only for the attempt that it belongs to.
 */
import { sql } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import type { AfterTelling } from "./policy.ts";
import { ATTEMPTS_MAX } from "./policy.ts";

export type Channel = "email" | "webhook";
/** The one recipient of a clinic's operational events. */
export const OPERATIONAL = "operational";

const SPREAD_AT_ONCE_MAX = 100;
/** Longer than the deadline of an e-mail, and of a request. */
const LEASE_SECONDS = 90;
/**
 * Between two e-mails to one manager: what comes meanwhile is gathered into the next. With at most 20 managers told per clinic
 * (managers_of_clinic), a clinic gets no more than 120 e-mails an hour.
 */
export const EMAIL_GAP_MINUTES = 10;
/** Far more than an e-mail tells one by one (letter.ts): the others are counted in it. */
const NOTICES_PER_EMAIL_MAX = 5_000;

interface Limits {
  readonly rows: number;
  readonly gapMinutes: number;
}

const LIMITS: Readonly<Record<Channel, Limits>> = {
  email: { rows: NOTICES_PER_EMAIL_MAX, gapMinutes: EMAIL_GAP_MINUTES },
  webhook: { rows: 1, gapMinutes: 0 },
};

export interface Recipient {
  readonly clinicId: number;
  readonly channel: Channel;
  readonly recipient: string;
}

/** What one message is to tell, leased; `attempts` counts this one and fences its result. */
export interface Leased extends Recipient {
  readonly sends: readonly { readonly noticeId: number; readonly attempts: number }[];
}

export interface Ended {
  readonly noticeId: number;
  readonly attempts: number;
  readonly after: AfterTelling;
}

/**
 * Makes the sends of notices that have none yet, at most SPREAD_AT_ONCE_MAX, and returns how many notices those were. Each goes
 * to every manager where there is a mail server, and to the clinic's operational address where it asked for the kind.
 */
export async function spreadNotices(db: Db, { withMail }: { readonly withMail: boolean }): Promise<number> {
  const { rows } = await sql`
    with fresh as materialized (
      select clinic_id, id, kind from notices where spread_at is null
      order by created_at limit ${SPREAD_AT_ONCE_MAX} for update skip locked),
    mailed as (
      insert into notice_sends (clinic_id, notice_id, channel, recipient)
      select f.clinic_id, f.id, 'email', m.user_id from fresh f cross join lateral managers_of_clinic(f.clinic_id) m
      where ${withMail} on conflict do nothing),
    called as (
      insert into notice_sends (clinic_id, notice_id, channel, recipient)
      select f.clinic_id, f.id, 'webhook', ${OPERATIONAL} from fresh f
        join operational_webhooks o on o.clinic_id = f.clinic_id and o.enabled and f.kind = any (o.events)
      on conflict do nothing)
    update notices n set spread_at = now() from fresh f where n.clinic_id = f.clinic_id and n.id = f.id
    returning n.id`.execute(db);
  return rows.length;
}

/** Whether anything is due on a channel: one cheap look, for a worker with nothing to do. */
export async function hasDue(db: Db, channel: Channel): Promise<boolean> {
  const { rows } = await sql<{ due: boolean }>`
    select exists (select from notice_sends where channel = ${channel} and state = 'waiting' and due_at <= now()) as due
    `.execute(db);
  return rows[0]?.due ?? false;
}

/** Leases what is due for one recipient; null where nothing can be told now. Never two messages to one recipient at once. */
export async function leaseSends(db: Db, channel: Channel): Promise<Leased | null> {
  for (;;) {
    const found = await db.transaction().execute((tx) => leaseNext(tx, channel));
    if (found !== "put off") return found;
  }
}

async function leaseNext(tx: Tx, channel: Channel): Promise<Leased | null | "put off"> {
  const to = await nextRecipient(tx, channel);
  if (to === null) return null;
  if (await putOff(tx, to)) return "put off";
  const { rows } = await sql<{ notice_id: number; attempts: number }>`
    -- materialized: a limit below a join may be counted anew for each row of the other side
    with due as materialized (
      select notice_id from notice_sends where ${ofRecipient(to)} and state = 'waiting' and due_at <= now()
      order by notice_id limit ${LIMITS[channel].rows} for update)
    update notice_sends s set attempts = s.attempts + 1, begun_at = now(),
      due_at = now() + ${LEASE_SECONDS} * interval '1 second'
    from due
    where s.clinic_id = ${to.clinicId} and s.channel = ${channel} and s.recipient = ${to.recipient}
      and s.notice_id = due.notice_id
      -- asked again under the recipient's lock, with a snapshot of its own
      and not exists (select from notice_sends b where b.clinic_id = s.clinic_id and b.channel = s.channel
        and b.recipient = s.recipient and b.begun_at is not null and b.due_at > now())
    returning s.notice_id, s.attempts`.execute(tx);
  if (rows.length === 0) return null;
  const sends = rows.map((row) => ({ noticeId: row.notice_id, attempts: row.attempts }));
  return { ...to, sends: sends.sort((a, b) => a.noticeId - b.noticeId) };
}

/** Whoever has waited longest and is not being told of something at this moment; others are passed over. */
async function nextRecipient(tx: Tx, channel: Channel): Promise<Recipient | null> {
  const { rows } = await sql<{ clinic_id: number; recipient: string; free: boolean }>`
    with next as materialized (
      select clinic_id, recipient from notice_sends s
      where channel = ${channel} and state = 'waiting' and due_at <= now()
        and not exists (select from notice_sends b where b.clinic_id = s.clinic_id and b.channel = s.channel
          and b.recipient = s.recipient and b.begun_at is not null and b.due_at > now())
      order by due_at limit 1 for update skip locked)
    select clinic_id, recipient,
      pg_try_advisory_xact_lock(hashtextextended('notices/' || clinic_id || '/' || ${channel} || '/' || recipient, 0)) as free
    from next`.execute(tx);
  const [row] = rows;
  return row?.free ? { clinicId: row.clinic_id, channel, recipient: row.recipient } : null;
}

/** Makes what is due wait where the last e-mail is too recent, or gives up what has crashed too often. */
async function putOff(tx: Tx, to: Recipient): Promise<boolean> {
  const { gapMinutes } = LIMITS[to.channel];
  const worn = await sql`
    update notice_sends set state = 'given_up', due_at = null, begun_at = null, ended_at = now(),
      last_error = coalesce(last_error, 'unknown')
    where ${ofRecipient(to)} and state = 'waiting' and due_at <= now() and attempts >= ${ATTEMPTS_MAX}
    returning notice_id`.execute(tx);
  const late = await sql`
    update notice_sends s set due_at = l.last + ${gapMinutes} * interval '1 minute', begun_at = null
    from (select max(ended_at) as last from notice_sends where ${ofRecipient(to)} and state = 'sent') l
    where ${ofRecipient(to)} and state = 'waiting' and due_at <= now()
      and l.last + ${gapMinutes} * interval '1 minute' > now()
    returning s.notice_id`.execute(tx);
  return worn.rows.length + late.rows.length > 0;
}

function ofRecipient({ clinicId, channel, recipient }: Recipient) {
  return sql`clinic_id = ${clinicId} and channel = ${channel} and recipient = ${recipient}`;
}

/** Writes what came of a message. What another attempt has been made for meanwhile stays as it is. */
export async function settleSends(db: Db, to: Recipient, ended: readonly Ended[]): Promise<void> {
  const column = <Value>(read: (one: Ended) => Value) => ended.map(read);
  const stateOf = ({ after }: Ended) =>
    after.do === "sent" ? "sent" : after.do === "give_up" ? "given_up" : "waiting";
  await sql`
    update notice_sends s set state = e.state, begun_at = null,
      due_at = now() + e.wait_ms * interval '1 millisecond',
      ended_at = case when e.state <> 'waiting' then now() end,
      last_error = e.error, last_status = e.status
    from unnest(${column(({ noticeId }) => noticeId)}::bigint[], ${column(({ attempts }) => attempts)}::int[],
        ${column(stateOf)}::text[],
        ${column(({ after }) => (after.do === "retry" ? after.inMs : null))}::float8[],
        ${column(({ after }) => (after.do === "sent" ? null : after.error))}::text[],
        ${column(({ after }) => (after.do === "sent" ? null : after.status))}::smallint[])
      as e (notice_id, attempts, state, wait_ms, error, status)
    where s.clinic_id = ${to.clinicId} and s.channel = ${to.channel} and s.recipient = ${to.recipient}
      and s.notice_id = e.notice_id and s.attempts = e.attempts and s.begun_at is not null`.execute(db);
}

/** Notices as managers read them in the page: lists, what came of telling them elsewhere, and marking them as read. */
import { sql } from "kysely";
import type { Tx } from "../db/schema.ts";
import { notFound } from "../errors.ts";
import { type Notice, type NoticeDetails, type NoticeKind, readDetails } from "./kinds.ts";
import { type LateNow, readLateNow } from "./late-now.ts";

/** More unread ones than this are not counted. */
export const UNREAD_COUNTED_MAX = 100;

/** How far a channel is with a notice; all zero where it was not asked for. */
export interface Sends {
  readonly sent: number;
  readonly waiting: number;
  readonly givenUp: number;
}

export interface ReadableNotice extends Omit<Notice, "webhook"> {
  readonly webhook: { readonly id: number; readonly name: string; readonly deleted: boolean } | null;
  readonly readAt: Temporal.Instant | null;
  /** Of the delivery that is named; null where there is none, or it is no longer kept. */
  readonly lateNow: LateNow | null;
  readonly email: Sends;
  readonly operationalWebhook: Sends;
}

export interface NoticeQuery {
  readonly clinicId: number;
  readonly unread?: boolean | undefined;
  /** The last one of the page before; null: from the newest. */
  readonly beforeId: number | null;
  readonly limit: number;
}

interface Row {
  id: number;
  kind: NoticeKind;
  webhook_id: number | null;
  webhook_name: string | null;
  webhook_deleted: boolean;
  details: string;
  created_at: Temporal.Instant;
  read_at: Temporal.Instant | null;
  email: [number, number, number];
  webhook: [number, number, number];
}

/** A page of the clinic's notices, newest first. */
export async function listNotices(tx: Tx, query: NoticeQuery): Promise<ReadableNotice[]> {
  const { clinicId, unread = false, beforeId, limit } = query;
  const { rows } = await select(
    tx,
    sql`n.clinic_id = ${clinicId} ${unread ? sql`and n.read_at is null` : sql``}
      ${beforeId === null ? sql`` : sql`and n.id < ${beforeId}`} order by n.id desc limit ${limit}`,
  );
  return toNotices(tx, clinicId, rows);
}

/** How many nobody has read, at most UNREAD_COUNTED_MAX. */
export async function countUnread(tx: Tx, clinicId: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from (
      select from notices where clinic_id = ${clinicId} and read_at is null limit ${UNREAD_COUNTED_MAX}) n`.execute(tx);
  return rows[0]?.count ?? 0;
}

interface Reader {
  readonly clinicId: number;
  /** The user's id. */
  readonly actor: string;
}

/** Marks one as read; who read it first stays on record. Throws 404. */
export async function markRead(tx: Tx, { clinicId, actor }: Reader, id: number): Promise<ReadableNotice> {
  await sql`update notices set read_at = now(), read_by = ${actor}
    where clinic_id = ${clinicId} and id = ${id} and read_at is null`.execute(tx);
  const { rows } = await select(tx, sql`n.clinic_id = ${clinicId} and n.id = ${id}`);
  const [notice] = await toNotices(tx, clinicId, rows);
  if (notice === undefined) throw notFound("notice");
  return notice;
}

/** Marks all as read, or those up to the newest that was seen. Returns how many were unread. */
export async function markAllRead(tx: Tx, { clinicId, actor }: Reader, upToId: number | undefined): Promise<number> {
  const { numAffectedRows } = await sql`update notices set read_at = now(), read_by = ${actor}
    where clinic_id = ${clinicId} and read_at is null and id <= ${upToId ?? Number.MAX_SAFE_INTEGER}`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}

function select(tx: Tx, where: ReturnType<typeof sql>) {
  const sends = (channel: string) => sql`(
    select array[count(*) filter (where s.state = 'sent'), count(*) filter (where s.state = 'waiting'),
      count(*) filter (where s.state = 'given_up')]
    from notice_sends s where s.clinic_id = n.clinic_id and s.notice_id = n.id and s.channel = ${channel})`;
  return sql<Row>`
    select n.id, n.kind, n.webhook_id, w.name as webhook_name, w.deleted_at is not null as webhook_deleted, n.details,
      n.created_at, n.read_at, ${sends("email")} as email, ${sends("webhook")} as webhook
    from notices n left join webhooks w on w.clinic_id = n.clinic_id and w.id = n.webhook_id
    where ${where}`.execute(tx);
}

async function toNotices(tx: Tx, clinicId: number, rows: readonly Row[]): Promise<ReadableNotice[]> {
  const read = rows.map((row) => ({ row, details: readDetails(row.details) }));
  const ids = read.flatMap(({ details: { deliveryId } }) => deliveryId ?? []);
  const lateNow = await readLateNow(tx, clinicId, ids);
  return read.map(({ row, details }) => ({
    ...toNotice(row, details),
    lateNow: lateNow.get(details.deliveryId ?? "") ?? null,
  }));
}

function toNotice(row: Row, details: NoticeDetails): Omit<ReadableNotice, "lateNow"> {
  const { webhook_id: id, webhook_name: name, webhook_deleted: deleted } = row;
  return {
    ...{
      id: row.id,
      kind: row.kind,
      details,
      createdAt: row.created_at,
      readAt: row.read_at,
    },
    webhook: id === null || name === null ? null : { id, name, deleted },
    email: toSends(row.email),
    operationalWebhook: toSends(row.webhook),
  };
}

function toSends([sent, waiting, givenUp]: readonly [number, number, number]): Sends {
  return { sent, waiting, givenUp };
}

/**
 * Whether anything of a clinic has changed that its webhooks' page shows. Only reads, a few index entries each time: cheap
 * enough to be asked every second while somebody looks, and nothing is written for it anywhere.
 */
import { createHash } from "node:crypto";
import { sql } from "kysely";
import type { Tx } from "../db/schema.ts";

/** What may have changed; each is what one part of the page reads anew. */
export const TOPICS = ["deliveries", "webhooks", "notices"] as const;
export type Topic = (typeof TOPICS)[number];

/** Opaque, and equal as long as nothing has changed. The same from whichever process it is read. */
export type ChangeMarks = Readonly<Record<Topic, string>>;

const MARK_CHARACTERS = 12;
/** Of notices that nobody has read: beyond these, only a new one is noticed. */
const UNREAD_COUNTED_MAX = 100;

/** The clinic's marks as of now. A row's xmin is another one after any update of it. */
export async function readChangeMarks(tx: Tx, clinicId: number): Promise<ChangeMarks> {
  const { rows } = await sql<Seen>`select
    (select event_id from deliveries where clinic_id = ${clinicId} order by event_id desc limit 1) as newest_waiting,
    (select event_id from finished_deliveries where clinic_id = ${clinicId} order by event_id desc limit 1) as newest_finished,
    (select string_agg(webhook_id || ':' || xmin::text, ',' order by webhook_id) from runs
      where clinic_id = ${clinicId}) as runs,
    (select string_agg(webhook_id || ':' || xmin::text, ',' order by webhook_id) from recoveries
      where clinic_id = ${clinicId} and state in ('running', 'paused')) as recoveries,
    (select string_agg(id || ':' || xmin::text, ',' order by id) from webhooks
      where clinic_id = ${clinicId} and deleted_at is null) as webhooks,
    (select max(id) from notices where clinic_id = ${clinicId}) as newest_notice,
    (select count(*) from (select from notices where clinic_id = ${clinicId} and read_at is null
      limit ${UNREAD_COUNTED_MAX}) unread) as unread`.execute(tx);
  const [seen] = rows;
  if (seen === undefined) throw new Error("A statement without FROM gave no row.");
  return {
    deliveries: markOf([seen.newest_waiting, seen.newest_finished, seen.runs, seen.recoveries]),
    webhooks: markOf([seen.webhooks, seen.runs]),
    notices: markOf([seen.newest_notice, seen.unread]),
  };
}

interface Seen {
  newest_waiting: string | null;
  newest_finished: string | null;
  runs: string | null;
  recoveries: string | null;
  webhooks: string | null;
  newest_notice: number | null;
  unread: number;
}

function markOf(values: readonly (string | number | null)[]): string {
  return createHash("sha256").update(JSON.stringify(values)).digest("base64url").slice(0, MARK_CHARACTERS);
}

/** For `Last-Event-ID`. */
export function writeMarks(marks: ChangeMarks): string {
  return TOPICS.map((topic) => marks[topic]).join(".");
}

/** What differs from the marks that an id holds; everything where it is none of ours. */
export function changedSince(id: string | undefined, marks: ChangeMarks): Topic[] {
  const before = id?.split(".") ?? [];
  return TOPICS.filter((topic, at) => before[at] !== marks[topic]);
}

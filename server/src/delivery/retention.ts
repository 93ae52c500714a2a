/**
 * How long events, attempts and finished deliveries are kept (contract §7; security, Privacy).
 *
 * Owns what happens to content and records as they age. Promises:
 * - The operator's days hold for every clinic that has not chosen fewer. Whole days are dropped as partitions; a clinic's
 *   fewer days are rows that are deleted in bounded batches. With 0 days, content is gone as soon as nothing waits for it.
 * - Nothing that waits is thrown away unseen: it keeps its content for WAITING_DAYS_MIN days at least, which is longer than
 *   any schedule and than a failing webhook stays on. What outlives that, and the days that are chosen, is announced and
 *   ends as "cancelled: expired" a day before its content goes, ANNOUNCED_DAYS_MIN days after its notice at the earliest:
 *   where fewer days were chosen, or something old was sent again, it waits for its notice first, and its content with it.
 * - Each statement is a short transaction that several nodes may run at once, and a pass that is cut off anywhere is
 *   finished by the next one.
 * Does not touch the ledger, the audit, nor what has limits of its own (maintenance.ts).
 */
import { readFileSync } from "node:fs";
import type pg from "pg";
import { type Log, logEvent } from "../log.ts";
import { dropPartitions, makePartitions } from "./partitions.ts";

/** A schedule ends after 75 h 35 min; a failing webhook is turned off after 5 days. */
export const WAITING_DAYS_MIN = 10;
/** At least so many days lie between a notice and the first delivery that ends by it: a long weekend. */
export const ANNOUNCED_DAYS_MIN = 3;
const ANNOUNCED_AGAIN_AFTER_DAYS = 2;
/** What was announced and did not end by then, because more days were chosen meanwhile, is announced anew. */
const ANNOUNCEMENT_HOLDS_DAYS = 30;
const BATCH_ROWS = 1_000;
/** What is left then is left to the next pass. */
const BATCHES_MAX = 200;

export interface RetentionOptions {
  /** The owner's pool: this goes over all clinics. */
  readonly owner: pg.Pool;
  readonly log: Log;
  /** The operator's setting. */
  readonly days: number;
}

const sqlFile = (name: string) => readFileSync(new URL(`./sql/${name}.sql`, import.meta.url), "utf8");
const ANNOUNCE = sqlFile("announce_expiring");
const EXPIRE = sqlFile("expire");
const ERASE_BODIES = sqlFile("erase_bodies");
const ERASE_ANSWERS = sqlFile("erase_answers");
const DELETE_RECORDS = sqlFile("delete_records");

/** How many days the partitions stand, whatever shorter time was chosen: what waits needs them. */
export function partitionDays(days: number): number {
  return Math.max(days, WAITING_DAYS_MIN);
}

/** One pass. Returns whether nothing is left for an earlier next pass than usual. */
export async function runRetention(options: RetentionOptions): Promise<boolean> {
  const areAllThere = await makePartitions(options.owner);
  await announceExpiring(options);
  await expireWaiting(options);
  await eraseContent(options);
  await inBatches(options, DELETE_RECORDS);
  return (await dropOldDays(options)) && areAllThere;
}

/** Erases what a clinic does not want kept; cheap where there is no such clinic. To be called every minute or so. */
export async function eraseContent(options: RetentionOptions): Promise<void> {
  await inBatches(options, ERASE_BODIES);
  await inBatches(options, ERASE_ANSWERS);
}

/** Writes a notice for each webhook of which deliveries will expire soon; one that was written lately is not repeated. */
async function announceExpiring({ owner, log, days }: RetentionOptions): Promise<void> {
  const ahead = ANNOUNCED_DAYS_MIN + ANNOUNCED_AGAIN_AFTER_DAYS;
  const pauses = [ANNOUNCED_AGAIN_AFTER_DAYS, ANNOUNCED_DAYS_MIN, ANNOUNCEMENT_HOLDS_DAYS];
  const values = [days, WAITING_DAYS_MIN, ahead, ...pauses];
  const { rows } = await owner.query<{ clinic_id: number; webhook_id: number }>(ANNOUNCE, values);
  for (const row of rows) logEvent(log, "retention.expiry_announced", row);
}

async function expireWaiting({ owner, log, days }: RetentionOptions): Promise<void> {
  for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
    const { rows } = await owner.query<{ clinic_id: number; webhook_id: number; count: number }>(EXPIRE, [
      days,
      WAITING_DAYS_MIN,
      BATCH_ROWS,
      ANNOUNCED_DAYS_MIN,
      ANNOUNCEMENT_HOLDS_DAYS,
    ]);
    for (const row of rows) logEvent(log, "retention.expired", row, "warn");
    if (rows.reduce((sum, { count }) => sum + count, 0) < BATCH_ROWS) return;
  }
}

async function inBatches({ owner, days }: RetentionOptions, statement: string): Promise<void> {
  for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
    const { rowCount } = await owner.query(statement, [days, partitionDays(days), BATCH_ROWS]);
    if ((rowCount ?? 0) < BATCH_ROWS) return;
  }
}

async function dropOldDays({ owner, log, days }: RetentionOptions): Promise<boolean> {
  const { dropped, busy, waiting } = await dropPartitions(owner, partitionDays(days));
  if (dropped > 0) logEvent(log, "retention.days_dropped", { count: dropped });
  if (busy > 0) logEvent(log, "retention.days_busy", { count: busy }, "warn");
  if (waiting > 0) logEvent(log, "retention.days_waited_for", { count: waiting }, "warn");
  return busy === 0;
}

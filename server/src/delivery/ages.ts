/**
 * Two ages that tell of trouble before anybody feels it: of the oldest snapshot, behind which dead rows pile up, and of the
 * delivery that has been due for longest. Reads and says; repairs nothing.
 */
import { readFileSync } from "node:fs";
import type pg from "pg";
import { type Log, logEvent } from "../log.ts";

/** An hour's load leaves dead rows that are felt; a backup of a large database may hold one for as long. */
const SNAPSHOT_SECONDS_MAX = 900;
/** A replication slot or a prepared transaction that was forgotten has no clock, but it counts. */
const SNAPSHOT_TRANSACTIONS_MAX = 10_000_000;
/** Longer than a lost node's lease and its takeover. A webhook with a backlog and a slow pace is behind, too. */
const DUE_SECONDS_MAX = 300;

const AGES = readFileSync(new URL("./sql/ages.sql", import.meta.url), "utf8");

export interface Ages {
  /** s since the start of the transaction with the oldest snapshot; 0 where there is none */
  readonly snapshotSeconds: number;
  /** transactions begun since the oldest snapshot, slot or prepared transaction */
  readonly snapshotTransactions: number;
  /** s that the delivery which is due for longest has waited beyond its time; 0 where none is due */
  readonly dueSeconds: number;
}

/** Reads both ages by the database's clock. `owner`: a pool whose user sees the sessions of others. */
export async function readAges(owner: pg.Pool): Promise<Ages> {
  const { rows } =
    await owner.query<Record<"snapshot_seconds" | "snapshot_transactions" | "due_seconds", number>>(AGES);
  const row = rows[0];
  if (row === undefined) throw new Error("the ages were read and did not come");
  return {
    snapshotSeconds: row.snapshot_seconds,
    snapshotTransactions: row.snapshot_transactions,
    dueSeconds: row.due_seconds,
  };
}

/** Reads the ages and raises an alarm for each that is too high: `database.old_snapshot`, `dispatcher.behind`. */
export async function watchAges(owner: pg.Pool, log: Log): Promise<Ages> {
  const ages = await readAges(owner);
  const { snapshotSeconds, snapshotTransactions, dueSeconds } = ages;
  if (snapshotSeconds > SNAPSHOT_SECONDS_MAX || snapshotTransactions > SNAPSHOT_TRANSACTIONS_MAX) {
    const fields = { duration_ms: Math.round(snapshotSeconds * 1_000), count: snapshotTransactions };
    logEvent(log, "database.old_snapshot", fields, "error");
  }
  if (dueSeconds > DUE_SECONDS_MAX) {
    logEvent(log, "dispatcher.behind", { duration_ms: Math.round(dueSeconds * 1_000) }, "error");
  }
  return ages;
}

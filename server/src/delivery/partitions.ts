/**
 * The days of events, attempts and finished deliveries: made ahead, taken away when nothing of them is kept any more.
 *
 * Owns which partitions exist. Promises: no change is refused and no emitter waits longer than PARTITION_LOCK_WAIT_MS for
 * this work, at most a few times a day and table; several nodes may do it at once; whatever was left half done, by a crash
 * between any two statements, is finished by the next pass; a day in which a delivery still waits is not taken away.
 * Does not decide how long things are kept (retention.ts). What was found about the locks stands in migration 0016.
 */
import type pg from "pg";

const DAYS_AHEAD = 7;
/** Partitions are cut by UTC days, while a clock may be behind. */
const DAYS_BEHIND = 1;
/** `lock_timeout` of lock_days. */
export const PARTITION_LOCK_WAIT_MS = 200;
const PARENTS = ["events", "attempts", "finished_deliveries"] as const;
/** Rows of the default partitions removed in one statement. */
const STRAYS_BATCH_ROWS = 1_000;
const STRAY_BATCHES_MAX = 100;

type Parent = (typeof PARENTS)[number];

/** What one pass did; `busy` and `waiting` count the days that the next pass has to look at again. */
export interface PartitionsDone {
  dropped: number;
  busy: number;
  waiting: number;
}

/** Makes the partitions around today that are missing. Returns whether the next pass need not look again soon. */
export async function makePartitions(owner: pg.Pool): Promise<boolean> {
  const days = await owner.query<{ day: string }>(
    `select to_char(d, 'YYYY-MM-DD') as day from generate_series((now() at time zone 'UTC')::date - ${DAYS_BEHIND},
       (now() at time zone 'UTC')::date + ${DAYS_AHEAD}, interval '1 day') d`,
  );
  let isDone = true;
  for (const parent of PARENTS) {
    for (const { day } of days.rows) {
      // One transaction each, so that no lock outlives one table's day.
      const { rows } = await owner.query<{ outcome: "made" | "there" | "busy" | "crowded" }>(
        "select make_partition($1, $2::date) as outcome",
        [parent, day],
      );
      if (rows[0]?.outcome === "busy") isDone = false;
    }
  }
  return isDone;
}

/**
 * Takes away the days of which everything is older than `days`, and rows of that age that had no partition.
 * Events go first, so that what is left of a pass that was cut off is a record without its content, not the other way round.
 */
export async function dropPartitions(owner: pg.Pool, days: number): Promise<PartitionsDone> {
  const done: PartitionsDone = { dropped: 0, busy: 0, waiting: 0 };
  await dropDetached(owner, days, done); // of a pass that was cut off
  for (const parent of PARENTS) {
    for (const day of await oldDays(owner, parent, days)) {
      const { rows } = await owner.query<{ outcome: "detached" | "gone" | "waiting" | "busy" }>(
        "select detach_partition($1, $2::date) as outcome",
        [parent, day],
      );
      const outcome = rows[0]?.outcome;
      if (outcome === "busy" || outcome === "waiting") done[outcome] += 1;
    }
  }
  await dropDetached(owner, days, done);
  for (const parent of PARENTS) await deleteStrays(owner, parent, days);
  return done;
}

async function oldDays(owner: pg.Pool, parent: Parent, days: number): Promise<string[]> {
  const { rows } = await owner.query<{ day: string }>(
    `select day from (select to_date(right(c.relname, 8), 'YYYYMMDD') as date, right(c.relname, 8) as day
       from pg_inherits i join pg_class c on c.oid = i.inhrelid
       where i.inhparent = $1::regclass and c.relname ~ ('^' || $1 || '_\\d{8}$')) p
     where date + 1 <= (now() - $2::int * interval '1 day') at time zone 'UTC' order by day`,
    [parent, days],
  );
  return rows.map(({ day }) => day);
}

/** Tables of a day that belong to no parent any more. They are nobody's, so that this holds no one up. */
async function dropDetached(owner: pg.Pool, days: number, done: PartitionsDone): Promise<void> {
  const { rows } = await owner.query<{ name: string }>(
    `select c.relname as name from pg_class c
     where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and not c.relispartition
       and c.relname ~ '^(${PARENTS.join("|")})_\\d{8}$'
       and to_date(right(c.relname, 8), 'YYYYMMDD') + 1 <= (now() - $1::int * interval '1 day') at time zone 'UTC'`,
    [days],
  );
  for (const { name } of rows) {
    await owner.query(`drop table if exists ${name}`);
    done.dropped += 1;
  }
}

async function deleteStrays(owner: pg.Pool, parent: Parent, days: number): Promise<void> {
  const key = parent === "events" ? "id" : "event_id";
  const other = `${parent}_other`;
  for (let batch = 0; batch < STRAY_BATCHES_MAX; batch += 1) {
    const { rowCount } = await owner.query(
      `delete from ${other} where ctid = any(array(select o.ctid from ${other} o
         where o.${key} < instant_bound(now() - ($1::int + 1) * interval '1 day')
           and not exists (select from deliveries d where d.clinic_id = o.clinic_id and d.event_id = o.${key})
         limit ${STRAYS_BATCH_ROWS}))`,
      [days],
    );
    if ((rowCount ?? 0) < STRAYS_BATCH_ROWS) return;
  }
}

/** PostgreSQL cleans the hot tables when it is told to: a real autovacuum, real thresholds. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, test } from "vitest";
import { until } from "../../test/until.ts";
import { makePartitions } from "../delivery/partitions.ts";
import { silentLog } from "../log.ts";
import { type EmbeddedDatabase, startEmbedded } from "./embedded.ts";
import { migrate } from "./migrate.ts";
import { createPools, type Pools } from "./pool.ts";

/** More rows die than the threshold says, fewer than a fifth of the table: there nobody would come who was not told to. */
const CHURN = {
  deliveries: {
    insert: `(clinic_id, webhook_id, event_id, order_key, participants_per_request, choice_practitioner, choice_patient)
      select 1, 1, gen_random_uuid(), 'consult:' || n, 1, 'off', 'off'`,
    rows: 120_000,
    dead: 21_000,
  },
  runs: { insert: "(clinic_id, webhook_id) select 1, n", rows: 10_000, dead: 1_100 },
  bells: { insert: "(clinic_id, webhook_id) select 1, n", rows: 10_000, dead: 1_100 },
  nodes: { insert: "(name, alive_until) select 'gone', now()", rows: 2_000, dead: 210 },
};
const TABLES = Object.keys(CHURN);
const GIVE_UP_AFTER_MS = 180_000;

let folder: string;
let database: EmbeddedDatabase;
let pools: Pools;

/** A server of its own, whose autovacuum looks round every second. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hookwell-autovacuum-"));
  await chmod(folder, 0o711); // root runs PostgreSQL as another user, which must be able to pass through
  const settings = { fsync: "off", full_page_writes: "off", autovacuum_naptime: "1s" };
  database = await startEmbedded({ dataFolder: folder, log: silentLog(), settings });
  pools = createPools({ url: database.url, log: silentLog() });
  await migrate({ owner: pools.owner, log: silentLog() });
  await makePartitions(pools.owner);
});
afterAll(async () => {
  await pools?.close();
  await database?.stop();
  await rm(folder, { recursive: true, force: true });
});

const query = async (text: string, values: unknown[] = []) => (await pools.owner.query(text, values)).rows;
const visits = async (tables: readonly string[]): Promise<Record<string, number>> => {
  const rows = await query(
    "select relname as name, autovacuum_count as count from pg_stat_user_tables where relname = any($1)",
    [tables],
  );
  return Object.fromEntries(rows.map(({ name, count }) => [name, Number(count)]));
};

/** Changes rows without their clinic and webhook. The statistics know of it when this returns. */
async function change(statement: string): Promise<void> {
  const client = await pools.owner.connect();
  try {
    await client.query("set session_replication_role = replica");
    await client.query(statement);
    await client.query("select pg_stat_force_next_flush()");
  } finally {
    client.release(true);
  }
}

/** All that autovacuum would look after so far is done. */
async function fill(table: string, insert: string, rows: number): Promise<void> {
  await change(`insert into ${table} ${insert} from generate_series(1, ${rows}) n`);
  await query(`vacuum analyze ${table}`);
}

test("autovacuum comes to a hot table after its number of dead rows, long before a fifth of it is dead", async () => {
  for (const [table, { insert, rows }] of Object.entries(CHURN)) await fill(table, insert, rows);
  const before = await visits(TABLES);
  for (const [table, { dead }] of Object.entries(CHURN))
    await change(`delete from ${table} where ctid in (select ctid from ${table} limit ${dead})`);
  const cleaned = async () => {
    const now = await visits(TABLES);
    return TABLES.every((table) => (now[table] ?? 0) > (before[table] ?? 0));
  };
  await until("each was cleaned", cleaned, GIVE_UP_AFTER_MS);
});

test("autovacuum comes to a day after its number of new rows, long before they are a fifth of it", async () => {
  const [{ day }] = (await query("select 'events_' || to_char(now() at time zone 'UTC', 'YYYYMMDD') as day")) as [
    { day: string },
  ];
  const event = "(clinic_id, id, name, subject, subject_version, facts) select 1, uuidv7(), 'x', 'consult:1', n, ''";
  // A fifth of what is there by then is more than what comes afterwards.
  await fill(day, event, 120_000);
  const before = await visits([day]);
  await change(`insert into ${day} ${event} from generate_series(1, 21000) n`);
  await until(
    "it was looked after",
    async () => ((await visits([day]))[day] ?? 0) > (before[day] ?? 0),
    GIVE_UP_AFTER_MS,
  );
});

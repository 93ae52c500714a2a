/** The tables of which every delivery changes rows are cleaned after a number of dead rows, not a share of their size. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { makePartitions } from "../delivery/partitions.ts";

/** By count alone, as fast as the disk allows. */
const byCount = (threshold: number) => ({ scale_factor: "0", threshold: String(threshold), cost_delay: "0" });
/** With room left on each page, so that an update stays on its own. */
const HOT = {
  deliveries: { ...byCount(20_000), fillfactor: "50" },
  runs: { ...byCount(1_000), fillfactor: "50" },
  bells: byCount(1_000),
  nodes: byCount(200),
  subjects: { ...byCount(20_000), scale_factor: "0.02", fillfactor: "70" },
  feed_keys: { scale_factor: "0.02", threshold: "20000", freeze_min_age: "0" },
  idempotency_keys: { scale_factor: "0.02", threshold: "5000" },
};
/** Rows come and stay: they are frozen soon, so that nobody has to come back before the day is dropped. */
const DAY = { freeze_min_age: "0", insert_scale_factor: "0", insert_threshold: "20000" };

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await makePartitions(database.pools.owner);
});
afterAll(() => database.drop());

/** What is set for each table whose name is like this, in short words. */
async function settingsOf(pattern: string): Promise<[string, Record<string, string>][]> {
  const { rows } = await database.pools.owner.query<{ name: string; options: string[] }>(
    "select relname as name, coalesce(reloptions, '{}') as options from pg_class where relkind = 'r' and relname ~ $1",
    [`^${pattern}$`],
  );
  const inShort = (option: string) => option.replace(/^autovacuum_(vacuum_)?/, "").split("=");
  return rows.map(({ name, options }) => [name, Object.fromEntries(options.map(inShort))]);
}

test.each(Object.entries(HOT))("%s has settings of its own", async (table, settings) => {
  expect(await settingsOf(table)).toEqual([[table, settings]]);
});

test.each(["events", "attempts", "finished_deliveries"])("every day of %s has settings of its own", async (parent) => {
  const days = await settingsOf(`${parent}_(\\d{8}|other)`);
  expect(days.length).toBe(10); // yesterday, today, a week ahead, and what has no day
  for (const [name, settings] of days) expect([name, settings]).toEqual([name, DAY]);
});

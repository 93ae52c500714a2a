/**
 * A test's hand on the database's clock: `now()` in every statement, and in every column's default, and `clock_timestamp()`
 * are the time that the test has set. The engine's statements stay as they are; the names are found in a schema that comes
 * before the system's own.
 */
import pg from "pg";
import type { TestDatabase } from "../database.ts";

export interface DatabaseClock {
  readonly nowMs: number;
  /** moves the clock of all connections, also those in the middle of a transaction */
  advance(ms: number): Promise<void>;
}

const INSTALL = `
  create schema clock;
  create table clock.hands (at timestamptz not null);
  create function clock.now() returns timestamptz language sql stable as 'select at from clock.hands';
  create function clock.clock_timestamp() returns timestamptz language sql volatile as 'select at from clock.hands';
  grant usage on schema clock to public;
  grant select on clock.hands to public;
  do $$
  declare it record;
  begin
    for it in select n.nspname, c.relname, a.attname from pg_attrdef d
        join pg_class c on c.oid = d.adrelid join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attnum = d.adnum
        where n.nspname = 'public' and pg_get_expr(d.adbin, d.adrelid) = 'now()' loop
      execute format('alter table %I.%I alter column %I set default clock.now()', it.nspname, it.relname, it.attname);
    end loop;
    execute format('alter database %I set search_path = clock, pg_catalog, public', current_database());
  end $$`;

/** Call it before the pools are used for the first time: connections that are open already keep their own time. */
export async function injectClock(database: TestDatabase, startMs: number): Promise<DatabaseClock> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    await client.query(INSTALL);
    await client.query("insert into clock.hands values (to_timestamp($1::float8 / 1000))", [startMs]);
  } finally {
    await client.end();
  }
  let nowMs = startMs;
  return {
    get nowMs() {
      return nowMs;
    },
    async advance(ms) {
      nowMs += ms;
      await database.pools.owner.query("update clock.hands set at = to_timestamp($1::float8 / 1000)", [nowMs]);
    },
  };
}

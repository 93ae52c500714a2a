/**
 * A test's hand on the database's clock: `now()` in every statement, and in every column's default, and `clock_timestamp()`
 * are the time that the test has set, or the true time and so much that the test has added to it. The engine's statements stay as they are; the names are found in a schema that comes
 * before the system's own.
 */
import pg from "pg";
import type { TestDatabase } from "../database.ts";

export interface DatabaseClock {
  readonly nowMs: number;
  /** what has been added to it */
  readonly aheadMs: number;
  /** moves the clock of all connections, also those in the middle of a transaction */
  advance(ms: number): Promise<void>;
}

const INSTALL = `
  create schema clock;
  create table clock.hands (at timestamptz, ahead interval not null default '0');
  create function clock.now() returns timestamptz language sql stable as
    'select coalesce(at, pg_catalog.now()) + ahead from clock.hands';
  create function clock.clock_timestamp() returns timestamptz language sql volatile as
    'select coalesce(at, pg_catalog.clock_timestamp()) + ahead from clock.hands';
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
    execute format('alter database %I set search_path = public, clock, pg_catalog', current_database());
  end $$`;

/**
 * Stops the clock at `startMs`, or lets it go on where that is null. Connections that are open already keep their own time, so
 * call it before the pools are used whose time it shall be.
 */
export async function injectClock(database: TestDatabase, startMs: number | null): Promise<DatabaseClock> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    await client.query(INSTALL);
    await client.query("insert into clock.hands (at) values (to_timestamp($1::float8 / 1000))", [startMs]);
  } finally {
    await client.end();
  }
  let aheadMs = 0;
  return {
    get nowMs() {
      return (startMs ?? Date.now()) + aheadMs;
    },
    get aheadMs() {
      return aheadMs;
    },
    async advance(ms) {
      aheadMs += ms;
      await database.pools.owner.query("update clock.hands set ahead = ahead + $1::float8 * interval '1 millisecond'", [
        ms,
      ]);
    },
  };
}

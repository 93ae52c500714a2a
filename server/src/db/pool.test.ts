import { sql } from "kysely";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { silentLog } from "../log.ts";
import { createKysely, createPools, inClinic, type Pools, poolFigures, STATEMENT_TIMEOUT_MS } from "./pool.ts";

let database: TestDatabase;
let pools: Pools;

beforeAll(async () => {
  database = await createTestDatabase();
  pools = database.pools;
});

afterAll(() => database.drop());

async function value(
  pool: keyof Omit<Pools, "close" | "createClient">,
  statement: string,
  values: unknown[] = [],
): Promise<unknown> {
  const { rows } = await pools[pool].query({ text: statement, values, rowMode: "array" });
  return rows[0]?.[0];
}

describe("each pool runs as its own role", () => {
  test.for([
    ["app", "hookwell_app"],
    ["dispatch", "hookwell_dispatch"],
    ["engine", "hookwell_dispatch"],
    ["pulse", "hookwell_dispatch"],
    ["auth", "hookwell_auth"],
    ["owner", "hookwell"],
  ] as const)("%s as %s", async ([pool, role]) => {
    expect(await value(pool, "select current_user::text")).toBe(role);
  });

  test("and has its figures told", () => {
    const all = Object.entries(pools).flatMap(([name, pool]) => (pool instanceof pg.Pool ? [name] : []));
    expect(all.length).toBeGreaterThan(5);
    expect(poolFigures(pools).map(({ pool }) => pool)).toEqual(expect.arrayContaining(all));
  });

  test("and options in the address cannot change that", async () => {
    const url = new URL(database.url);
    url.searchParams.set("options", "-c role=hookwell_dispatch -c work_mem=7MB");
    const others = createPools({ url: url.href, log: silentLog() });
    const { rows } = await others.app.query("select current_user::text as role, current_setting('work_mem') as memory");
    await others.close();
    expect(rows).toEqual([{ role: "hookwell_app", memory: "7MB" }]);
  });

  test("and the app may not touch the owner's tables", async () => {
    await expect(value("app", "select count(*) from hookwell_migrations")).rejects.toThrow(/permission denied/);
  });

  test("with a limit on every statement but the owner's", async () => {
    expect(await value("app", "select extract(epoch from current_setting('statement_timeout')::interval) * 1000")).toBe(
      `${STATEMENT_TIMEOUT_MS}.000000`,
    );
    expect(await value("owner", "show statement_timeout")).toBe("0");
  });
});

describe("values", () => {
  test("int8 is a number, and beyond 2^53 - 1 an error instead of another number", async () => {
    expect(await value("app", "select 9007199254740991::int8")).toBe(9007199254740991);
    expect(await value("app", "select array[1, null, -5]::int8[]")).toEqual([1, null, -5]);
    await expect(value("app", "select 9007199254740992::int8")).rejects.toThrow(/beyond 2\^53/);
  });

  test("a date stays the text it is", async () => {
    expect(await value("app", "select date '2026-03-08'")).toBe("2026-03-08");
  });

  test("timestamptz is an Instant down to the microsecond, and comes back as it went", async () => {
    const instant = Temporal.Instant.from("2026-03-08T06:59:59.123456Z");
    expect(String(await value("app", "select $1::timestamptz", [instant]))).toBe(instant.toString());
    expect(String(await value("app", "select $1::timestamptz[]", [[instant, null]]))).toBe(`${instant},`);
    expect(String(await value("app", "select '1883-11-18 12:00:00-05:17:32'::timestamptz"))).toBe(
      "1883-11-18T17:17:32Z",
    );
  });

  test("the infinities stay words", async () => {
    expect(await value("app", "select 'infinity'::timestamptz")).toBe("infinity");
    expect(await value("app", "select array['-infinity']::timestamptz[]")).toEqual(["-infinity"]);
  });

  test("better-auth's pool has Date, and looks into its own schema", async () => {
    expect(await value("auth", "select timestamptz '2026-01-02 03:04:05Z'")).toEqual(new Date("2026-01-02T03:04:05Z"));
    expect(await value("auth", "show search_path")).toBe("auth");
  });
});

describe("inClinic", () => {
  const currentClinic = sql<{ id: string }>`select current_setting('hookwell.clinic_id', true) as id`;

  test("names the clinic for one transaction, and no longer", async () => {
    const pool = createPools({ url: database.url, log: silentLog(), appConnectionsMax: 1 });
    const db = createKysely(pool.app);
    const inside = await inClinic(db, 42, (tx) => currentClinic.execute(tx));
    const afterwards = await currentClinic.execute(db);
    await pool.close();
    expect(inside.rows).toEqual([{ id: "42" }]);
    // PostgreSQL keeps the name of the setting known, with nothing in it.
    expect(afterwards.rows).toEqual([{ id: "" }]);
  });

  test("rolls back when the work throws", async () => {
    await pools.owner.query("create table notes (id int); grant all on notes to hookwell_app");
    const work = inClinic(createKysely(pools.app), 42, async (tx) => {
      await sql`insert into notes values (1)`.execute(tx);
      throw new Error("no");
    });
    await expect(work).rejects.toThrow("no");
    expect(await value("app", "select count(*) from notes")).toBe(0);
  });

  test("refuses what is not the id of a clinic", () => {
    expect(() => inClinic(createKysely(pools.app), Number.NaN, async () => 1)).toThrow(RangeError);
  });
});

test("a connection that breaks while idle is replaced, and the process lives on", async () => {
  const other = createPools({ url: database.url, log: silentLog(), appConnectionsMax: 1 });
  const { rows } = await other.app.query("select pg_backend_pid() as pid");
  const removed = new Promise((resolve) => other.app.once("error", resolve));
  await pools.owner.query("select pg_terminate_backend($1)", [rows[0].pid]);
  await removed;
  expect((await other.app.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  await other.close();
});

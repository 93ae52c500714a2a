/** How long a connection of the engine keeps its plans: told by a plan that would be another one if it were made now. */
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { arrayText, PlanKeepingClient } from "./values.ts";

let database: TestDatabase;
let client: PlanKeepingClient;
let nowMs = 0;

beforeAll(async () => {
  database = await createTestDatabase({ empty: true });
  await database.pools.owner.query("create table things (id int primary key)");
});
afterAll(() => database.drop());
beforeEach(async () => {
  nowMs = 0;
  const options =
    "-c plan_cache_mode=force_generic_plan -c enable_indexscan=off -c enable_indexonlyscan=off -c enable_bitmapscan=off";
  client = new PlanKeepingClient({ connectionString: database.url, options }, () => nowMs);
  await client.connect();
});
afterEach(() => client.end());

const FIND = { name: "find", text: "select from things where id = $1", values: [1] };
/** What passes the client by: it counts as no run. */
const aside = (text: string) =>
  (pg.Client.prototype.query as (text: string) => Promise<pg.QueryResult>).call(client, text);

type Scan = "Seq Scan" | "Index";

/** Which plan would be made from now on; one that is there stays. */
async function planFromNowOn(scan: Scan): Promise<void> {
  await aside(`set enable_seqscan = ${scan === "Seq Scan"}`);
  for (const way of ["indexscan", "indexonlyscan", "bitmapscan"])
    await aside(`set enable_${way} = ${scan === "Index"}`);
}

/** Runs once; from then on another plan would be made. */
async function run(tookMs = 0): Promise<void> {
  const running = client.query(FIND) as unknown as Promise<unknown>;
  nowMs += tookMs;
  await running;
  await planFromNowOn("Index");
}

/** Runs once more, and returns by which plan. */
async function scanOfNextRun(): Promise<Scan> {
  await (client.query(FIND) as unknown as Promise<unknown>);
  const { rows } = await aside("explain (costs off) execute find (1)");
  return String(rows[0]["QUERY PLAN"]).startsWith("Seq Scan") ? "Seq Scan" : "Index";
}

const isPlannedAnew = async () => (await scanOfNextRun()) === "Index";

describe("a plan", () => {
  test("is made anew after a second, then after two, and so on up to thirty", async () => {
    await run();
    let now: Scan = "Seq Scan";
    let next: Scan = "Index";
    for (const keptMs of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      nowMs += keptMs - 1;
      expect(await scanOfNextRun()).toBe(now);
      nowMs += 1;
      expect(await scanOfNextRun()).toBe(next);
      [now, next] = [next, now];
      await planFromNowOn(next);
    }
  });

  test("is kept for a second only once a statement was slow", async () => {
    await run();
    nowMs += 1_000;
    await run(101); // planned anew before it, for two seconds; and after it for one
    expect(await scanOfNextRun()).toBe("Index");
    await planFromNowOn("Seq Scan");
    nowMs += 1_000;
    expect(await scanOfNextRun()).toBe("Seq Scan");
  });

  test.each([
    { tookMs: 100, anew: false },
    { tookMs: 101, anew: true },
  ])("that took $tookMs ms is made anew: $anew", async ({ tookMs, anew }) => {
    await run(tookMs);
    expect(await isPlannedAnew()).toBe(anew);
  });

  test("that was slow for whoever waits by a callback, as a pool does, is made anew", async () => {
    await run();
    await new Promise<void>((fulfil) => {
      client.query(FIND.text, FIND.values, fulfil);
      nowMs += 101;
    });
    expect(await isPlannedAnew()).toBe(true);
  });

  test("of a statement that failed slowly is made anew, and the next one has the answer that it asked for", async () => {
    await run();
    const failing = client.query("select 1 / 0") as unknown as Promise<unknown>;
    nowMs += 101;
    await expect(failing).rejects.toThrow("division by zero");
    expect(await isPlannedAnew()).toBe(true);
  });
});

describe("an array parameter", () => {
  test("arrives entry by entry as it was given", async () => {
    const read = async (type: string, values: Parameters<typeof arrayText>[0]) =>
      (await database.pools.owner.query(`select to_json($1::${type}[]) as read`, [arrayText(values)])).rows[0].read;
    for (const numbers of [[], [1, null, -2.5, 1e21]]) expect(await read("float8", numbers)).toEqual(numbers);
    expect(await read("bool", [true, null, false])).toEqual([true, null, false]);
    const words = ["given_up", null, "0199-7abc", "nullable"];
    expect(await read("text", words)).toEqual(words);
  });

  test.each(["a,b", "NULL", "null", "", "{}", 'a"b', "a b", "a\\b", "é"])("never holds the text %j", (text) => {
    expect(() => arrayText(["fine", text])).toThrow("needs quotes");
  });
});

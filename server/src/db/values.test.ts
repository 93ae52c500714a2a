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

/** Runs so often, `tookMs` each; its first plan is one that would not be made any more. */
async function run(times: number, tookMs = 0): Promise<void> {
  for (let n = 0; n < times; n++) {
    const running = client.query(FIND) as unknown as Promise<unknown>;
    nowMs += tookMs;
    await running;
    if (n === 0) await aside("set enable_seqscan = off");
    for (const way of ["indexscan", "indexonlyscan", "bitmapscan"]) if (n === 0) await aside(`set enable_${way} = on`);
  }
}

async function isPlannedAnew(): Promise<boolean> {
  await (client.query(FIND) as unknown as Promise<unknown>);
  const { rows } = await aside("explain (costs off) execute find (1)");
  return !String(rows[0]["QUERY PLAN"]).startsWith("Seq Scan");
}

describe("a plan", () => {
  test.each([
    { times: 40, afterMs: 999, anew: false, what: "is kept for a second however often it runs" },
    { times: 15, afterMs: 1_000, anew: false, what: "that seldom runs is kept for longer" },
    { times: 16, afterMs: 1_000, anew: true, what: "that runs often is made anew after a second" },
    { times: 1, afterMs: 2_999, anew: false, what: "that ran once is kept for three seconds" },
    { times: 1, afterMs: 3_000, anew: true, what: "is made anew after three seconds however seldom it runs" },
  ])("$what", async ({ times, afterMs, anew }) => {
    await run(times);
    nowMs = afterMs;
    expect(await isPlannedAnew()).toBe(anew);
  });

  test.each([
    { tookMs: 200, anew: false },
    { tookMs: 201, anew: true },
  ])("that took $tookMs ms is made anew: $anew", async ({ tookMs, anew }) => {
    await run(1, tookMs);
    expect(await isPlannedAnew()).toBe(anew);
  });

  test("that was slow for whoever waits by a callback, as a pool does, is made anew", async () => {
    await run(1);
    await new Promise<void>((fulfil) => {
      client.query(FIND.text, FIND.values, fulfil);
      nowMs += 201;
    });
    expect(await isPlannedAnew()).toBe(true);
  });

  test("of a statement that failed slowly is made anew, and the next one has the answer that it asked for", async () => {
    await run(1);
    const failing = client.query("select 1 / 0") as unknown as Promise<unknown>;
    nowMs += 201;
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

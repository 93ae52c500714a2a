/** Statements and commits in permuted order as in permuted.test.ts, with more runs, and with SQL that is broken on purpose. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestEngine, type TestEngine } from "../../test/engine.ts";
import { anyOrder } from "../../test/model/any-order.ts";
import { brokenStore, SQL_BREAKAGES } from "../../test/model/sql-breakages.ts";

const RUNS = 200;
const RUNS_TO_NOTICE = 200;
/** Within the test's own time, so that a failure which takes long to be made smaller says its seed and path. */
const LIMIT_MS = 840_000;
let engine: TestEngine;

beforeAll(async () => {
  engine = await createTestEngine();
});
afterAll(() => engine.close());

test("in whatever order statements and commits come, the engine keeps its promises", () =>
  fc.assert(anyOrder(engine), { numRuns: RUNS, interruptAfterTimeLimit: LIMIT_MS, markInterruptAsFailure: true }));

test.each(
  SQL_BREAKAGES.filter(({ found }) => found === "in any order").map((breakage) => [breakage.name, breakage] as const),
)("a seeded bug in the SQL is noticed: %s", async (_name, breakage) => {
  const broken = anyOrder(engine, (pool) => brokenStore(pool, breakage));
  const noticed = await fc.check(broken, { numRuns: RUNS_TO_NOTICE, endOnFailure: true });
  expect(noticed.failed).toBe(true);
  expect(noticed.errorInstance).toHaveProperty("name", "AssertionError");
});

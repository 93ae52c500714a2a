/** The engine's statements on PostgreSQL in permuted order (server/test/model/any-order.ts). */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestEngine, type TestEngine } from "../../test/engine.ts";
import { anyOrder } from "../../test/model/any-order.ts";
import { brokenStore, SQL_BREAKAGES } from "../../test/model/sql-breakages.ts";

const RUNS = 10;
const LIMIT_MS = 300_000;
/** Earlier than that, so that a failure which takes long to be made smaller says its seed and path. */
const REPORTED_AFTER_MS = 270_000;
let engine: TestEngine;

beforeAll(async () => {
  engine = await createTestEngine();
});
afterAll(() => engine.close());

test(
  "in whatever order statements and commits come, no attempt is begun twice, order is kept, no wake-up is lost, no number is left out",
  {
    timeout: LIMIT_MS,
  },
  () =>
    fc.assert(anyOrder(engine), {
      numRuns: RUNS,
      interruptAfterTimeLimit: REPORTED_AFTER_MS,
      markInterruptAsFailure: true,
    }),
);

test("an order of statements that a broken engine has failed in is played again by its seed and path", async () => {
  const name = "the head of a subject is any of its deliveries";
  const breakage = SQL_BREAKAGES.find((one) => one.name === name);
  if (!breakage) throw new Error("there is no such bug");
  const broken = anyOrder(engine, (pool) => brokenStore(pool, breakage));
  const { seed, counterexamplePath: path } = await fc.check(broken, { numRuns: 100, endOnFailure: true });
  if (path === null) throw new Error("nothing was found");
  const again = await fc.check(broken, { seed, path, numRuns: 1, endOnFailure: true });
  expect(again.failed).toBe(true);
  expect(again.errorInstance).toHaveProperty("name", "AssertionError");
});

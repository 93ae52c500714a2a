/** The model and PostgreSQL held against each other as in model.test.ts, with more runs, and with SQL that is broken on purpose. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase } from "../../test/database.ts";
import { createTestEngine, type TestEngine } from "../../test/engine.ts";
import { agreement } from "../../test/model/conformance.ts";
import { type DatabaseClock, injectClock } from "../../test/model/database-clock.ts";
import { brokenStore, SQL_BREAKAGES } from "../../test/model/sql-breakages.ts";

const RUNS = 500;
/** Some need a webhook that is parked, asleep and rung, which takes a hundred runs to come about. */
const RUNS_TO_NOTICE = 500;
/** Within the test's own time, so that a failure which takes long to be made smaller says its seed and path. */
const LIMIT_MS = 840_000;
let engine: TestEngine;
let clock: DatabaseClock;

beforeAll(async () => {
  const database = await createTestDatabase();
  clock = await injectClock(database, Date.parse("2026-06-01T12:00:00Z"));
  engine = await createTestEngine({ database });
});
afterAll(() => engine.close());

test("whatever is asked of it, the engine's SQL does what the model of engine.md does", () =>
  fc.assert(agreement(engine, clock), {
    numRuns: RUNS,
    interruptAfterTimeLimit: LIMIT_MS,
    markInterruptAsFailure: true,
  }));

test.each(SQL_BREAKAGES.map((breakage) => [breakage.name, breakage] as const))(
  "a seeded bug in the SQL is noticed: %s",
  async (_name, breakage) => {
    const store = brokenStore(engine.database.pools.engine, breakage);
    const broken = { ...engine, store };
    const noticed = await fc.check(agreement(broken, clock), { numRuns: RUNS_TO_NOTICE, endOnFailure: true });
    expect(noticed.failed).toBe(true);
    // by what both say, and not by a statement that cannot run
    expect(noticed.errorInstance).toHaveProperty("name", "AssertionError");
  },
);

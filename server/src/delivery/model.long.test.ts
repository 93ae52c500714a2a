/** The model and PostgreSQL held against each other as in model.test.ts, with more runs, and with SQL that is broken on purpose. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase } from "../../test/database.ts";
import { createTestEngine, type TestEngine } from "../../test/engine.ts";
import { agreement } from "../../test/model/conformance.ts";
import { type DatabaseClock, injectClock } from "../../test/model/database-clock.ts";
import { brokenStore, NOT_SOWN, SQL_BREAKAGES } from "../../test/model/sql-breakages.ts";

const RUNS = 500;
const RUNS_TO_NOTICE = 200;
let engine: TestEngine;
let clock: DatabaseClock;

beforeAll(async () => {
  const database = await createTestDatabase();
  clock = await injectClock(database, Date.parse("2026-06-01T12:00:00Z"));
  engine = await createTestEngine({ database });
});
afterAll(() => engine.close());

test("whatever is asked of it, the engine's SQL does what the model of engine.md does", () =>
  fc.assert(agreement(engine, clock), { numRuns: RUNS }));

test.each(SQL_BREAKAGES.map((breakage) => [breakage.name, breakage] as const))(
  "a seeded bug in the SQL is noticed: %s",
  async (_name, breakage) => {
    const store = brokenStore(engine.database.pools.engine, breakage);
    const broken = { ...engine, store };
    const noticed = await fc.check(agreement(broken, clock), { numRuns: RUNS_TO_NOTICE, endOnFailure: true });
    expect(noticed.failed).toBe(true);
    expect(String(noticed.errorInstance)).not.toContain(NOT_SOWN);
  },
);

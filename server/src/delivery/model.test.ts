/**
 * The model of the engine (server/test/model) and PostgreSQL, held against each other: whatever commands are given in
 * whatever order, both say the same and have the same in their tables, to the millisecond of an injected clock.
 */
import fc from "fast-check";
import { afterAll, beforeAll, test } from "vitest";
import { createTestDatabase } from "../../test/database.ts";
import { createTestEngine, type TestEngine } from "../../test/engine.ts";
import { agreement } from "../../test/model/conformance.ts";
import { type DatabaseClock, injectClock } from "../../test/model/database-clock.ts";

const RUNS = 20;
const LIMIT_MS = 300_000;
/** Earlier than that, so that a failure which takes long to be made smaller says its seed and path. */
const REPORTED_AFTER_MS = 270_000;
let engine: TestEngine;
let clock: DatabaseClock;

beforeAll(async () => {
  const database = await createTestDatabase();
  clock = await injectClock(database, Date.parse("2026-06-01T12:00:00Z"));
  engine = await createTestEngine({ database });
});
afterAll(() => engine.close());

test("whatever is asked of it, the engine's SQL does what the model of engine.md does", { timeout: LIMIT_MS }, () =>
  fc.assert(agreement(engine, clock), {
    numRuns: RUNS,
    interruptAfterTimeLimit: REPORTED_AFTER_MS,
    markInterruptAsFailure: true,
  }),
);

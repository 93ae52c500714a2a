/**
 * The model of the engine (server/test/model) and PostgreSQL, held against each other: whatever commands are given in
 * whatever order, both say the same and have the same in their tables, to the millisecond of an injected clock.
 */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase } from "../../test/database.ts";
import { createTestEngine, type TestEngine } from "../../test/engine.ts";
import { ALL_COMMANDS } from "../../test/model/commands.ts";
import { type DatabaseClock, injectClock } from "../../test/model/database-clock.ts";
import { Pair } from "../../test/model/pair.ts";

const RUNS = 45;
let engine: TestEngine;
let clock: DatabaseClock;

beforeAll(async () => {
  const database = await createTestDatabase();
  clock = await injectClock(database, Date.parse("2026-06-01T12:00:00Z"));
  engine = await createTestEngine({ database });
});
afterAll(() => engine.close());

test("whatever is asked of it, the engine's SQL does what the model of engine.md does", async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(ALL_COMMANDS, { maxCommands: 250, size: "max" }), async (commands) => {
      const pair = await Pair.create(engine, clock);
      try {
        await fc.asyncModelRun(() => ({ model: { pair }, real: pair }), commands);
      } finally {
        await pair.close();
      }
    }),
    { numRuns: RUNS, interruptAfterTimeLimit: 60_000 },
  );
  expect(true).toBe(true);
}, 120_000);

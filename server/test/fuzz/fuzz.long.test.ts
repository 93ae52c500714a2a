/** The same as fuzz.test.ts, with another seed in every run, and longer. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../database.ts";
import { fuzz } from "./fuzz.ts";
import { withFuzzServer } from "./server.ts";

const SECONDS = 120;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ namesAreEverybodys: true });
});
afterAll(() => database.drop());

it("answers some ten thousand valid and nearly valid requests as described", async () => {
  const seed = Date.now() % 1_000_000;
  process.stdout.write(`seed ${seed}\n`);
  const bounds = { seed, seconds: SECONDS, rounds: Number.POSITIVE_INFINITY, requestsPerRound: 12 };
  const report = await withFuzzServer(database.url, (server) => fuzz(server, bounds));
  expect(report.faults).toEqual([]);
  expect(report.requests).toBeGreaterThan(report.operations * 10);
});

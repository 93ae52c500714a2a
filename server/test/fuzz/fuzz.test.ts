/** Whatever is sent to it, the server answers as its own description says. `npm run fuzz` asks longer. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../database.ts";
import { fuzz } from "./fuzz.ts";
import { withFuzzServer } from "./server.ts";

/** The same in every run: what fails here can be run again. */
const SEED = 1;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ namesAreEverybodys: true });
});
afterAll(() => database.drop());

it("answers valid and nearly valid requests as described, without a fault of its own", async () => {
  const bounds = { seed: SEED, rounds: 1, requestsPerRound: 8 };
  const report = await withFuzzServer(database.url, (server) => fuzz(server, bounds));
  expect(report.faults).toEqual([]);
  expect(report.requests).toBeGreaterThan(report.operations * 6);
}, 120_000);

/** The engine's statements on PostgreSQL in permuted order (server/test/model/any-order.ts). */
import fc from "fast-check";
import { afterAll, beforeAll, test } from "vitest";
import { createTestEngine, type TestEngine } from "../../test/engine.ts";
import { anyOrder } from "../../test/model/any-order.ts";

const RUNS = 10;
const LIMIT_MS = 300_000;
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
  () => fc.assert(anyOrder(engine), { numRuns: RUNS }),
);

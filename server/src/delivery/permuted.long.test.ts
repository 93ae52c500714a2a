/** Statements and commits in permuted order as in permuted.test.ts, with more runs. */
import fc from "fast-check";
import { afterAll, beforeAll, test } from "vitest";
import { createTestEngine, type TestEngine } from "../../test/engine.ts";
import { anyOrder } from "../../test/model/any-order.ts";

const RUNS = 200;
let engine: TestEngine;

beforeAll(async () => {
  engine = await createTestEngine();
});
afterAll(() => engine.close());

test("in whatever order statements and commits come, the engine keeps its promises", () =>
  fc.assert(anyOrder(engine), { numRuns: RUNS }));

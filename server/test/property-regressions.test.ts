import { existsSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { PROPERTY_REGRESSIONS } from "./property-regressions.ts";

const ROOT = join(import.meta.dirname, "../..");
const anything = fc.integer();
/** the first thing that each repetition was given */
const firsts: number[] = [];

test("what is kept is replayed, and then all is drawn anew", () => {
  const given: number[] = [];
  fc.assert(
    fc.property(anything, (number) => {
      given.push(number);
    }),
  );
  firsts.push(given[0] ?? Number.NaN);
});
afterAll(() => {
  const [kept] = fc.sample(anything, { seed: 1_266, path: "7", numRuns: 1 });
  expect(firsts).toHaveLength(2);
  expect(firsts[0]).toBe(kept);
  expect(firsts[1]).not.toBe(kept);
});

test("a property that fails says which seed and path replay it, and they do", () => {
  const isSmall = fc.property(anything, (number) => number < 1_000);
  const failed = fc.check(isSmall);
  const { seed, counterexamplePath: path, counterexample } = failed;
  if (path === null) throw new Error("nothing was found");
  expect(fc.defaultReportMessage(failed)).toContain(`{ seed: ${seed}, path: "${path}", endOnFailure: true }`);
  const again = fc.check(isSmall, { seed, path, endOnFailure: true });
  expect(again.counterexample).toEqual(counterexample);
});

test("every regression is of a file that is there", () => {
  for (const { file } of PROPERTY_REGRESSIONS) expect(existsSync(join(ROOT, file)), file).toBe(true);
});

/** Which seeds are played, and how a failing one is told of. */
import { expect } from "vitest";
import { type History, simulate } from "./simulation.ts";

/**
 * Seeds that once failed, with what they found; they always run. With the plan of this folder as it is now they may mean
 * another history than they did then, so what they found has a test of its own besides.
 */
export const REGRESSION_SEEDS: ReadonlyMap<number, string> = new Map([
  [3, "a node that stopped while it settled under a lost lease spun without ever waiting: such a run hangs"],
  [10, "an attempt left no row (maintenance.test.ts)"],
  [86, "an attempt left no row, as 10"],
  [152, "a webhook was deleted between the reading of its settings and of its secrets, which are one reading now"],
  [154, "a webhook was deleted between those two readings, as 152"],
  [379, "a webhook was deleted between those two readings, as 152"],
  [1_266, "the judge took a request that left within a second before a parking's end for one beside the probes"],
  [1_317, "the judge counted attempts before a resend by their rows, of which one that failed here has none there"],
]);

/** Plays a seed; a failure says how to play it again. */
export async function expectNoViolations(seed: number): Promise<History> {
  const history = await simulate(seed);
  const again = `npm run simulate -- ${seed}`;
  expect(history.violations, `seed ${seed} fails; its whole history: ${again}`).toEqual([]);
  return history;
}

/** `count` seeds from `first` on. */
export function seedsFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => first + at);
}

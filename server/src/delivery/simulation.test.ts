/**
 * Deterministic simulation of the engine: the real Dispatcher, Lease, Run, Sender and policy over a model of the database,
 * with simulated clocks, the database's among them, and a simulated network, and everything that may go wrong, and that
 * managers do, drawn from a seed (server/test/simulation).
 * Always: nothing is lost, subjects keep their order, numbers have no gaps, nothing is sent twice but beside a fault, no
 * attempt comes before its time or beyond its lease, each goes where, is signed as and carries what the webhook's settings
 * say, nothing sleeps that should not, and every delivery ends.
 */
import { expect, test } from "vitest";
import { BREAKAGES } from "../../test/simulation/breakages.ts";
import { expectNoViolations, REGRESSION_SEEDS, seedsFrom } from "../../test/simulation/seeds.ts";
import { simulate } from "../../test/simulation/simulation.ts";

const SEEDS = seedsFrom(0, 50);
const LIMIT_MS = 300_000;

test("whatever a clock, a network and a database do, the engine keeps its promises, and the world was hard on it", {
  timeout: LIMIT_MS,
}, async () => {
  const sums = {
    ...{ unknown: 0, late: 0, failedAfterCommit: 0, posts: 0, receptions: 0, parked: 0, simulatedMs: 0 },
    ...{ recovered: 0, expired: 0, moved: 0, databaseJumps: 0 },
  };
  for (const seed of new Set([...REGRESSION_SEEDS.keys(), ...SEEDS])) {
    const { counts } = await expectNoViolations(seed);
    for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += counts[name];
  }
  // A simulation in which little happens proves little.
  expect(sums.posts).toBeGreaterThan(2_000);
  expect(sums.posts - sums.receptions).toBeGreaterThan(20);
  expect(sums.unknown).toBeGreaterThan(50);
  expect(sums.late).toBeGreaterThan(2);
  expect(sums.failedAfterCommit).toBeGreaterThan(100);
  expect(sums.parked).toBeGreaterThan(5);
  expect(sums.recovered).toBeGreaterThan(50);
  expect(sums.expired).toBeGreaterThan(20);
  expect(sums.moved).toBeGreaterThan(500);
  expect(sums.databaseJumps).toBeGreaterThan(20);
  expect(sums.simulatedMs).toBeGreaterThan(10 * 86_400_000);
});

test("the same seed is the same history, to the last line", async () => {
  const [one, other] = [await simulate(3), await simulate(3)];
  expect(one.lines.length).toBeGreaterThan(100);
  expect(one.fingerprint).toBe(other.fingerprint);
  expect((await simulate(5)).fingerprint).not.toBe(one.fingerprint);
});

/** What takes minutes of a receiver's failing shows in simulated time only, and not in proof/broken. */
test.each(BREAKAGES.flatMap(({ found, ...breakage }) => (found ? [{ found, ...breakage }] : [])))(
  "the judge that knows nothing of the engine finds out where $name",
  async ({ found, ...breakage }) => {
    for (const seed of SEEDS) {
      const { violations } = await simulate(seed, breakage);
      if (violations.some((violation) => violation.startsWith(`${found}: `))) return;
    }
    expect.fail("no seed has found it");
  },
);

/** The simulation of simulation.test.ts with ten times as many seeds. */
import { test } from "vitest";
import { expectNoViolations, seedsFrom } from "../../test/simulation/seeds.ts";

test.each(seedsFrom(0, 10).map((block) => 1_000 + 50 * block))(
  "the engine keeps its promises in fifty further worlds from %i on",
  async (first) => {
    for (const seed of seedsFrom(first, 50)) await expectNoViolations(seed);
  },
);

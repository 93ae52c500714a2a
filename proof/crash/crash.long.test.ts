/** One of each fault and a few kills, at random moments under load, judged from the outside. `npm run crash` is the same for longer. */
import { expect, test } from "vitest";
import { FAULTS, type Fault } from "./faults.ts";
import { crash } from "./harness.ts";
import { countLost } from "./reckoning.ts";

const faults: Fault[] = FAULTS.flatMap((fault): Fault[] => (fault === "kill" ? ["kill", "kill"] : [fault]));

test("nothing accepted is lost, whatever strikes, and nothing comes twice that was not in flight then", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const figures = await crash({
    ...{ faults, seed, pauseMs: 2_000, nodes: 2, perSecond: 20, keep: false },
    ...{ signal: new AbortController().signal, say: () => {} },
  });
  expect(figures.verdict.violations, `seed ${seed}`).toEqual([]);
  expect(countLost(figures.verdict)).toBe(0);
  expect(figures.accepted).toBeGreaterThan(100);
  expect(figures.duplicates).toBeLessThanOrEqual(figures.inFlight);
});

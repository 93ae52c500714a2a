import { describe, expect, test } from "vitest";
import { fixedClock } from "../clock.ts";
import { REFUSED_AFTER_MS, untilAlike } from "./alike.ts";

describe("a refusal", () => {
  test.each([
    [0, REFUSED_AFTER_MS],
    [1, REFUSED_AFTER_MS],
    [REFUSED_AFTER_MS - 1, REFUSED_AFTER_MS],
    [REFUSED_AFTER_MS, 2 * REFUSED_AFTER_MS],
    [REFUSED_AFTER_MS + 200, 2 * REFUSED_AFTER_MS],
  ])("that was known after %i ms is told after %i ms, and not before", async (knownMs, toldMs) => {
    const clock = fixedClock("2026-01-15T12:00:00Z");
    const begunMs = clock.monotonicMs();
    clock.advance({ milliseconds: knownMs });
    let isTold = false;
    const told = untilAlike(clock, begunMs).then(() => {
      isTold = true;
    });
    clock.advance({ milliseconds: toldMs - knownMs - 1 });
    await Promise.resolve();
    expect(isTold).toBe(false);
    clock.advance({ milliseconds: 1 });
    await told;
    expect(clock.monotonicMs() - begunMs).toBe(toldMs);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Pace } from "./pace.ts";

/** What a caller does, one after another: time goes by, or as many requests start as are allowed, up to `wanted`. */
const step = fc.record({ afterMs: fc.oneof(fc.constant(0), fc.nat({ max: 3_000 })), wanted: fc.nat({ max: 100 }) });
const perSecond = fc.integer({ min: 1, max: 1_000 });
const burstOf = (rate: number) => Math.max(1, rate * 0.2);

describe("a pace", () => {
  test("never lets more start than its burst and rate × time, over any window", () => {
    fc.assert(
      fc.property(perSecond, fc.array(step, { maxLength: 60 }), (rate, steps) => {
        let now = 1_000;
        const pace = new Pace(rate, now);
        const starts: { at: number; count: number }[] = [];
        for (const { afterMs, wanted } of steps) {
          now += afterMs;
          const count = Math.min(wanted, pace.available(now));
          pace.spend(count, now);
          starts.push({ at: now, count });
        }
        for (const [first, { at }] of starts.entries()) {
          let started = 0;
          for (const later of starts.slice(first)) {
            started += later.count;
            expect(started).toBeLessThanOrEqual(burstOf(rate) + (rate * (later.at - at)) / 1_000 + 1e-3);
          }
        }
      }),
    );
  });

  test("lets a request start exactly when it said that one may", () => {
    fc.assert(
      fc.property(perSecond, fc.nat({ max: 50 }), fc.nat({ max: 500 }), (rate, spent, afterMs) => {
        const pace = new Pace(rate, 0);
        pace.spend(spent, 0);
        const wait = pace.msUntilNext(afterMs);
        if (wait > 0) expect(pace.available(afterMs + wait - 1)).toBe(0);
        expect(pace.available(afterMs + wait)).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  test("that has rested saves up no more than its burst", () => {
    fc.assert(
      fc.property(perSecond, fc.integer({ min: 0, max: 10_000_000 }), (rate, restedMs) => {
        expect(new Pace(rate, 0).available(restedMs)).toBe(Math.floor(burstOf(rate)));
      }),
    );
  });

  test("makes up for what was spent beyond it: the debt is waited out", () => {
    const pace = new Pace(1, 0);
    pace.spend(3, 0);
    expect([pace.available(0), pace.msUntilNext(0)]).toEqual([0, 3_000]);
    expect([pace.available(2_999), pace.available(3_000), pace.available(60_000)]).toEqual([0, 1, 1]);
  });

  test("that is changed holds from then on, and what was saved is cut to the new burst", () => {
    const pace = new Pace(1_000, 0);
    pace.set(10, 0);
    expect(pace.available(0)).toBe(2);
    pace.set(1, 0);
    expect(pace.available(0)).toBe(1);
    pace.spend(1, 0);
    pace.set(1_000, 0);
    expect([pace.available(0), pace.available(1), pace.available(1_000)]).toEqual([0, 1, 200]);
  });

  test("is not moved by a clock that seems to stand still or to run backwards", () => {
    const pace = new Pace(10, 1_000);
    pace.spend(2, 1_000);
    expect(pace.available(500)).toBe(0);
    expect(pace.available(1_000)).toBe(0);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Pace, RISE_EVERY_MS } from "./pace.ts";

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

describe("a receiver that says slower", () => {
  /** Requests that start in this time when each starts as soon as it may. */
  function started(pace: Pace, fromMs: number, forMs: number): number {
    let count = 0;
    for (let now = fromMs; now < fromMs + forMs; now += 5) {
      const free = pace.available(now);
      pace.spend(free, now);
      count += free;
    }
    return count;
  }

  test("gets half as many, and its own pace again in time", () => {
    const pace = new Pace(100, 0);
    pace.slowDown(0, 0);
    expect(pace.perSecond(0)).toBe(50);
    expect(pace.perSecond(RISE_EVERY_MS)).toBe(100);
    expect(pace.perSecond(10 * RISE_EVERY_MS)).toBe(100);
  });

  test("in several answers that were under way together said it once", () => {
    const pace = new Pace(100, 0);
    for (let n = 0; n < 8; n++) pace.slowDown(0, n);
    expect(pace.perSecond(8)).toBeGreaterThan(49);
    for (let n = 1; n <= 30; n++) pace.slowDown(0, n * 1_000);
    expect(pace.perSecond(30_000)).toBeCloseTo(0.1); // never nothing: we have to notice when it is well
  });

  test("and names a time is left alone until then, but never for longer than a minute", () => {
    const pace = new Pace(100, 0);
    pace.slowDown(10_000, 0);
    expect([pace.available(9_999), pace.msUntilNext(0)]).toEqual([0, 10_000]);
    expect(pace.available(10_000)).toBeGreaterThan(0);
    pace.slowDown(86_400_000, 20_000);
    expect(pace.available(79_999)).toBe(0);
    expect(pace.available(80_000)).toBeGreaterThan(0);
  });

  test("or comes back from being parked drains at a rising rate: one a second first, then twice as many every 5 s", () => {
    const pace = new Pace(1_000, 0);
    pace.riseFrom(0, 0);
    const rates = [0, 1, 2, 3, 4].map((step) => started(pace, step * RISE_EVERY_MS, RISE_EVERY_MS) / 5);
    expect(rates[0]).toBeLessThanOrEqual(2);
    for (let step = 1; step < rates.length; step++) {
      expect((rates[step] as number) / (rates[step - 1] as number)).toBeGreaterThan(1.4);
    }
    expect(pace.perSecond(60_000)).toBe(1_000);
  });

  test("is not sped up by having come back from being parked long ago", () => {
    const pace = new Pace(100, 0);
    pace.slowDown(0, 1_000_000);
    pace.riseFrom(0, 1_000_000);
    expect(pace.perSecond(1_000_000)).toBe(50);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  backOffMs,
  FAILURES_TO_PARK,
  HEALTHY,
  type Health,
  type Measure,
  measureDue,
  OFF_AFTER_MS,
  observe,
  PARK_AFTER_MS,
  PROBE_WAITS_MS,
  probeWaitMs,
} from "./health.ts";
import type { Verdict } from "./verdict.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function after(attempts: readonly [Verdict, number][], from: Health = HEALTHY): Health {
  return attempts.reduce((health, [verdict, at]) => observe(health, { verdict, beganMs: at - 10, endedMs: at }), from);
}
const failing = (...times: number[]): [Verdict, number][] => times.map((at) => ["receiver_fails", at]);

describe("a webhook is parked", () => {
  test("after five failures in a row over a minute, the slow-downs among them", () => {
    expect(after(failing(0, 1_000, 2_000, 3_000, MINUTE - 11)).isParked).toBe(false);
    expect(after(failing(0, 1_000, 2_000, 3_000, MINUTE)).isParked).toBe(true);
    expect(after([...failing(0, 1, 2), ["too_fast", 3], ["too_fast", MINUTE]]).isParked).toBe(true);
  });

  test("not by four failures, however long they take, nor by any number in less than a minute", () => {
    expect(after(failing(0, DAY, 2 * DAY, 3 * DAY)).isParked).toBe(false);
    expect(after(failing(...Array.from({ length: 500 }, (_, n) => n * 100))).isParked).toBe(false);
  });

  test("not where a success lies between", () => {
    const health = after([...failing(0, 1, 2, 3), ["delivered", 4], ...failing(MINUTE, 2 * MINUTE)]);
    expect(health).toMatchObject({ isParked: false, failures: 2, failingSinceMs: MINUTE - 10 });
  });

  test.each(["delivery_fails", "ours"] as const)("not by what is no failure of its own: %s", (verdict) => {
    expect(after(Array.from({ length: 50 }, (_, n) => [verdict, n * HOUR] as [Verdict, number]))).toEqual(HEALTHY);
  });

  test("and before that backs off from the fifth failure in a row on, until a success", () => {
    const waits = [1, 2, 3, 4, 5, 6].map((count) => after(failing(...Array.from({ length: count }, (_, n) => n))));
    expect(waits.map((health) => backOffMs(health, "receiver_fails"))).toEqual([0, 0, 0, 0, 5_000, 5_000]);
    const again = after([...failing(0, 1, 2, 3, 4), ["delivered", 5], ...failing(6)]);
    expect(backOffMs(again, "receiver_fails")).toBe(0);
  });

  test.each([
    ["ours", 5_000],
    ["delivery_fails", 0],
    ["too_fast", 0],
  ] as const)("and backs off after five failures and what came to %s: %d ms", (verdict, waitMs) => {
    expect(backOffMs(after([...failing(0, 1, 2, 3, 4), [verdict, 5]]), verdict)).toBe(waitMs);
  });

  test("exactly when the last unbroken run of failures is long enough, whatever came before", () => {
    const verdict = fc.constantFrom<Verdict>(
      "delivered",
      "receiver_fails",
      "too_fast",
      "delivery_fails",
      "ours",
      "gone",
    );
    const attempts = fc.array(fc.tuple(verdict, fc.integer({ min: 1, max: 30_000 })), { maxLength: 60 });
    fc.assert(
      fc.property(attempts, (steps) => {
        let now = 0;
        let run: number[] = [];
        let parked = false;
        let health = HEALTHY;
        for (const [verdict, waitMs] of steps) {
          now += waitMs;
          health = observe(health, { verdict, beganMs: now, endedMs: now });
          if (verdict === "delivered") [run, parked] = [[], false];
          if (verdict === "receiver_fails" || verdict === "too_fast") {
            run.push(now);
            parked ||= run.length >= FAILURES_TO_PARK && now - (run[0] ?? now) >= PARK_AFTER_MS;
          }
          expect(health.isParked).toBe(parked);
          expect(health.failures).toBe(run.length);
        }
      }),
    );
  });
});

describe("a parked webhook", () => {
  const parked = after(failing(0, 1, 2, 3, MINUTE));

  test("is probed after 5 min, 30 min, 1 h, then every 4 h", () => {
    expect(probeWaitMs(parked)).toBe(5 * MINUTE);
    const waits: number[] = [];
    let health = parked;
    for (let n = 0; n < 6; n++) {
      health = after(failing((n + 1) * DAY), health);
      waits.push(probeWaitMs(health));
    }
    expect(waits).toEqual([30 * MINUTE, HOUR, 4 * HOUR, 4 * HOUR, 4 * HOUR, 4 * HOUR]);
    expect(PROBE_WAITS_MS).toHaveLength(4);
  });

  test("leaves with the first success, and begins anew when it fails again", () => {
    const back = after([["delivered", HOUR]], parked);
    expect(back).toMatchObject({ isParked: false, failures: 0, failingSinceMs: null, probes: 0 });
    expect(after(failing(2 * HOUR, 3 * HOUR), back).isParked).toBe(false);
  });

  test("stays when the probe was refused for its content alone: it was a probe, and the next one has the next wait", () => {
    const probed = after([["delivery_fails", HOUR]], parked);
    expect(probed).toEqual({ ...parked, probes: 1 });
    expect(probeWaitMs(probed)).toBe(30 * MINUTE);
  });
});

describe("what its clinic is told", () => {
  /** Attempts that fail at these times, with every measure carried out as the dispatcher does. */
  function told(times: readonly number[]): [number, Measure][] {
    const all: [number, Measure][] = [];
    let health = HEALTHY;
    for (const at of times) {
      health = observe(health, { verdict: "receiver_fails", beganMs: at, endedMs: at });
      const measure = measureDue(health, at);
      if (measure === null) continue;
      all.push([at, measure]);
      if (measure.kind === "warn") health = { ...health, warned: measure.warned, warnedAtMs: at };
      else break;
    }
    return all;
  }
  const START = [0, 1_000, 2_000, 3_000, MINUTE];
  const every4Hours = Array.from({ length: 60 }, (_, n) => MINUTE + (n + 1) * 4 * HOUR);

  test("at the first sustained failure, after a day, a day before it is turned off, and when it is", () => {
    expect(told([...START, ...every4Hours])).toEqual([
      [MINUTE, { kind: "warn", warned: 1 }],
      [DAY + MINUTE, { kind: "warn", warned: 2 }],
      [4 * DAY + MINUTE, { kind: "warn", warned: 3 }],
      [5 * DAY + MINUTE, { kind: "turn_off" }],
    ]);
  });

  test("where nothing was sent for days: never turned off without a day's warning", () => {
    expect(told([...START, 30 * DAY, 30 * DAY + HOUR, 31 * DAY])).toEqual([
      [MINUTE, { kind: "warn", warned: 1 }],
      [30 * DAY, { kind: "warn", warned: 3 }],
      [31 * DAY, { kind: "turn_off" }],
    ]);
  });

  test("nothing before it is parked, and never turned off before five days of failing", () => {
    expect(told(START.slice(0, 4))).toEqual([]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: DAY }), { maxLength: 100 }), (waits) => {
        let at = 0;
        const times = [0, ...waits.map((wait) => (at += wait))];
        const off = told(times).find(([, { kind }]) => kind === "turn_off");
        if (off) expect(off[0]).toBeGreaterThanOrEqual(OFF_AFTER_MS);
      }),
    );
  });

  test("that it has recovered, once, where it had been told of the failure", () => {
    const parked = { ...after(failing(...START)), warned: 1, warnedAtMs: MINUTE } as const;
    const back = after([["delivered", HOUR]], parked);
    expect(measureDue(back, HOUR)).toEqual({ kind: "warn", warned: 0 });
    expect(measureDue({ ...back, warned: 0, warnedAtMs: null }, HOUR)).toBeNull();
    expect(measureDue(after([["delivered", HOUR]]), HOUR)).toBeNull();
  });
});

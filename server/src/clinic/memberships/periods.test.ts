import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CATCH_UP_MAX_PERIODS, dateAt, firstToCharge, periodStart, startOf } from "./periods.ts";

const date = (text: string) => Temporal.PlainDate.from(text);
const INTERVALS = ["day", "week", "month", "year"] as const;
const days = fc.integer({ min: 0, max: 20_000 }).map((offset) => date("2000-01-01").add({ days: offset }));
const anchors = fc.record({ on: days, interval: fc.constantFrom(...INTERVALS) });

describe("the periods of a membership", () => {
  test.each([
    ["month", "2026-01-31", ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]],
    ["month", "2028-01-30", ["2028-02-29", "2028-03-30"]],
    ["month", "2026-10-15", ["2026-11-15", "2026-12-15", "2027-01-15"]],
    ["year", "2028-02-29", ["2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]],
    ["week", "2026-10-28", ["2026-11-04", "2026-11-11"]],
    ["day", "2026-02-27", ["2026-02-28", "2026-03-01"]],
  ] as const)("by the %s from %s begin on %s", (interval, on, expected) => {
    const starts = expected.map((_, at) => periodStart({ on: date(on), interval }, at + 1).toString());
    expect(starts).toEqual(expected);
  });

  test("do not drift: the day of the month is the anchor's wherever the month has it, and they always go forward", () => {
    fc.assert(
      fc.property(anchors, fc.integer({ min: 0, max: 600 }), (anchor, number) => {
        const start = periodStart(anchor, number);
        expect(Temporal.PlainDate.compare(start, periodStart(anchor, number + 1))).toBe(-1);
        if (anchor.interval === "month") expect(start.day).toBe(Math.min(anchor.on.day, start.daysInMonth));
        if (anchor.interval === "week") expect(start.dayOfWeek).toBe(anchor.on.dayOfWeek);
      }),
    );
  });
});

describe("periods that were missed", () => {
  test("are all charged when they are few", () => {
    const anchor = { on: date("2026-01-31"), interval: "month" } as const;
    expect(firstToCharge(anchor, 1, date("2026-06-15"))).toBe(1);
    expect(firstToCharge(anchor, 4, date("2026-01-31"))).toBe(4);
  });

  test("beyond the limit are let go, the oldest first", () => {
    const anchor = { on: date("2026-01-01"), interval: "day" } as const;
    const first = firstToCharge(anchor, 1, date("2026-12-31"));
    expect(periodStart(anchor, first).toString()).toBe("2026-12-01");
  });

  test("that are charged are never more than the limit, never before the next one, and reach up to today", () => {
    fc.assert(
      fc.property(anchors, fc.nat(400), fc.nat(5_000), (anchor, next, later) => {
        const today = anchor.on.add({ days: later });
        const first = firstToCharge(anchor, next, today);
        expect(first).toBeGreaterThanOrEqual(next);
        const isAfterToday = (number: number) => Temporal.PlainDate.compare(periodStart(anchor, number), today) > 0;
        expect(isAfterToday(first + CATCH_UP_MAX_PERIODS)).toBe(true);
        if (first > next) expect(isAfterToday(first + CATCH_UP_MAX_PERIODS - 1)).toBe(false);
      }),
    );
  });
});

describe("the clinic's dates", () => {
  test.each([
    ["America/Toronto", "2026-03-08", "2026-03-08T05:00:00Z"],
    ["America/Toronto", "2026-11-02", "2026-11-02T05:00:00Z"],
    ["Asia/Kathmandu", "2026-06-01", "2026-05-31T18:15:00Z"],
    // midnight is skipped on this day
    ["America/Santiago", "2026-09-06", "2026-09-06T04:00:00Z"],
  ])("begin in %s on %s at %s", (zone, day, instant) => {
    expect(startOf(date(day), zone).toString()).toBe(instant);
    expect(dateAt(Temporal.Instant.from(instant), zone).toString()).toBe(day);
    expect(dateAt(Temporal.Instant.from(instant).subtract({ nanoseconds: 1 }), zone).toString()).toBe(
      date(day).subtract({ days: 1 }).toString(),
    );
  });
});

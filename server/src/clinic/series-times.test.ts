import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { briefOf, refusalOf } from "../../test/refusal.ts";
import { OCCURRENCES_MAX, occurrencesOf, type Repeats } from "./series-times.ts";
import { clinicTime } from "./times.ts";

const TORONTO = "America/Toronto";

const starts = (startTime: string, repeats: Repeats, timeZone = TORONTO) =>
  occurrencesOf({ startTime, timeZone }, repeats).map((instant) => clinicTime(instant, timeZone));

describe("the occurrences of a series", () => {
  test("keep their wall time over the start and the end of daylight saving", () => {
    expect(starts("2026-03-01T18:00", { every: "week", count: 3 })).toEqual([
      "2026-03-01T18:00:00-05:00",
      "2026-03-08T18:00:00-04:00",
      "2026-03-15T18:00:00-04:00",
    ]);
    expect(starts("2026-10-31T18:00-04:00", { every: "day", count: 2 })).toEqual([
      "2026-10-31T18:00:00-04:00",
      "2026-11-01T18:00:00-05:00",
    ]);
  });

  test("are moved by a missing wall time on its own day alone, the first one too", () => {
    const around = ["2026-03-07T02:30:00-05:00", "2026-03-08T03:30:00-04:00", "2026-03-09T02:30:00-04:00"];
    expect(starts("2026-03-07T02:30", { every: "day", count: 3 })).toEqual(around);
    expect(starts("2026-03-08T02:30", { every: "day", count: 2 })).toEqual(around.slice(1));
  });

  test("take the earlier of a doubled wall time; the first one is the instant that was asked for", () => {
    const [, second] = starts("2026-10-31T01:30", { every: "day", count: 2 });
    expect(second).toBe("2026-11-01T01:30:00-04:00");
    const [first, next] = starts("2026-11-01T01:30:00-05:00", { every: "day", count: 2 });
    expect([first, next]).toEqual(["2026-11-01T01:30:00-05:00", "2026-11-02T01:30:00-05:00"]);
  });

  test("by the month are on the same day, or on the last one of a month that is too short", () => {
    const days = starts("2027-01-31T09:00", { every: "month", count: 4 }).map((time) => time.slice(0, 10));
    expect(days).toEqual(["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]);
  });

  test("go on until a day, that day included, in steps of the interval", () => {
    const days = (repeats: Repeats) => starts("2026-06-01T09:00", repeats).map((time) => time.slice(5, 10));
    expect(days({ every: "week", interval: 2, until: "2026-06-29" })).toEqual(["06-01", "06-15", "06-29"]);
    expect(days({ every: "week", interval: 2, until: "2026-06-28" })).toEqual(["06-01", "06-15"]);
    expect(days({ every: "day", until: "2026-06-01" })).toEqual(["06-01"]);
  });

  test("have the first one's wall time in any zone, but where that time is missing; and there are as many as asked for", () => {
    const zone = fc.constantFrom(TORONTO, "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "Europe/Lisbon");
    const every = fc.constantFrom("day" as const, "week" as const);
    const minute = fc.integer({ min: 0, max: 24 * 60 - 1 });
    const day = fc.integer({ min: 0, max: 700 });
    fc.assert(
      fc.property(zone, every, minute, day, fc.integer({ min: 1, max: 60 }), (timeZone, step, at, offset, count) => {
        const date = Temporal.PlainDate.from("2026-01-01").add({ days: offset });
        const time = Temporal.PlainTime.from("00:00").add({ minutes: at });
        const wall = date.toPlainDateTime(time);
        const found = occurrencesOf({ startTime: wall.toString(), timeZone }, { every: step, count });
        expect(found).toHaveLength(count);
        found.forEach((instant, place) => {
          const wanted = wall.add({ [`${step}s`]: place });
          const shown = instant.toZonedDateTimeISO(timeZone).toPlainDateTime();
          // Longer than any gap that these zones have.
          const gapMinutes = wanted.until(shown, { largestUnit: "minute" }).minutes;
          const isMissing = wanted.toZonedDateTime(timeZone).toPlainDateTime().equals(wanted) === false;
          expect(isMissing ? gapMinutes > 0 && gapMinutes <= 60 : gapMinutes === 0).toBe(true);
        });
      }),
      { numRuns: 200 },
    );
  });
});

describe("a rule is refused", () => {
  test.each<[Repeats, string]>([
    [{ every: "week" }, "repeats"],
    [{ every: "week", count: 2, until: "2026-07-01" }, "repeats"],
    [{ every: "week", count: 0 }, "repeats.count"],
    [{ every: "week", count: 1.5 }, "repeats.count"],
    [{ every: "week", count: OCCURRENCES_MAX + 1 }, "repeats.count"],
    [{ every: "week", interval: 0, count: 2 }, "repeats.interval"],
    [{ every: "week", interval: 53, count: 2 }, "repeats.interval"],
    [{ every: "week", until: "someday" }, "repeats.until"],
    [{ every: "week", until: "2026-05-31" }, "repeats.until"],
    [{ every: "day", until: "2030-01-01" }, "repeats.until"],
  ])("%j, naming the field", async (repeats, field) => {
    expect(briefOf(await refusalOf(() => starts("2026-06-01T09:00", repeats)))).toEqual({
      status: 400,
      code: "invalid_request",
      fields: [field],
    });
  });

  test("where it would go beyond the years that times can be told in", async () => {
    const far = await refusalOf(() => starts("2199-06-01T09:00", { every: "month", count: 12 }));
    expect(briefOf(far)).toMatchObject({ fields: ["repeats"] });
    const late = starts("2199-06-01T09:00", { every: "month", count: 7 });
    expect(late.at(-1)).toBe("2199-12-01T09:00:00-05:00");
  });
});

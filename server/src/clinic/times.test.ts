import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { refusalOf } from "../../test/refusal.ts";
import { clinicTime, endOf, readDate, readTime } from "./times.ts";

const TORONTO = "America/Toronto";
const ZONES = [TORONTO, "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC", "Pacific/Apia"];

describe("times that are written", () => {
  test("carry the clinic's offset for that very instant: two hours over the end of daylight saving in Toronto", () => {
    const start = Temporal.Instant.from("2026-11-01T04:30:00Z");
    expect(clinicTime(start, TORONTO)).toBe("2026-11-01T00:30:00-04:00");
    expect(clinicTime(endOf(start, 120), TORONTO)).toBe("2026-11-01T01:30:00-05:00");
  });

  test("carry offsets that are no whole hours", () => {
    const instant = Temporal.Instant.from("2026-11-01T04:30:00Z");
    expect(clinicTime(instant, "Asia/Kathmandu")).toBe("2026-11-01T10:15:00+05:45");
    expect(clinicTime(instant, "America/St_Johns")).toBe("2026-11-01T01:00:00-03:30");
    expect(clinicTime(instant, "UTC")).toBe("2026-11-01T04:30:00+00:00");
  });

  test("read back as the same instant, in every zone, around the year", () => {
    const seconds = fc.integer({ min: Date.UTC(1981) / 1_000, max: Date.UTC(2199) / 1_000 });
    fc.assert(
      fc.property(seconds, fc.constantFrom(...ZONES), (second, zone) => {
        const instant = Temporal.Instant.fromEpochMilliseconds(second * 1_000);
        const text = clinicTime(instant, zone);
        expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$/);
        expect(readTime("start_time", text, "Europe/Lisbon").equals(instant)).toBe(true);
      }),
    );
  });
});

describe("times that are read", () => {
  test.each([
    ["with an offset", "2026-11-01T09:00:00-05:00", "2026-11-01T14:00:00Z"],
    ["in UTC", "2026-11-01T14:00:00Z", "2026-11-01T14:00:00Z"],
    ["with an offset and no seconds", "2026-11-01T09:00-05:00", "2026-11-01T14:00:00Z"],
    ["without an offset, on the clinic's clock", "2026-11-01T09:00", "2026-11-01T14:00:00Z"],
    ["cut to the second", "2026-11-01T14:00:00.999Z", "2026-11-01T14:00:00Z"],
    ["missing on the clinic's clock: pushed on by the gap", "2026-03-08T02:30", "2026-03-08T07:30:00Z"],
    ["doubled on the clinic's clock: the first of the two", "2026-11-01T01:30", "2026-11-01T05:30:00Z"],
  ])("%s", (_, text, instant) => {
    expect(readTime("start_time", text, TORONTO).toString()).toBe(instant);
  });

  test.each([
    "",
    "tomorrow",
    "2026-11-01",
    "2026-02-30T09:00",
    "2026-11-01T24:00",
    "2026-11-01T09:60",
    "2026-11-01 09:00",
    "2026-11-01T09:00:00[America/Toronto]",
    "2026-11-01T09:00:00+05:45[u-ca=hebrew]",
    "1979-12-31T09:00",
    "2200-01-01T09:00",
    "+002026-11-01T09:00",
    "2026-11-01T09:00:00-05",
  ])("%j is refused, naming the field", async (text) => {
    const refusal = await refusalOf(() => readTime("start_time", text, TORONTO));
    expect(refusal.status).toBe(400);
    expect(refusal.fields).toMatchObject([{ field: "start_time" }]);
  });

  test("dates are of the calendar or refused", async () => {
    expect(readDate("from", "2026-11-01").toString()).toBe("2026-11-01");
    for (const text of ["2026-02-29", "20261101", "2026-11-1", "1900-01-01", "2026-11-01T00:00"]) {
      expect((await refusalOf(() => readDate("from", text))).fields).toMatchObject([{ field: "from" }]);
    }
  });
});

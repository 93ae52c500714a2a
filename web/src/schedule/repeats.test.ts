import { describe, expect, test } from "vitest";
import { ONCE, repeatDays, repeatsMistakes, repeatsOf, type TypedRepeats } from "./repeats.ts";

const typed = (changes: Partial<TypedRepeats>): TypedRepeats => ({ ...ONCE, every: "week", ...changes });

describe("a repeating consult", () => {
  test("is on the days that the server will choose: every other week, or at the end of a short month", () => {
    expect(repeatDays(typed({ interval: "2", count: "3" }), "2026-03-01")).toEqual([
      "2026-03-01",
      "2026-03-15",
      "2026-03-29",
    ]);
    expect(repeatDays(typed({ every: "month", count: "4" }), "2026-12-31")).toEqual([
      "2026-12-31",
      "2027-01-31",
      "2027-02-28",
      "2027-03-31",
    ]);
    const until = typed({ every: "day", ends: "until", until: "2026-03-02" });
    expect(repeatDays(until, "2026-03-01")).toEqual(["2026-03-01", "2026-03-02"]);
  });

  test("is sent as the server takes it, and not at all where it is once", () => {
    expect(repeatsOf(ONCE)).toBeUndefined();
    expect(repeatsOf(typed({ count: "5" }))).toEqual({ every: "week", interval: 1, count: 5 });
    const until = typed({ ends: "until", until: "2026-06-30" });
    expect(repeatsOf(until)).toEqual({ every: "week", interval: 1, until: "2026-06-30" });
  });

  test.each<[Partial<TypedRepeats>, object]>([
    [{ interval: "0" }, { interval: "interval" }],
    [{ interval: "" }, { interval: "interval" }],
    [{ count: "105" }, { count: "count" }],
    [{ count: "2.5" }, { count: "count" }],
    [{ ends: "until", until: "" }, { until: "until" }],
    [{ ends: "until", until: "2026-02-28" }, { until: "until" }],
    [{ ends: "until", until: "2030-02-28" }, { until: "tooLong" }],
    [{ ends: "until", until: "2028-02-20" }, {}],
    [{ every: null, interval: "0" }, {}],
  ])("typed as %j is told to be wrong where it is", (changes, mistakes) => {
    expect(repeatsMistakes(typed(changes), "2026-03-01")).toEqual(mistakes);
    if (Object.keys(mistakes).length > 0) expect(repeatDays(typed(changes), "2026-03-01")).toEqual([]);
  });
});

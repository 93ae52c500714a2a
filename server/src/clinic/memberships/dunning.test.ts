import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { afterDecline, RETRY_AFTER_DAYS } from "./dunning.ts";

const FIRST = Temporal.PlainDate.from("2026-02-27");
const declinedAfter = (days: number) => afterDecline({ firstOn: FIRST, today: FIRST.add({ days }) });

describe("after a decline", () => {
  test.each([
    [0, "2026-02-28"],
    [1, "2026-03-02"],
    [2, "2026-03-02"],
    [3, "2026-03-06"],
    [6, "2026-03-06"],
  ])("%i days after the first, the next try is on %s", (days, on) => {
    expect(declinedAfter(days)).toEqual({ do: "retry", on: Temporal.PlainDate.from(on) });
  });

  test.each([7, 8, 400])("%i days after the first, nothing more is tried", (days) => {
    expect(declinedAfter(days)).toEqual({ do: "give_up" });
  });

  test("a series ends after at most three more tries, however late each of them is made", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 10 }), (delays) => {
        let today = FIRST;
        let retries = 0;
        for (let at = 0; ; at += 1) {
          const decided = afterDecline({ firstOn: FIRST, today });
          if (decided.do === "give_up") break;
          expect(Temporal.PlainDate.compare(decided.on, today)).toBe(1);
          today = decided.on.add({ days: delays[at] ?? 0 });
          retries += 1;
        }
        expect(retries).toBeLessThanOrEqual(RETRY_AFTER_DAYS.length);
        if (delays.every((delay) => delay === 0)) expect(retries).toBe(RETRY_AFTER_DAYS.length);
      }),
    );
  });
});

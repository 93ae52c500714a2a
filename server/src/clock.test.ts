import { expect, test } from "vitest";
import { fixedClock, systemClock } from "./clock.ts";

test("a fixed clock stands still, and moves both its hands when told", () => {
  const clock = fixedClock("2026-03-08T06:30:00Z");
  expect([String(clock.now()), clock.monotonicMs()]).toEqual(["2026-03-08T06:30:00Z", 0]);
  clock.advance({ minutes: 90, milliseconds: 5 });
  clock.advance({ days: 1 });
  expect([String(clock.now()), clock.monotonicMs()]).toEqual(["2026-03-09T08:00:00.005Z", 91_800_005]);
});

test("the system's monotonic hand never runs back", () => {
  const readings = Array.from({ length: 1_000 }, () => systemClock.monotonicMs());
  expect(readings).toEqual([...readings].sort((a, b) => a - b));
});

test("a fixed clock calls what has come due when it is moved, the earliest first, and nothing that was called off", () => {
  const clock = fixedClock("2026-03-08T06:30:00Z");
  const called: string[] = [];
  clock.after(20, () => called.push("late"));
  clock.after(10, () => called.push("early"));
  const callOff = clock.after(15, () => called.push("never"));
  clock.after(31, () => called.push("not yet"));
  callOff();
  clock.advance({ milliseconds: 30 });
  expect(called).toEqual(["early", "late"]);
});

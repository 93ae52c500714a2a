import { describe, expect, test } from "vitest";
import { growthOf, percentile, type Sample, warmUpOf } from "./growth.ts";

/** A sample every 10 s for an hour. */
const hour = (value: (at: number) => number): Sample[] =>
  Array.from({ length: 360 }, (_, n) => ({ at: n * 10, value: value(n * 10) }));

describe("growth", () => {
  test("is none where nothing changes, and where there is nothing", () => {
    expect(
      growthOf(
        hour(() => 500),
        600,
      ),
    ).toEqual({ mean: 500, per_hour: 0, samples: 300 });
    expect(
      growthOf(
        hour(() => 0),
        600,
      ),
    ).toEqual({ mean: 0, per_hour: 0, samples: 300 });
    expect(growthOf([], 0)).toEqual({ mean: 0, per_hour: 0, samples: 0 });
    expect(growthOf([{ at: 5, value: 7 }], 0)).toEqual({ mean: 7, per_hour: 0, samples: 1 });
  });

  test("is a share of the mean in an hour, whichever way it goes", () => {
    expect(
      growthOf(
        hour((at) => 1_000 + at / 3.6),
        0,
      ).per_hour,
    ).toBeCloseTo(1_000 / 1_498.6, 3);
    expect(
      growthOf(
        hour((at) => 1_000 - at / 36),
        0,
      ).per_hour,
    ).toBeCloseTo(-100 / 950.1, 3);
  });

  test("does not count what was before the warm-up", () => {
    const filling = hour((at) => Math.min(at, 600));
    expect(growthOf(filling, 0).per_hour).toBeGreaterThan(0.1);
    expect(growthOf(filling, 600)).toEqual({ mean: 600, per_hour: 0, samples: 300 });
  });

  test("is not made by what comes and goes, such as rows between two vacuums", () => {
    const saw = hour((at) => 10_000 + (at % 60) * 100);
    expect(Math.abs(growthOf(saw, 600).per_hour)).toBeLessThan(0.02);
    const growingSaw = hour((at) => 10_000 + (at % 60) * 100 + at / 2);
    expect(growthOf(growingSaw, 600).per_hour).toBeGreaterThan(0.1);
  });
});

test("a warm-up is a third of a short soak and ten minutes of a long one", () => {
  expect([warmUpOf(180), warmUpOf(1_800), warmUpOf(3_600)]).toEqual([60, 600, 600]);
});

test("a percentile is one of the values, whatever their order, and 0 of none", () => {
  const values = Array.from({ length: 100 }, (_, n) => 100 - n);
  expect([percentile(values, 0.5), percentile(values, 0.99), percentile([3], 0.99), percentile([], 0.5)]).toEqual([
    51, 100, 3, 0,
  ]);
});

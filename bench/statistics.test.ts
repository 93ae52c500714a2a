import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { median, percentile, ratiosByRun, rounded, spread } from "./statistics.ts";

const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 50 });

describe("a percentile", () => {
  test("is the value of the nearest rank", () => {
    const hundred = Array.from({ length: 100 }, (_, n) => n + 1);
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile(hundred, 1)).toBe(100);
    expect(percentile(hundred, 0)).toBe(1);
    expect(percentile([7], 0.99)).toBe(7);
    expect(percentile([10, 9, 100], 0.99)).toBe(100);
  });

  test("is one of the values, and rises with its share", () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (some, share) => {
        const found = percentile(some, share);
        expect(some).toContain(found);
        expect(found).toBeLessThanOrEqual(percentile(some, 1));
        expect(some.filter((value) => value <= found).length).toBeGreaterThanOrEqual(share * some.length);
      }),
    );
  });

  test("of nothing, or of a share that is none, is a bug of the caller", () => {
    expect(() => percentile([], 0.5)).toThrow(RangeError);
    expect(() => percentile([1], 1.01)).toThrow(RangeError);
    expect(() => percentile([1], Number.NaN)).toThrow(RangeError);
  });
});

describe("a median", () => {
  test("is the middle value, or the mean of the two in the middle, in whatever order they come", () => {
    expect(median([5, 1, 3])).toBe(3);
    expect(median([10, 1, 2, 100])).toBe(6);
    expect(median([4])).toBe(4);
    expect(() => median([])).toThrow(RangeError);
  });

  test("leaves the list as it was, and lies within its spread", () => {
    fc.assert(
      fc.property(values, (some) => {
        const before = [...some];
        const found = spread(some);
        expect(some).toEqual(before);
        expect(found.min).toBeLessThanOrEqual(found.median);
        expect(found.median).toBeLessThanOrEqual(found.max);
      }),
    );
  });
});

describe("ratios", () => {
  test("are made run by run, so that a slow run does not count against one side", () => {
    // The machine was half as fast in the second run, for both: the ratio has not changed.
    expect(ratiosByRun([100, 50, 100], [200, 100, 200])).toEqual([0.5, 0.5, 0.5]);
    expect(median(ratiosByRun([10, 90, 20], [10, 30, 40]))).toBe(1);
  });

  test("of runs that do not match, or with nothing below the line, are a bug of the caller", () => {
    expect(() => ratiosByRun([1, 2], [1])).toThrow(RangeError);
    expect(() => ratiosByRun([1], [0])).toThrow(RangeError);
    expect(() => ratiosByRun([1], [Number.NaN])).toThrow(RangeError);
  });
});

test("figures are rounded to significant digits, not to decimals", () => {
  expect([rounded(0.012345), rounded(12345), rounded(9.999, 2), rounded(0)]).toEqual([0.0123, 12300, 10, 0]);
});

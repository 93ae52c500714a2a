import { describe, expect, test } from "vitest";
import { HEALTHY_PLACES_MAX, type Place, Places, SLOW_AFTER_MS, SUSPECT_PLACES_MAX } from "./places.ts";

describe("places for requests in flight", () => {
  test("of receivers that hang are given back to the healthy ones after a while, and the webhook is told of", () => {
    const places = new Places();
    const slow: number[] = [];
    const taken: Place[] = [];
    for (let n = 0; n < HEALTHY_PLACES_MAX; n++) {
      taken.push(places.take({ pool: "healthy", beganMs: n, onSlow: () => slow.push(n) }));
    }
    expect(places.free("healthy")).toBe(0);
    places.moveSlow(SLOW_AFTER_MS + 9);
    expect(places.free("healthy")).toBe(10);
    expect(places.free("suspect")).toBe(SUSPECT_PLACES_MAX - 10);
    expect(slow).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(places.msUntilSlow(SLOW_AFTER_MS + 9)).toBe(1);
    for (const place of taken) places.leave(place);
    expect([places.inFlight, places.free("healthy"), places.free("suspect")]).toEqual([
      ...[0, HEALTHY_PLACES_MAX, SUSPECT_PLACES_MAX],
    ]);
    expect(places.msUntilSlow(0)).toBe(Number.POSITIVE_INFINITY);
  });

  test("in doubt from the start leave the healthy ones alone", () => {
    const places = new Places();
    for (let n = 0; n < SUSPECT_PLACES_MAX; n++) places.take({ pool: "suspect", beganMs: 0, onSlow: () => {} });
    expect([places.free("suspect"), places.free("healthy")]).toEqual([0, HEALTHY_PLACES_MAX]);
  });
});

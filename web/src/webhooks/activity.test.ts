import { describe, expect, it } from "vitest";
import { barsOf, sumOf } from "./activity.ts";

const day = (delivered: number, failed = 0, waiting = 0) => ({ day: "2026-11-02", delivered, failed, waiting });

describe("the bars of a webhook's days", () => {
  it("are as high as there is room on the busiest day, and have no part where there was nothing", () => {
    const [busy, half, none] = barsOf([day(40), day(20), day(0)], 32);
    expect(busy?.parts).toEqual([{ kind: "delivered", y: 0, height: 32 }]);
    expect(half?.parts).toEqual([{ kind: "delivered", y: 16, height: 16 }]);
    expect(none?.parts).toEqual([]);
  });

  it("show a single failure among thousands, and never reach over the top", () => {
    for (const days of [[day(1_000, 1, 1)], [day(1, 1_000, 1)], [day(1, 1, 1_000)], [day(3), day(0, 1)]]) {
      for (const { parts } of barsOf(days, 32)) {
        for (const part of parts) {
          expect(part.height).toBeGreaterThanOrEqual(3);
          expect(part.y).toBeGreaterThanOrEqual(0);
        }
        const touching = parts.slice(1).map((part, index) => parts[index]?.y === part.y + part.height);
        expect(touching).toEqual(touching.map(() => true));
      }
    }
  });

  it("are summed up over the days", () => {
    expect(sumOf([day(1, 2, 3), day(4)])).toEqual({ delivered: 5, failed: 2, waiting: 3 });
  });
});

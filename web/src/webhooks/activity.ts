// How high the bars of a webhook's last days are. Pure.
import type { ActivityDay } from "../api-types.ts";

/** From the ground up. */
export const KINDS = ["delivered", "failed", "waiting"] as const;
export type Kind = (typeof KINDS)[number];

export interface Bar {
  day: string;
  /** Pixels from the top; a kind without a delivery has no part. */
  parts: { kind: Kind; y: number; height: number }[];
}

/** A part that is there must be seen, however small its share. */
const PART_MIN_PIXELS = 3;

export function sumOf(days: readonly ActivityDay[]): Omit<ActivityDay, "day"> {
  const sum = { delivered: 0, failed: 0, waiting: 0 };
  for (const day of days) for (const kind of KINDS) sum[kind] += day[kind];
  return sum;
}

/** The busiest day is as high as there is room. */
export function barsOf(days: readonly ActivityDay[], height: number): Bar[] {
  const most = Math.max(1, ...days.map(({ delivered, failed, waiting }) => delivered + failed + waiting));
  return days.map((day) => {
    const parts: Bar["parts"] = [];
    const there = KINDS.filter((kind) => day[kind] > 0);
    let y = height;
    for (const kind of there) {
      const left = y - PART_MIN_PIXELS * (there.length - 1 - parts.length);
      const part = Math.min(left, Math.max(PART_MIN_PIXELS, Math.round((day[kind] / most) * height)));
      y -= part;
      parts.push({ kind, y, height: part });
    }
    return { day: day.day, parts };
  });
}

/** Whether something grows: a straight line through what was seen after the warm-up. Pure. */

export interface Sample {
  /** s since the start */
  readonly at: number;
  readonly value: number;
}

export interface Growth {
  /** of what was seen after the warm-up */
  readonly mean: number;
  /** Least-squares slope in an hour, as a share of the mean: 0.01 is one per cent an hour. 0 where there is nothing. */
  readonly per_hour: number;
  readonly samples: number;
}

/** The growth of what was seen from `warmUpSeconds` on. Two samples at different times are the least that a line needs. */
export function growthOf(samples: readonly Sample[], warmUpSeconds: number): Growth {
  const seen = samples.filter(({ at }) => at >= warmUpSeconds);
  const mean = meanOf(seen.map(({ value }) => value));
  const meanAt = meanOf(seen.map(({ at }) => at));
  const spread = sum(seen.map(({ at }) => (at - meanAt) ** 2));
  const slopePerSecond = spread === 0 ? 0 : sum(seen.map(({ at, value }) => (at - meanAt) * (value - mean))) / spread;
  const perHour = mean === 0 ? 0 : (slopePerSecond * 3_600) / mean;
  return { mean: Math.round(mean), per_hour: Number(perHour.toFixed(4)), samples: seen.length };
}

/** How long a soak of so many seconds warms up: a third of it, ten minutes at most. */
export function warmUpOf(seconds: number): number {
  return Math.min(600, seconds / 3);
}

/** The value below which the given share of them lies; 0 where there are none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const found = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return Number(found.toFixed(2));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : sum(values) / values.length;
}

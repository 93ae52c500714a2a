/** Medians, percentiles and ratios of repeated measurements. Pure. */

/** What came of a figure over the runs: its median, and how far the runs lay apart. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/**
 * The value below which the given share (0 to 1) of the values lies, by the nearest rank: always one that was measured.
 * @throws RangeError for no values, or a share outside 0 to 1
 */
export function percentile(values: readonly number[], share: number): number {
  if (!(share >= 0 && share <= 1)) throw new RangeError(`a share lies between 0 and 1, not at ${share}`);
  const sorted = values.toSorted((a, b) => a - b);
  const found = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  if (found === undefined) throw new RangeError("no values, hence no percentile");
  return found;
}

/**
 * The middle value; of an even number of values the mean of the two in the middle.
 * @throws RangeError for no values
 */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  if (upper === undefined || lower === undefined) throw new RangeError("no values, hence no median");
  return (lower + upper) / 2;
}

/** @throws RangeError for no values */
export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * The ratio of two figures, run by run, so that what slows a whole run slows both of them.
 * @throws RangeError where the runs do not match, or one of those below the line is not above 0
 */
export function ratiosByRun(above: readonly number[], below: readonly number[]): number[] {
  if (above.length !== below.length) throw new RangeError(`${above.length} runs against ${below.length}`);
  return above.map((value, run) => {
    const divisor = below[run] as number;
    if (!(divisor > 0)) throw new RangeError(`run ${run + 1} has ${divisor} below the line`);
    return value / divisor;
  });
}

/** To so many significant digits, for people to read. */
export function rounded(value: number, digits = 3): number {
  return Number(value.toPrecision(digits));
}

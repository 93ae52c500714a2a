/** What a part of the suite is given, and what it gives back. */
import { median, rounded, type Spread, spread } from "./statistics.ts";

export interface SuiteOptions {
  runs: number;
  cpuProf?: string | undefined;
  pgStats: boolean;
  print: (line: string) => void;
}

/** Figures under their keys: medians of the runs, null where this system cannot tell. How they spread is in `details`. */
export interface PartFigures {
  /** what has a goal */
  keys: Record<string, number | null>;
  supporting: Record<string, number>;
  details: Record<string, unknown>;
}

/** The figures of all runs, by their keys. */
type Runs = Record<string, readonly number[]>;

/** The median of each, to three digits. */
export function medians(runs: Runs): Record<string, number> {
  return Object.fromEntries(Object.entries(runs).map(([key, values]) => [key, rounded(median(values))]));
}

/** How far the runs of each lay apart, to four digits. */
export function spreads(runs: Runs): Record<string, Spread> {
  const four = (one: Spread): Spread => ({
    median: rounded(one.median, 4),
    min: rounded(one.min, 4),
    max: rounded(one.max, 4),
  });
  return Object.fromEntries(Object.entries(runs).map(([key, values]) => [key, four(spread(values))]));
}

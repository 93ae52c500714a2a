/**
 * When the occurrences of a series are: pure.
 *
 * Owns how a rule of repetition becomes instants. Promises that every occurrence has the same wall time on the clinic's
 * clock, whatever daylight saving does in between (contract §5); a missing or doubled wall time is read as Temporal's
 * `compatible`, on that day alone. A month too short for the day takes its last day.
 */
import { invalid } from "../errors.ts";
import { instantOf, readDate, readTime, refuseYear, wallTimeOf } from "./times.ts";

/** Two years of weeks. */
export const OCCURRENCES_MAX = 104;
/** A year of weeks. */
export const INTERVAL_MAX = 52;

export interface Repeats {
  readonly every: "day" | "week" | "month";
  /** Every so many days, weeks or months, 1 to `INTERVAL_MAX`; 1 where absent. */
  readonly interval?: number | undefined;
  /** How many occurrences, the first one included; this or `until`, not both. */
  readonly count?: number | undefined;
  /** The clinic's date after which there is none. */
  readonly until?: string | undefined;
}

export interface FirstOccurrence {
  /** As `readTime` takes it. */
  readonly startTime: string;
  readonly timeZone: string;
}

/** The starts of a series, the first one included, in order. @throws ProblemError naming a field of `repeats` */
export function occurrencesOf(first: FirstOccurrence, repeats: Repeats): Temporal.Instant[] {
  const { startTime, timeZone } = first;
  const { every, interval = 1 } = repeats;
  if (!Number.isInteger(interval) || interval < 1 || interval > INTERVAL_MAX) {
    throw invalid("repeats.interval", `Write a whole number from 1 to ${INTERVAL_MAX}.`, "too_big");
  }
  const start = readTime("start_time", startTime, timeZone);
  const wallTime = wallTimeOf(startTime, timeZone);
  // Counted from the first one each time: after the 31st of January and a day in February comes the 31st of March.
  const at = (place: number) => wallTime.add({ [`${every}s`]: place * interval });
  const count = countOf(at, repeats);
  refuseYear("repeats", at(count - 1).year);
  // The first is the instant that was asked for, which an offset may have told from its double.
  return Array.from({ length: count }, (_, place) => (place === 0 ? start : instantOf(at(place), timeZone)));
}

function countOf(at: (place: number) => Temporal.PlainDateTime, { count, until }: Repeats): number {
  if ((count === undefined) === (until === undefined)) {
    throw invalid("repeats", "Say how often, with count, or until which day, with until; not both.", "missing");
  }
  if (count !== undefined) {
    if (Number.isInteger(count) && count >= 1 && count <= OCCURRENCES_MAX) return count;
    throw invalid("repeats.count", `Write a whole number from 1 to ${OCCURRENCES_MAX}.`, "too_big");
  }
  const last = readDate("repeats.until", until ?? "");
  let places = 0;
  while (places <= OCCURRENCES_MAX && Temporal.PlainDate.compare(at(places), last) <= 0) places += 1;
  if (places > OCCURRENCES_MAX) {
    throw invalid(
      "repeats.until",
      `A series has at most ${OCCURRENCES_MAX} consults. Choose an earlier day.`,
      "too_many",
    );
  }
  if (places > 0) return places;
  throw invalid("repeats.until", "This day comes before the first consult. Choose a later one.", "day_range");
}

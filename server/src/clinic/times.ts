/**
 * Between instants and the clinic's wall clock (contract §5).
 *
 * Owns how a time is read and how it is written. Promises: what is written is RFC 3339 with the numeric offset that the
 * clinic's zone has at that very instant, to the second; a wall time that is missing or doubled is read as Temporal's
 * `compatible`. Does not read the clock: what time it is now is nobody's business here.
 */
import { invalid } from "../errors.ts";

/** Outside these years a zone's rules are guesses, and before 1980 some offsets have seconds that RFC 3339 cannot write. */
const YEAR_MIN = 1980;
const YEAR_MAX = 2199;

const LOCAL = String.raw`\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?`;
const LOCAL_TIME = new RegExp(`^${LOCAL}$`);
const TIME_WITH_OFFSET = new RegExp(`^${LOCAL}(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)$`);
const TIME_OF_DAY = /^([01]\d|2[0-3]):[0-5]\d$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

/** `2026-11-01T01:30:00-05:00`: the instant as the clinic's clock shows it, cut to the second. */
export function clinicTime(instant: Temporal.Instant, timeZone: string): string {
  return instant
    .toZonedDateTimeISO(timeZone)
    .toString({ smallestUnit: "second", roundingMode: "floor", timeZoneName: "never", offset: "auto" });
}

/** Duration is elapsed time: two hours over the end of daylight saving end three hours later on no clock at all. */
export function endOf(start: Temporal.Instant, durationMinutes: number): Temporal.Instant {
  return start.add({ minutes: durationMinutes });
}

/**
 * Reads `2026-11-01T09:00:00-05:00`, or without an offset `2026-11-01T09:00` on the clinic's own clock. A fraction of a
 * second is cut off, because nothing that is sent could show it.
 * @throws ProblemError naming `field` when it is no time, no day of the calendar or out of range
 */
export function readTime(field: string, text: string, timeZone: string): Temporal.Instant {
  const instant = parse(text, timeZone);
  if (instant === null) {
    throw invalid(
      field,
      "This is not a time. Write it like 2026-11-01T09:00, or with an offset like 2026-11-01T09:00:00-05:00.",
      text === "" ? "missing" : "not_a_time",
    );
  }
  refuseYear(field, instant.toZonedDateTimeISO(timeZone).year);
  return instant.round({ smallestUnit: "second", roundingMode: "floor" });
}

/** @throws ProblemError naming `field` for a year in which times cannot be told */
export function refuseYear(field: string, year: number): void {
  if (year >= YEAR_MIN && year <= YEAR_MAX) return;
  throw invalid(field, `The year must be from ${YEAR_MIN} to ${YEAR_MAX}. Check the date.`, "year_range");
}

function parse(text: string, timeZone: string): Temporal.Instant | null {
  try {
    if (TIME_WITH_OFFSET.test(text)) return Temporal.Instant.from(text);
    if (!LOCAL_TIME.test(text)) return null;
    return instantOf(Temporal.PlainDateTime.from(text), timeZone);
  } catch (error) {
    // The 30th of February looks like a time to the pattern; Temporal knows better.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/**
 * The wall time of the clinic's clock that a text means: as written, where it carries no offset, though that time may be
 * missing on its own day. For a text that `readTime` accepts.
 */
export function wallTimeOf(text: string, timeZone: string): Temporal.PlainDateTime {
  const written = LOCAL_TIME.test(text)
    ? Temporal.PlainDateTime.from(text)
    : Temporal.Instant.from(text).toZonedDateTimeISO(timeZone).toPlainDateTime();
  return written.round({ smallestUnit: "second", roundingMode: "floor" });
}

/** The instant of a wall time; a missing or doubled one is read as Temporal's `compatible`. */
export function instantOf(wallTime: Temporal.PlainDateTime, timeZone: string): Temporal.Instant {
  return wallTime.toZonedDateTime(timeZone, { disambiguation: "compatible" }).toInstant();
}

/** A time of day on the clinic's clock, `18:00`. @throws ProblemError naming `field` */
export function readTimeOfDay(field: string, text: string): Temporal.PlainTime {
  if (TIME_OF_DAY.test(text)) return Temporal.PlainTime.from(text);
  throw invalid(field, "This is not a time of day. Write it like 18:00.", text === "" ? "missing" : "not_a_time");
}

/** A calendar date, `2026-11-01`. @throws ProblemError naming `field` */
export function readDate(field: string, text: string): Temporal.PlainDate {
  const date = DATE.test(text) ? parseDate(text) : null;
  if (date === null || date.year < YEAR_MIN || date.year > YEAR_MAX) {
    throw invalid(field, `This is not a date from ${YEAR_MIN} to ${YEAR_MAX}. Write it like 2026-11-01.`, "not_a_date");
  }
  return date;
}

function parseDate(text: string): Temporal.PlainDate | null {
  try {
    return Temporal.PlainDate.from(text);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

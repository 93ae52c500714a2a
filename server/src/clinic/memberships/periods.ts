/**
 * The periods of a membership as dates of the clinic's calendar. Pure.
 *
 * Promises that periods are counted from one anchor and never from the period before: a monthly membership of January 31
 * begins anew on February 28, March 31, April 30, and a yearly one of February 29 on the 28th until there is a 29th again.
 * Days are dates, so that daylight saving moves nothing. Knows no instants but for `startOf`.
 */
import type { RecurrenceInterval } from "@hookwell/sdk";

/** Missed periods that are made up for, the latest ones: what a standstill of the server may cost a patient at once. */
export const CATCH_UP_MAX_PERIODS = 31;

/** From where the periods are counted. */
export interface Anchor {
  readonly on: Temporal.PlainDate;
  readonly interval: RecurrenceInterval;
}

/** The first day of a period; number 0 is the anchor's own. */
export function periodStart({ on, interval }: Anchor, number: number): Temporal.PlainDate {
  // Too short a month takes its last day ("constrain"), and the next one is counted from the anchor again.
  return on.add({ [`${interval}s`]: number }, { overflow: "constrain" });
}

/**
 * The number of the first period that is still charged: `next`, unless more than `CATCH_UP_MAX_PERIODS` have begun by
 * `today` without a charge; then the older ones are let go.
 */
export function firstToCharge(anchor: Anchor, next: number, today: Temporal.PlainDate): number {
  return Math.max(next, lastBegun(anchor, today) - CATCH_UP_MAX_PERIODS + 1);
}

/** The number of the period that `today` is in; −1 before the anchor. */
function lastBegun(anchor: Anchor, today: Temporal.PlainDate): number {
  const unit = `${anchor.interval}s` as const;
  // From a clipped month's end one more has begun than Temporal counts, or one fewer: look on either side.
  let number = anchor.on.until(today, { largestUnit: anchor.interval })[unit] + 1;
  while (number >= 0 && Temporal.PlainDate.compare(periodStart(anchor, number), today) > 0) number -= 1;
  return number;
}

/** The clinic's date at an instant. */
export function dateAt(instant: Temporal.Instant, timeZone: string): Temporal.PlainDate {
  return instant.toZonedDateTimeISO(timeZone).toPlainDate();
}

/** The instant at which a date begins on the clinic's clock; where midnight is skipped, the first moment after. */
export function startOf(date: Temporal.PlainDate, timeZone: string): Temporal.Instant {
  return date.toZonedDateTime(timeZone).toInstant();
}

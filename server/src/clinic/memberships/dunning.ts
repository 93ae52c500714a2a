/**
 * What follows when a charge is declined: three more tries, then the end. Pure; source: contract §4 (a payment failure only
 * when dunning gives up).
 */

/** Days after the first decline. */
export const RETRY_AFTER_DAYS: readonly number[] = [1, 3, 7];

export type AfterDecline =
  | { readonly do: "retry"; readonly on: Temporal.PlainDate }
  /** Nothing more is tried: the membership is cancelled. */
  | { readonly do: "give_up" };

export interface Decline {
  /** The day of the first decline of this charge; today's, when this is the first. */
  readonly firstOn: Temporal.PlainDate;
  readonly today: Temporal.PlainDate;
}

/** Decides after a decline. Days on which nobody tried, because the server stood still, are not made up for. */
export function afterDecline({ firstOn, today }: Decline): AfterDecline {
  const later = RETRY_AFTER_DAYS.map((days) => firstOn.add({ days })).find(
    (day) => Temporal.PlainDate.compare(day, today) > 0,
  );
  return later === undefined ? { do: "give_up" } : { do: "retry", on: later };
}

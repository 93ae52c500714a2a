/**
 * How a patient came to a consult, or did not, and what becomes of the place.
 *
 * Owns the one table of these statuses and the two questions that everything else asks of a participant: who is in the
 * consult as the outside world sees it, and who takes a place. Pure. Which statuses give the place up is the same in every
 * clinic (contract §3 rule 9).
 */
import type { PlaceStatus } from "./consult-changes.ts";

/** `leaves`: whoever gets it gives the place up; in a one-to-one consult the consult is cancelled with it. */
const ARRIVALS = {
  expected: { leaves: false },
  arrived: { leaves: false },
  // The place stays the patient's: a plain no-show sends nothing (contract §1).
  no_show: { leaves: false },
  late_cancel: { leaves: true },
} as const satisfies Record<string, { readonly leaves: boolean }>;

export type Arrival = keyof typeof ARRIVALS;

export const ARRIVAL_NAMES = Object.keys(ARRIVALS) as [Arrival, ...Arrival[]];

interface Place {
  readonly status: PlaceStatus;
  /** Expected, where absent. */
  readonly arrival?: Arrival;
}

/** True once the patient has given the place up, though the row is kept to tell so. */
export function hasLeft({ arrival = "expected" }: Pick<Place, "arrival">): boolean {
  return ARRIVALS[arrival].leaves;
}

/** Whether receivers know the patient as one of the consult: booked, and not gone. */
export function isIn(place: Place): boolean {
  return place.status === "booked" && !hasLeft(place);
}

/** Whether nobody else can have the place: booked or held, and not gone. A wait-listed patient has none. */
export function takesPlace(place: Place): boolean {
  return place.status !== "wait_listed" && !hasLeft(place);
}

/** On which day a membership asks for the scheduler next. Pure. */
import type { OpenMembership } from "./membership-rows.ts";
import { isRunning } from "./states.ts";

type Dated = Pick<OpenMembership, "state" | "nextPeriodOn" | "accessUntil" | "accessEnded"> & {
  readonly charge: Pick<NonNullable<OpenMembership["charge"]>, "retryOn"> | null;
};

/** The day, or null while nothing happens by itself: paused, over, or waiting for a payment at the desk. */
export function nextDueOn(membership: Dated): Temporal.PlainDate | null {
  const { state, nextPeriodOn, accessUntil, accessEnded, charge } = membership;
  // While a charge is tried again no further one is made; the periods missed meanwhile are made up for afterwards.
  if (state === "pending") return charge?.retryOn ?? null;
  if (state === "active") return charge?.retryOn ?? nextPeriodOn;
  return state === "cancelled" && !accessEnded ? accessUntil : null;
}

/** Whether it carries access now: while it runs, and after a cancellation until what was paid for is over. */
export function hasAccess({ state, accessEnded }: Pick<OpenMembership, "state" | "accessEnded">): boolean {
  return isRunning(state) || (state === "cancelled" && !accessEnded);
}

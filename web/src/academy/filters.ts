// Which checkouts are shown; lives in the address.
import type { CheckoutState } from "../api/academy.ts";

export const CHECKOUT_STATES = ["open", "completed", "expired"] as const satisfies readonly CheckoutState[];

export interface CheckoutFilters {
  state?: CheckoutState;
}

/** What of an address this page knows. */
export function checkoutFilters(search: Record<string, unknown>): CheckoutFilters {
  const state = CHECKOUT_STATES.find((known) => known === search.state);
  return state === undefined ? {} : { state };
}

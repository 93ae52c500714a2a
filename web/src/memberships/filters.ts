// The filters of the list of memberships, as they stand in the page's address. Pure.
import type { MembershipState } from "../api/memberships.ts";
import { MEMBERSHIP_STATES } from "./state.ts";

export interface MembershipFilters {
  state?: MembershipState;
  plan?: number;
  patient?: number;
}

function idIn(value: unknown): number | undefined {
  const id = Number(value);
  return Number.isSafeInteger(id) && id > 0 ? id : undefined;
}

/** Reads the filters out of an address; what is not a filter is left out, so that a bad link still opens the page. */
export function membershipFilters(search: Record<string, unknown>): MembershipFilters {
  const state = MEMBERSHIP_STATES.find((known) => known === search.state);
  const [plan, patient] = [idIn(search.plan), idIn(search.patient)];
  return {
    ...(state === undefined ? {} : { state }),
    ...(plan === undefined ? {} : { plan }),
    ...(patient === undefined ? {} : { patient }),
  };
}

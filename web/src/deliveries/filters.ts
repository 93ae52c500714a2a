// The filters of the list of deliveries, as they stand in the page's address. Pure.
import { type EventName, isEventName } from "@hookwell/sdk";
import type { DeliveryFilter } from "../api-types.ts";

export const DELIVERY_FILTERS: readonly DeliveryFilter[] = ["delivered", "waiting", "failed"];
/** What a delivery is about, as the API names it: "consult:6". */
const SUBJECT = /^[a-z_-]{1,32}:[\w.-]{1,64}$/;

export interface DeliveryFilters {
  state?: DeliveryFilter;
  webhook?: number;
  event?: EventName;
  subject?: string;
}

/** Reads the filters out of an address; what is not a filter is left out, so that a bad link still opens the page. */
export function deliveryFilters(search: Record<string, unknown>): DeliveryFilters {
  const filters: DeliveryFilters = {};
  const state = DELIVERY_FILTERS.find((known) => known === search.state);
  if (state !== undefined) filters.state = state;
  // A number, because the address would show a text of digits in quotes.
  const webhook = Number(search.webhook);
  if (Number.isSafeInteger(webhook) && webhook > 0) filters.webhook = webhook;
  if (isEventName(search.event)) filters.event = search.event;
  if (typeof search.subject === "string" && SUBJECT.test(search.subject)) filters.subject = search.subject;
  return filters;
}

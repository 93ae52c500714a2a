// The filters of the list of deliveries, as they stand in the page's address. Pure.
import { type EventName, isEventName } from "@hookwell/sdk";
import type { DeliveryFilter } from "../api-types.ts";
import { isDay } from "../ui/time.ts";

export const DELIVERY_FILTERS: readonly DeliveryFilter[] = ["delivered", "waiting", "failed"];
/** The number of a delivery or of an event; what else is typed finds nothing, so it is not asked for. */
const ID = /^[\w-]{1,100}$/;
/** What a delivery is about, as the API names it: "consult:6". */
const SUBJECT = /^[a-z_-]{1,32}:[\w.-]{1,64}$/;

export interface DeliveryFilters {
  state?: DeliveryFilter;
  webhook?: number;
  event?: EventName;
  subject?: string;
  /** Days of the clinic, both included. */
  from?: string;
  to?: string;
  id?: string;
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
  if (isDay(search.from)) filters.from = search.from;
  if (isDay(search.to)) filters.to = search.to;
  const id = typeof search.id === "string" ? search.id.trim() : "";
  if (ID.test(id)) filters.id = id;
  return filters;
}

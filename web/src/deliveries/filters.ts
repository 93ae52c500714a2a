// The filters of the list of deliveries, as they stand in the page's address. Pure.
import { type EventName, isEventName } from "@hookwell/sdk";
import type { DeliveryFilter } from "../api-types.ts";
import { isDay } from "../ui/time.ts";

export const DELIVERY_FILTERS: readonly DeliveryFilter[] = ["delivered", "waiting", "failed"];
/** What a delivery is about, as the API names it: "consult:6". */
const SUBJECT = /^[a-z_-]{1,32}:[\w.-]{1,64}$/;

export interface DeliveryFilters {
  state?: DeliveryFilter;
  webhook?: number;
  event?: EventName;
  subject?: string;
  /** The first and the last day, on the clinic's clock. */
  from?: string;
  to?: string;
  id?: string;
}

/** A delivery's id or an event's; between them the forms in which they are shown and copied. */
const ID =
  /^(msg_[0-9a-f]{32}_[1-9]\d{0,15}(_[1-9]\d{0,3})?|[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})$/;

/** What was typed or pasted, as an id; null where it is none. */
export function readDeliveryId(typed: string): string | null {
  const id = typed.trim().toLowerCase();
  return ID.test(id) ? id : null;
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
  if (isDay(search.from)) filters.from = search.from;
  // A last day before the first one shows nothing, and the server would say so; the first one alone shows something.
  if (isDay(search.to) && !(filters.from !== undefined && search.to < filters.from)) filters.to = search.to;
  const id = typeof search.id === "string" ? readDeliveryId(search.id) : null;
  if (id !== null) filters.id = id;
  if (typeof search.subject === "string" && SUBJECT.test(search.subject)) filters.subject = search.subject;
  return filters;
}

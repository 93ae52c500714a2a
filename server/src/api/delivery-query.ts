/** How deliveries are asked for: the query of /v1/deliveries, and what of it goes to the log of deliveries. */
import { z } from "zod";
import { instantOf } from "../clinic/times.ts";
import { invalid } from "../errors.ts";
import { lowestEventId, parseDeliveryId } from "../outbox/identifiers.ts";
import type { DeliveryQuery } from "./delivery-statements.ts";
import { PAGE_QUERY } from "./paging.ts";
import { EVENT } from "./webhook-shapes.ts";

/** Kind and id, as deliveries show it and the header `webhook-subject` has it. */
const SUBJECT = /^[a-z_-]{1,40}:[a-z0-9-]{1,40}$/;

const DATE = z.iso.date({ error: "Write a date like 2026-11-01." });
const EVENT_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export const DELIVERIES_QUERY = PAGE_QUERY.extend({
  id: z
    .string()
    .refine((id) => parseDeliveryId(id) !== null || EVENT_ID.test(id), {
      error: "Write the id of a delivery, as its header webhook-id has it, or of an event.",
    })
    .optional(),
  from_date: DATE.describe("Whole days on the clinic's own clock, by when the event happened.").optional(),
  to_date: DATE.describe("The last day, included.").optional(),
  webhook_id: z.string().optional(),
  event: EVENT.optional(),
  subject: z
    .string()
    .regex(SUBJECT, { error: "Write the subject as deliveries show it, such as consult:16." })
    .optional(),
  state: z
    .enum(["delivered", "waiting", "failed"], { error: 'This must be "delivered", "waiting" or "failed".' })
    .describe("`failed`: it ended and was not delivered: given up, a test that failed, or never sent (`cancelled`).")
    .optional(),
});
type DeliveriesQuery = z.output<typeof DELIVERIES_QUERY>;

/** What an id names: one delivery, or an event with all its deliveries. */
export function idsOf({ id }: DeliveriesQuery): Pick<DeliveryQuery, "eventId" | "exact"> {
  if (id === undefined) return {};
  const exact = parseDeliveryId(id);
  return exact === null ? { eventId: id } : { exact };
}

/** The ids of events between which the days lie. @throws ProblemError naming `to_date` where it is before `from_date` */
export function daysOf({ from_date: from, to_date: to }: DeliveriesQuery, { timeZone }: { timeZone: string }) {
  if (from !== undefined && to !== undefined && to < from) {
    throw invalid("to_date", "This is before the first day. Choose a later one.", "invalid");
  }
  const midnight = (day: string, days: number) => {
    const at = instantOf(Temporal.PlainDate.from(day).add({ days }).toPlainDateTime(), timeZone).epochMilliseconds;
    return lowestEventId(Math.max(0, at));
  };
  return {
    from: from === undefined ? undefined : midnight(from, 0),
    until: to === undefined ? undefined : midnight(to, 1),
  };
}

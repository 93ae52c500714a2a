/** How deliveries are asked for, and how they are shown: shared by the routes of /v1/deliveries. */
import { z } from "zod";
import { instantOf } from "../clinic/times.ts";
import { invalid } from "../errors.ts";
import { lowestEventId, parseDeliveryId } from "../outbox/identifiers.ts";
import type { DeliveryQuery } from "./delivery-log.ts";
import { PAGE_QUERY } from "./paging.ts";
import { EVENT } from "./webhook-shapes.ts";

export const ATTEMPT = z.object({
  attempt: z.int(),
  started_at: z.string(),
  duration_ms: z.int().nullable(),
  outcome: z.string(),
  status: z.int().nullable(),
  answer_text: z.string().nullable(),
  answer_truncated: z.boolean(),
  late: z.boolean(),
  sentence: z.string(),
  sentence_key: z.string(),
  sentence_params: z.record(z.string(), z.union([z.string(), z.number()])),
});

export const DELIVERY_BASE = z.object({
  id: z.string(),
  event: EVENT,
  event_id: z.string(),
  webhook: z.object({ id: z.int(), name: z.string() }),
  subject: z.string(),
  subject_name: z
    .string()
    .nullable()
    .describe("What staff call it: the number of an invoice. Null where it has no such name."),
  subject_version: z.int(),
  sequence: z.int().nullable(),
  part: z.int(),
  test: z.boolean(),
  state: z.enum(["waiting", "sending", "delivered", "given_up", "cancelled"]),
  reason: z.string().nullable(),
  next_attempt_at: z.string().nullable(),
  /** What it waits for, where that is not simply its time. */
  sentence: z.string().nullable(),
  sentence_key: z.enum(["waits_until_on"]).nullable(),
  created_at: z.string(),
  finished_at: z.string().nullable(),
});
export const DELIVERY = DELIVERY_BASE.extend({ attempts: z.int(), last_attempt: ATTEMPT.nullable() });
export const DELIVERY_DETAIL = DELIVERY_BASE.extend({
  attempts: z.array(ATTEMPT),
  last_attempt: ATTEMPT.nullable(),
  request: z.object({
    headers: z.record(z.string(), z.string()),
    /** The exact text; null where it is no longer kept. */
    body: z.string().nullable(),
    /** Names of the headers whose values are not shown. */
    masked: z.array(z.string()),
    /** The body is kept, and not for whoever asked: see veil.ts. */
    veiled: z.boolean(),
  }),
});

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

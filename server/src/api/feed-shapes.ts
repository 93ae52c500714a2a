/** What snapshots look like: PUT /v1/consults/{id}, /v1/invoices/{id} and /v1/memberships/{id}. */
import { INVOICE_TYPES, MEMBERSHIP_TYPES, RECURRENCE_INTERVALS } from "@hookwell/sdk";
import { z } from "zod";
import { type GivenConsult, SNAPSHOT_PARTICIPANTS_MAX } from "../clinic/feed/consult-snapshot.ts";
import { type GivenInvoice, SNAPSHOT_ENTRIES_MAX } from "../clinic/feed/invoice-snapshot.ts";
import type { GivenMembership } from "../clinic/feed/membership-snapshot.ts";
import { MEMBERSHIP_STATES } from "../clinic/memberships/states.ts";

const CALLER_ID = z.union([z.int(), z.string()], { error: "An id is an integer or a text." });
const VERSION = z.int().min(0).optional().describe("Yours, rising with each change. A lower one is refused.");
const NAMED = z.strictObject({ id: CALLER_ID, name: z.string() });
const PRACTITIONER = NAMED.extend({ email: z.string() });
const PATIENT = NAMED.extend({ email: z.string().nullable() });
const AMOUNT = z.number().describe("In major units, such as 25.06.");

export const CONSULT_SNAPSHOT = z.strictObject({
  version: VERSION,
  service: NAMED,
  practitioner: PRACTITIONER,
  start_time: z.string().max(64).describe("RFC 3339 with an offset, or local to the clinic without one."),
  duration: z.number().describe("Elapsed minutes."),
  cancelled: z.boolean(),
  participants: z.array(PATIENT).max(SNAPSHOT_PARTICIPANTS_MAX),
});

const LINE_ITEM = z.strictObject({
  id: CALLER_ID,
  description: z.string(),
  unit_price: AMOUNT,
  units: z.int().min(0).max(1_000_000),
  subtotal: AMOUNT,
  taxes: AMOUNT,
  total: AMOUNT,
});
const PAYMENT = z.strictObject({
  id: CALLER_ID,
  payment_method: z.string(),
  total: AMOUNT,
  subtotal: AMOUNT.optional().describe("With taxes; without both the payment is split as the invoice is."),
  taxes: AMOUNT.optional(),
  draft: z.boolean().optional().describe("Not settled yet: it counts as nothing."),
  refunded: AMOUNT.optional().describe("What went back of it. The total stays what was paid."),
  from_package: z.boolean().optional(),
});
const LIVE_INVOICE = z.strictObject({
  version: VERSION,
  deleted: z.literal(false).optional(),
  type: z.enum(INVOICE_TYPES),
  invoice_number: z.string(),
  invoice_date: z.string(),
  currency: z.string(),
  line_items: z.array(LINE_ITEM).max(SNAPSHOT_ENTRIES_MAX),
  payments: z.array(PAYMENT).max(SNAPSHOT_ENTRIES_MAX),
  practitioner: PRACTITIONER.nullable(),
  client: PATIENT,
});
const DELETED_INVOICE = LIVE_INVOICE.partial()
  .extend({ deleted: z.literal(true) })
  .describe("The event carries the last snapshot; the other fields may be left out.");
export const INVOICE_SNAPSHOT = z.discriminatedUnion("deleted", [DELETED_INVOICE, LIVE_INVOICE], {
  error: ({ code }) => (code === "invalid_union" ? "This must be true, false or left out." : undefined),
});

export const MEMBERSHIP_SNAPSHOT = z.strictObject({
  version: VERSION,
  type: z.enum(MEMBERSHIP_TYPES),
  plan: NAMED,
  recurrence_interval: z.enum(RECURRENCE_INTERVALS),
  state: z.enum(MEMBERSHIP_STATES),
  client: PATIENT,
});

export const PUT_SNAPSHOT = z.object({
  id: z.int().describe("The integer that events show."),
  events: z.array(z.string()).describe("The names of the events that this made, in order."),
  unchanged: z.boolean().describe("True where this very snapshot was here already."),
});

export function readConsultSnapshot(body: z.infer<typeof CONSULT_SNAPSHOT>): GivenConsult {
  const { service, practitioner, cancelled, participants } = body;
  return { service, practitioner, cancelled, participants, startTime: body.start_time, durationMinutes: body.duration };
}

/** Null where the record was deleted. */
export function readInvoiceSnapshot(body: z.infer<typeof INVOICE_SNAPSHOT>): GivenInvoice | null {
  if (body.deleted === true) return null;
  const { type, currency, practitioner, client } = body;
  return {
    ...{ type, currency, practitioner, client, number: body.invoice_number, date: body.invoice_date },
    lines: body.line_items.map(({ unit_price, ...line }) => ({ ...line, unitPrice: unit_price })),
    payments: body.payments.map(({ payment_method, from_package, ...payment }) => {
      return { ...payment, method: payment_method, fromPackage: from_package };
    }),
  };
}

export function readMembershipSnapshot(body: z.infer<typeof MEMBERSHIP_SNAPSHOT>): GivenMembership {
  const { type, plan, state, client } = body;
  return { type, plan, state, client, recurrenceInterval: body.recurrence_interval };
}

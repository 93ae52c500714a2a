/** What courses, webinars, participants and checkouts look like in requests and answers. Amounts are in major units. */
import { z } from "zod";
import type { CheckoutView, ParticipantView } from "../clinic/academy/academy-views.ts";
import { CHECKOUT_STATES } from "../clinic/academy/checkouts.ts";
import type { ItemRow } from "../clinic/academy/items.ts";
import { taxRatePercent, toMajor } from "../clinic/billing/money.ts";
import type { Clinic } from "../clinic/clinics.ts";
import { clinicTime } from "../clinic/times.ts";
import { PAGE_QUERY } from "./paging.ts";
import { PATIENT } from "./patients.ts";

const ID = z.int().min(1);
const AMOUNT = z.number().describe("Major units, with no more decimals than the currency has.");
const TIME = z.string().describe("RFC 3339, with the clinic's offset at that moment.");
const TYPE = z.enum(["course", "webinar"]);
const STATE = z.enum(CHECKOUT_STATES);
const SUBJECT = z.string().describe("What its deliveries are found by.");

export const ITEM = z.object({
  id: z.int(),
  type: TYPE,
  name: z.string(),
  price: AMOUNT,
  tax_rate: z.number().describe("Percent, on the price."),
  currency: z.string(),
  starts_at: TIME.nullable().describe("Of a webinar; null while no time is fixed."),
  active: z.boolean().describe("It can be sold and granted."),
  participants: z.int().describe("How many patients have access now."),
});

export const ITEM_CHANGE = z.strictObject({
  name: z.string().optional(),
  price: AMOUNT.optional(),
  tax_rate: z.number().optional().describe("Percent, at most three decimals; untaxed by default."),
  starts_at: z
    .string()
    .max(64)
    .nullable()
    .optional()
    .describe("Of a webinar: 2026-11-01T09:00 on the clinic's clock, or with an offset."),
  active: z.boolean().optional(),
});

export const NEW_ITEM = ITEM_CHANGE.extend({
  name: z.string(),
  price: AMOUNT,
  currency: z.string().max(8).optional().describe("Lower-case ISO 4217; the clinic's by default."),
});

export const PARTICIPANT = z.object({
  patient: PATIENT,
  how: z.enum(["bought", "free", "granted", "membership"]),
  since: TIME,
  subject: SUBJECT,
});

export const NEW_PARTICIPANT = z.strictObject({
  patient_id: ID,
  how: z.enum(["free", "granted"]).describe("Free where it costs nothing; granted where the clinic gives it."),
});

export const CHECKOUT = z.object({
  id: z.int(),
  state: STATE,
  resource: z.object({ type: TYPE, id: z.int(), name: z.string() }),
  client: PATIENT,
  subtotal: AMOUNT,
  taxes: AMOUNT,
  total: AMOUNT,
  currency: z.string(),
  expires_at: TIME,
  created_at: TIME,
  subject: SUBJECT,
});

export const NEW_CHECKOUT = z.strictObject({
  resource: z.strictObject({ type: TYPE, id: ID }),
  patient_id: ID,
});

const FILTER_ID = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, { error: "Write the id, a whole number." })
  .transform(Number)
  .optional();

export const CHECKOUT_QUERY = PAGE_QUERY.extend({ state: STATE.optional(), patient_id: FILTER_ID });

/** The clinic's words for what a body says of a course or webinar. */
export function readItem(body: z.infer<typeof ITEM_CHANGE>) {
  return {
    name: body.name,
    price: body.price,
    taxRate: body.tax_rate,
    startsAt: body.starts_at,
    active: body.active,
  };
}

export function showItem(row: ItemRow, { timeZone }: Clinic): z.infer<typeof ITEM> {
  const { id, type, name, currency, active, participants, startsAt } = row;
  return {
    ...{ id, type, name },
    price: toMajor(row.priceMinor, currency),
    tax_rate: taxRatePercent(row.taxRateThousandths),
    currency,
    starts_at: startsAt === null ? null : clinicTime(startsAt, timeZone),
    ...{ active, participants },
  };
}

export function showParticipant(view: ParticipantView, { timeZone }: Clinic): z.infer<typeof PARTICIPANT> {
  const { patient, how, since, subject } = view;
  return { patient, how, since: clinicTime(since, timeZone), subject };
}

export function showCheckout(view: CheckoutView, { timeZone }: Clinic): z.infer<typeof CHECKOUT> {
  const { id, state, resource, client, currency, subject } = view;
  return {
    ...{ id, state, resource, client },
    subtotal: toMajor(view.subtotalMinor, currency),
    taxes: toMajor(view.taxesMinor, currency),
    total: toMajor(view.totalMinor, currency),
    currency,
    expires_at: clinicTime(view.expiresAt, timeZone),
    created_at: clinicTime(view.createdAt, timeZone),
    subject,
  };
}

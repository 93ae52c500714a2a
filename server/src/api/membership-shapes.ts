/** What requests and answers of /v1/membership-plans and /v1/memberships look like. */
import { MEMBERSHIP_TYPES, RECURRENCE_INTERVALS } from "@hookwell/sdk";
import { z } from "zod";
import { taxRatePercent, toMajor } from "../clinic/billing/money.ts";
import type { Clinic } from "../clinic/clinics.ts";
import { PAYMENT_SOURCES } from "../clinic/memberships/charger.ts";
import type { MembershipView } from "../clinic/memberships/membership-views.ts";
import type { PlanRow } from "../clinic/memberships/plans.ts";
import { CANCEL_REASONS, MEMBERSHIP_STATES } from "../clinic/memberships/states.ts";
import { clinicTime } from "../clinic/times.ts";
import { PAGE_QUERY } from "./paging.ts";
import { PATIENT } from "./patients.ts";

const ID = z.int().min(1);
const AMOUNT = z.number().describe("Major units, with no more decimals than the currency has.");
const TYPE = z.enum(MEMBERSHIP_TYPES);
const INTERVAL = z.enum(RECURRENCE_INTERVALS);
const SOURCE = z.enum(PAYMENT_SOURCES).describe("The two practice cards stand in for a payment processor.");
const STATE = z.enum(MEMBERSHIP_STATES);
const DATE = z.string().describe("YYYY-MM-DD, a date of the clinic's calendar.");
/** More than a plan may open; the limit itself is the plan's. */
const ITEM_IDS_MAX = 1_000;

export const PLAN = z.object({
  id: z.int(),
  type: TYPE,
  name: z.string(),
  price: AMOUNT,
  tax_rate: z.number().describe("Percent."),
  currency: z.string(),
  recurrence_interval: INTERVAL,
  number_of_payments: z.int().nullable().describe("Null: until it is cancelled."),
  credit_value: AMOUNT.nullable().describe("What each charge gives the patient to pay with."),
  item_ids: z.array(z.int()).describe("Courses and webinars that an academy membership opens."),
  active: z.boolean().describe("Whether it can be given to patients."),
});

export const PLAN_CHANGE = z.strictObject({
  name: z.string().optional(),
  price: AMOUNT.optional(),
  tax_rate: z.number().optional().describe("Percent, at most three decimals."),
  recurrence_interval: INTERVAL.optional(),
  number_of_payments: z.number().nullable().optional(),
  credit_value: AMOUNT.nullable().optional(),
  item_ids: z
    .array(ID)
    .max(ITEM_IDS_MAX)
    .optional()
    .describe("All of them; one that is new is opened for members at once."),
  active: z.boolean().optional(),
});

export const NEW_PLAN = PLAN_CHANGE.extend({
  type: TYPE,
  name: z.string(),
  price: AMOUNT,
  recurrence_interval: INTERVAL,
  currency: z.string().max(8).optional().describe("Lower-case ISO 4217; the clinic's by default."),
});

export const MEMBERSHIP = z.object({
  id: z.int(),
  plan: z.object({ id: z.int(), name: z.string(), type: TYPE }),
  client: PATIENT,
  state: STATE,
  recurrence_interval: INTERVAL,
  started_at: z.string().nullable(),
  cancelled_at: z.string().nullable(),
  cancel_reason: z.enum(CANCEL_REASONS).nullable(),
  access_until: DATE.nullable().describe("The first day without access."),
  next_charge_on: DATE.nullable(),
  payments_made: z.int(),
  number_of_payments: z.int().nullable(),
  payment_source: SOURCE,
  last_charge: z.object({ on: DATE, outcome: z.enum(["paid", "declined", "awaiting"]) }).nullable(),
  retry_on: DATE.nullable(),
  invoices: z.array(z.int()).describe("The latest 100, oldest first; none for an academy membership."),
  subject: z.string().describe("What its deliveries are found by."),
});

const FILTER_ID = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, { error: "Write the id, a whole number." })
  .transform(Number)
  .optional();

export const MEMBERSHIP_QUERY = PAGE_QUERY.extend({
  state: STATE.optional(),
  patient_id: FILTER_ID,
  plan_id: FILTER_ID,
});

export const NEW_MEMBERSHIP = z.strictObject({ plan_id: ID, client_id: ID, payment_source: SOURCE });
export const CANCELLATION = z
  .strictObject({
    by: z.enum(["staff", "patient"]).optional().describe("Staff by default."),
    at: z.enum(["now", "period_end"]).optional().describe("When access goes; at the period's end by default."),
  })
  .nullish();
export const SWITCH = z.strictObject({ plan_id: ID });
export const SWITCHED = z.object({ cancelled: MEMBERSHIP, started: MEMBERSHIP });
export const SOURCE_CHANGE = z.strictObject({ payment_source: SOURCE });

/** The clinic's words for what a body says of a plan. */
export function readPlan(body: z.infer<typeof PLAN_CHANGE>) {
  return {
    name: body.name,
    price: body.price,
    taxRate: body.tax_rate,
    recurrenceInterval: body.recurrence_interval,
    numberOfPayments: body.number_of_payments,
    creditValue: body.credit_value,
    itemIds: body.item_ids,
    active: body.active,
  };
}

export function readNewPlan(body: z.infer<typeof NEW_PLAN>) {
  const { type, name, price, currency, recurrence_interval: recurrenceInterval } = body;
  return { ...readPlan(body), type, name, price, currency, recurrenceInterval };
}

export function showPlan(row: PlanRow): z.infer<typeof PLAN> {
  const { id, type, name, currency, active } = row;
  return {
    ...{ id, type, name },
    price: toMajor(row.priceMinor, currency),
    tax_rate: taxRatePercent(row.taxRateThousandths),
    currency,
    recurrence_interval: row.recurrenceInterval,
    number_of_payments: row.numberOfPayments,
    credit_value: row.creditValueMinor === null ? null : toMajor(row.creditValueMinor, currency),
    item_ids: [...row.itemIds],
    active,
  };
}

export function showMembership(view: MembershipView, { timeZone }: Clinic): z.infer<typeof MEMBERSHIP> {
  const time = (instant: Temporal.Instant | null) => (instant === null ? null : clinicTime(instant, timeZone));
  return {
    id: view.id,
    plan: view.plan,
    client: view.client,
    state: view.state,
    recurrence_interval: view.recurrenceInterval,
    started_at: time(view.startedAt),
    cancelled_at: time(view.cancelledAt),
    cancel_reason: view.cancelReason,
    access_until: view.accessUntil,
    next_charge_on: view.nextChargeOn,
    payments_made: view.paymentsMade,
    number_of_payments: view.numberOfPayments,
    payment_source: view.paymentSource,
    last_charge: view.lastCharge,
    retry_on: view.retryOn,
    invoices: [...view.invoices],
    subject: `membership:${view.id}`,
  };
}

/** What requests and answers of /v1/invoices look like. Amounts are JSON numbers in major units, as in the bodies sent. */
import { INVOICE_STATUSES, INVOICE_TYPES, LINE_ITEMS_MAX, PAYMENT_STATUSES, PAYMENTS_MAX } from "@hookwell/sdk";
import { z } from "zod";
import type { Amounts } from "../clinic/billing/amounts.ts";
import { type OpenLine, type OpenPayment, PAYMENT_METHODS } from "../clinic/billing/invoice-rows.ts";
import type { InvoiceView } from "../clinic/billing/invoice-views.ts";
import type { LineInput } from "../clinic/billing/line-items.ts";
import { taxRatePercent, toMajor, toMinor } from "../clinic/billing/money.ts";
import type { NewPayment } from "../clinic/billing/payments.ts";
import type { Clinic } from "../clinic/clinics.ts";
import { clinicTime } from "../clinic/times.ts";
import { ID_PARAMS } from "./ids.ts";
import { PAGE_QUERY, searchText } from "./paging.ts";
import { PATIENT } from "./patients.ts";

const ID = z.int().min(1);
const AMOUNT = z.number().describe("Major units, with no more decimals than the currency has.");
const AMOUNTS = { subtotal: AMOUNT, taxes: AMOUNT, total: AMOUNT };
const DATE = z.string().max(32).describe("YYYY-MM-DD, a date of the clinic's calendar.");
const CURRENCY = z.string().max(8).describe("Lower-case ISO 4217.");
const NUMBER = z.string().max(200);
const SEARCH_MAX_CHARACTERS = 60;

export const LINE_ITEM = z.object({
  id: z.int(),
  description: z.string(),
  unit_price: AMOUNT,
  units: z.int(),
  discount: AMOUNT,
  tax_rate: z.number().describe("Percent."),
  ...AMOUNTS,
});

export const PAYMENT = z.object({
  id: z.int(),
  payment_method: z.enum(PAYMENT_METHODS),
  ...AMOUNTS,
  status: z.enum(PAYMENT_STATUSES),
  from_package: z.boolean().describe("It drew down package, membership or gift-certificate value."),
  credit_id: z.int().nullable(),
  refunded: AMOUNT,
  created_at: z.string(),
});

export const INVOICE = z.object({
  id: z.int(),
  type: z.enum(INVOICE_TYPES),
  status: z.enum(INVOICE_STATUSES),
  invoice_number: z.string(),
  invoice_date: z.string(),
  currency: z.string(),
  ...AMOUNTS,
  unpaid_subtotal_balance: AMOUNT.optional().describe("Before tax, negative when over-paid; of patient invoices only."),
  client: PATIENT,
  payer: PATIENT.nullable(),
  practitioner: z.object({ id: z.int(), name: z.string() }).nullable(),
  line_items: z.array(LINE_ITEM),
  payments: z.array(PAYMENT),
  subject: z.string().describe("What its deliveries are found by."),
  created_at: z.string(),
});

export const LIST_QUERY = PAGE_QUERY.extend({
  type: z.enum(INVOICE_TYPES).optional(),
  status: z.enum(INVOICE_STATUSES).optional(),
  patient_id: z
    .string()
    .regex(/^[1-9]\d{0,14}$/, { error: "Write the id of a patient." })
    .transform(Number)
    .optional()
    .describe("The patient billed."),
  q: searchText(SEARCH_MAX_CHARACTERS).optional().describe("A part of the number."),
});

export const NEW_LINE_ITEM = z.strictObject({
  description: z.string(),
  unit_price: AMOUNT,
  units: z.number(),
  discount: AMOUNT.optional(),
  tax_rate: z.number().optional().describe("Percent, at most three decimals."),
});
export const LINE_ITEM_CHANGE = NEW_LINE_ITEM.partial();
export const LINE_ITEM_PARAMS = ID_PARAMS.extend({ line_item_id: z.string() });

/** How much is paid by what; a payment of its own, or one that comes with a new record. */
export const FIRST_PAYMENT = z.strictObject({
  payment_method: z.enum(PAYMENT_METHODS),
  total: AMOUNT,
  status: z.enum(["paid", "draft"]).optional().describe("Paid by default."),
});
export const NEW_PAYMENT = FIRST_PAYMENT.extend({ credit_id: ID.optional() });
export const PAYMENT_CHANGE = FIRST_PAYMENT.partial();
export const PAYMENT_PARAMS = ID_PARAMS.extend({ payment_id: z.string() });
export const REFUND = z.strictObject({ total: AMOUNT });
export const TRANSFER = z.strictObject({ to_invoice_id: ID, total: AMOUNT.optional() });
export const TRANSFERRED = z.object({ from: INVOICE, to: INVOICE });

const WHO_AND_WHEN = {
  payer_id: ID.nullable().optional(),
  practitioner_id: ID.nullable().optional(),
  invoice_date: DATE.optional().describe("YYYY-MM-DD; today by default."),
  invoice_number: NUMBER.optional().describe("The next of its type by default."),
  currency: CURRENCY.optional(),
};

export const NEW_INVOICE = z.strictObject({
  type: z.literal("patient_invoice").optional().describe("The other types are sold by their own resources."),
  client_id: ID,
  ...WHO_AND_WHEN,
  line_items: z.array(NEW_LINE_ITEM).max(LINE_ITEMS_MAX),
  auto_deduct: z.boolean().optional().describe("Pays what is owed from the client's credits."),
  payments: z.array(NEW_PAYMENT).max(PAYMENTS_MAX).optional(),
});

export const INVOICE_CHANGE = z.strictObject({
  client_id: ID.optional(),
  ...WHO_AND_WHEN,
  line_items: z
    .array(NEW_LINE_ITEM.extend({ id: ID.optional() }))
    .max(LINE_ITEMS_MAX)
    .optional()
    .describe("All of them; those with an id keep it."),
});

type LineBody = z.infer<typeof LINE_ITEM_CHANGE> & { readonly id?: number | undefined };

/** What a body says of a line, in the smallest unit. `at` is the path before the line's own fields. */
export function readLine(line: LineBody, currency: string, at = "") {
  const minor = (field: string, amount: number | undefined) =>
    amount === undefined ? undefined : toMinor(`${at}${field}`, amount, currency);
  return {
    id: line.id,
    description: line.description,
    unitPriceMinor: minor("unit_price", line.unit_price),
    units: line.units,
    discountMinor: minor("discount", line.discount),
    taxRate: line.tax_rate,
  };
}

type WholeLine = z.infer<typeof NEW_LINE_ITEM> & { readonly id?: number | undefined };

/** A line of which every needed field is there. */
export function readWholeLine(line: WholeLine, currency: string, at = ""): LineInput {
  const unitPriceMinor = toMinor(`${at}unit_price`, line.unit_price, currency);
  return { ...readLine(line, currency, at), description: line.description, units: line.units, unitPriceMinor };
}

export function readLines(lines: readonly WholeLine[], currency: string): LineInput[] {
  return lines.map((line, index) => readWholeLine(line, currency, `line_items.${index}.`));
}

export function readPayments(payments: readonly z.infer<typeof NEW_PAYMENT>[], currency: string): NewPayment[] {
  return payments.map(({ payment_method: method, total, status, credit_id: creditId }, index) => {
    return { method, totalMinor: toMinor(`payments.${index}.total`, total, currency), status, creditId };
  });
}

/** The clinic's words for who is billed and when. */
export function readWhoAndWhen(body: z.infer<typeof INVOICE_CHANGE>) {
  return {
    payerId: body.payer_id,
    practitionerId: body.practitioner_id,
    date: body.invoice_date,
    number: body.invoice_number,
    currency: body.currency,
  };
}

export function showInvoice(view: InvoiceView, clinic: Clinic): z.infer<typeof INVOICE> {
  const { invoice, client, payer, practitioner } = view;
  if (invoice.status === null) throw new Error(`invoice ${invoice.id} is over-paid though its type may not be`);
  const major = (minor: number) => toMajor(minor, invoice.currency);
  const isInvoice = invoice.type === "patient_invoice";
  return {
    id: invoice.id,
    type: invoice.type,
    status: invoice.status,
    invoice_number: invoice.number,
    invoice_date: invoice.date,
    currency: invoice.currency,
    ...showAmounts(invoice, major),
    ...(isInvoice ? { unpaid_subtotal_balance: major(invoice.unpaidSubtotalBalanceMinor) } : {}),
    client,
    payer,
    practitioner,
    line_items: invoice.lines.map((line) => showLine(line, major)),
    payments: invoice.payments.map((payment) => showPayment(payment, major, clinic)),
    subject: `invoice:${invoice.id}`,
    created_at: clinicTime(invoice.createdAt, clinic.timeZone),
  };
}

type Major = (minor: number) => number;

function showAmounts({ subtotalMinor, taxesMinor, totalMinor }: Amounts, major: Major) {
  return { subtotal: major(subtotalMinor), taxes: major(taxesMinor), total: major(totalMinor) };
}

function showLine(line: OpenLine, major: Major): z.infer<typeof LINE_ITEM> {
  return {
    id: line.id,
    description: line.description,
    unit_price: major(line.unitPriceMinor),
    units: line.units,
    discount: major(line.discountMinor),
    tax_rate: taxRatePercent(line.taxRateThousandths),
    ...showAmounts(line, major),
  };
}

function showPayment(payment: OpenPayment, major: Major, { timeZone }: Clinic): z.infer<typeof PAYMENT> {
  return {
    id: payment.id,
    payment_method: payment.method,
    ...showAmounts(payment, major),
    status: payment.status,
    from_package: payment.creditId !== null,
    credit_id: payment.creditId,
    refunded: major(payment.refundedMinor),
    created_at: clinicTime(payment.createdAt, timeZone),
  };
}

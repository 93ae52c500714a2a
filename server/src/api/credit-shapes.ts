/** What packages, gift certificates and credits look like in requests and answers. Amounts are in major units. */
import { PAYMENTS_MAX } from "@hookwell/sdk";
import { z } from "zod";
import { taxRatePercent, toMajor } from "../clinic/billing/money.ts";
import { type CreditRow, remainingMinor } from "../clinic/credits/credits.ts";
import type { GiftCertificateView } from "../clinic/credits/gift-certificates.ts";
import type { PackageRow } from "../clinic/credits/packages.ts";
import { FIRST_PAYMENT, INVOICE } from "./invoice-shapes.ts";
import { PATIENT } from "./patients.ts";

const ID = z.int().min(1);
const AMOUNT = z.number().describe("Major units, with no more decimals than the currency has.");
const CURRENCY = z.string().max(8).describe("Lower-case ISO 4217; the clinic's by default.");
const PAYMENTS = z.array(FIRST_PAYMENT).max(PAYMENTS_MAX).optional().describe("What is paid at once.");
/** Room for more than a code has, so that the rule's own words are what a caller reads. */
const CODE_ACCEPTED_MAX_CHARACTERS = 200;

export const PACKAGE = z.object({
  id: z.int(),
  name: z.string(),
  price: AMOUNT,
  value: AMOUNT.describe("How much of invoices it pays; it may be more than the price."),
  tax_rate: z.number().describe("Percent, on the price."),
  currency: z.string(),
  expires_after_days: z.int().nullable().describe("Days after the day on which it was paid; null: it never expires."),
  active: z.boolean().describe("It can be sold."),
});

export const PACKAGE_CHANGE = z.strictObject({
  name: z.string().optional(),
  price: AMOUNT.optional(),
  value: AMOUNT.optional(),
  tax_rate: z.number().optional().describe("Percent, at most three decimals; untaxed by default."),
  expires_after_days: z.number().nullable().optional(),
  active: z.boolean().optional(),
});

export const NEW_PACKAGE = PACKAGE_CHANGE.extend({
  name: z.string(),
  price: AMOUNT,
  value: AMOUNT,
  currency: CURRENCY.optional(),
});

export const PACKAGE_SALE = z.strictObject({
  client_id: ID.describe("Who is billed and will hold the credit."),
  payer_id: ID.nullable().optional(),
  practitioner_id: ID.nullable().optional(),
  payments: PAYMENTS,
});

export const CREDIT = z.object({
  id: z.int(),
  kind: z.enum(["package", "membership", "gift_certificate"]),
  name: z.string(),
  value: AMOUNT.describe("As it was sold."),
  remaining: AMOUNT,
  currency: z.string(),
  expires_on: z.string().nullable().describe("The last day on which it can be used, by the clinic's calendar."),
});

export const PACKAGE_SOLD = z.object({
  invoice: INVOICE,
  credit: CREDIT.nullable().describe("null until the invoice is paid in full."),
});

export const GIFT_CERTIFICATE = z.object({
  id: z.int(),
  code: z.string().describe("Whoever knows it can redeem it."),
  value: AMOUNT,
  remaining: AMOUNT,
  currency: z.string(),
  purchaser: PATIENT,
  redeemer: PATIENT.nullable(),
  invoice_id: z.int(),
  state: z.enum(["unpaid", "ready", "redeemed", "used", "expired"]),
  expires_on: z.string().nullable().describe("The last day on which it can be used, by the clinic's calendar."),
});

export const NEW_GIFT_CERTIFICATE = z.strictObject({
  purchaser_id: ID,
  value: AMOUNT,
  currency: CURRENCY.optional(),
  expires_on: z.string().max(32).nullable().optional().describe("YYYY-MM-DD; it never expires by default."),
  payments: PAYMENTS,
});

export const GIFT_CERTIFICATE_SOLD = z.object({ gift_certificate: GIFT_CERTIFICATE, invoice: INVOICE });

export const REDEMPTION = z.strictObject({
  code: z.string().max(CODE_ACCEPTED_MAX_CHARACTERS),
  patient_id: ID,
});

/** The clinic's words for what a body says of a package. */
export function readPackage(body: z.infer<typeof PACKAGE_CHANGE>) {
  return {
    name: body.name,
    price: body.price,
    value: body.value,
    taxRate: body.tax_rate,
    expiresAfterDays: body.expires_after_days,
    active: body.active,
  };
}

export function showPackage(row: PackageRow): z.infer<typeof PACKAGE> {
  const { id, name, currency, active } = row;
  return {
    id,
    name,
    price: toMajor(row.priceMinor, currency),
    value: toMajor(row.valueMinor, currency),
    tax_rate: taxRatePercent(row.taxRateThousandths),
    currency,
    expires_after_days: row.expiresAfterDays,
    active,
  };
}

export function showCredit(row: CreditRow): z.infer<typeof CREDIT> {
  const { id, kind, name, currency } = row;
  return {
    id,
    kind,
    name,
    value: toMajor(row.valueMinor, currency),
    remaining: toMajor(remainingMinor(row), currency),
    currency,
    expires_on: row.expiresOn,
  };
}

export function showGiftCertificate(view: GiftCertificateView): z.infer<typeof GIFT_CERTIFICATE> {
  const { id, code, currency, purchaser, redeemer, invoiceId, state } = view;
  return {
    id,
    code,
    value: toMajor(view.valueMinor, currency),
    remaining: toMajor(view.remainingMinor, currency),
    currency,
    purchaser,
    redeemer,
    invoice_id: invoiceId,
    state,
    expires_on: view.expiresOn,
  };
}

// What is billed and paid, as the server tells it. Amounts are numbers in major units; billing/money.ts reads them exactly.
import type { InvoiceStatus, InvoiceType, PaymentStatus } from "@hookwell/sdk";
import type { Page, Person } from "../api-types.ts";
import type { Intent } from "../intent.ts";
import { all, call, PAGE_ROWS, part, post, query } from "./call.ts";

export type CreditKind = "package" | "membership" | "gift_certificate";
/** How new money comes in. */
export type MoneyMethod = "cash" | "cheque" | "credit_card" | "debit_card" | "e_transfer" | "insurer" | "other";
export type PaymentMethod = MoneyMethod | CreditKind;

interface Sums {
  subtotal: number;
  taxes: number;
  total: number;
}

export interface LineItem extends Sums {
  id: number;
  description: string;
  unit_price: number;
  units: number;
  discount: number;
  /** Percent. */
  tax_rate: number;
}

export interface Payment extends Sums {
  id: number;
  payment_method: PaymentMethod;
  status: PaymentStatus;
  /** It drew down package, membership or gift-certificate value. */
  from_package: boolean;
  credit_id: number | null;
  refunded: number;
  created_at: string;
}

export interface Invoice extends Sums {
  id: number;
  type: InvoiceType;
  status: InvoiceStatus;
  invoice_number: string;
  /** "YYYY-MM-DD" by the clinic's calendar. */
  invoice_date: string;
  /** Lower-case ISO 4217. */
  currency: string;
  client: Person;
  payer: Person | null;
  practitioner: { id: number; name: string } | null;
  line_items: LineItem[];
  payments: Payment[];
  subject: string;
  created_at: string;
}

export interface LineInput {
  /** Of a line that is there already. */
  id?: number;
  description: string;
  unit_price: number;
  units: number;
  discount: number;
  tax_rate: number;
}

/** A payment that comes with a new record. */
export interface FirstPayment {
  payment_method: PaymentMethod;
  total: number;
  status?: "paid" | "draft";
}

export interface NewPayment extends FirstPayment {
  credit_id?: number;
}

/** What is absent stays as it is; a number that is absent at creation is the next one. */
export interface InvoiceInput {
  client_id?: number;
  payer_id?: number | null;
  practitioner_id?: number | null;
  invoice_date?: string;
  invoice_number?: string;
  line_items?: LineInput[];
  auto_deduct?: boolean;
}

export interface InvoiceQuery {
  type?: InvoiceType | undefined;
  status?: InvoiceStatus | undefined;
  patient?: number | undefined;
  number?: string | undefined;
  cursor?: string | undefined;
}

export interface Package {
  id: number;
  name: string;
  price: number;
  /** How much of invoices it pays. */
  value: number;
  tax_rate: number;
  currency: string;
  expires_after_days: number | null;
  active: boolean;
}

export interface PackageInput {
  name?: string;
  price?: number;
  value?: number;
  tax_rate?: number;
  expires_after_days?: number | null;
  active?: boolean;
}

export interface Credit {
  id: number;
  kind: CreditKind;
  name: string;
  value: number;
  remaining: number;
  currency: string;
  expires_on: string | null;
}

export type GiftCertificateState = "unpaid" | "ready" | "redeemed" | "used" | "expired";

export interface GiftCertificate {
  id: number;
  code: string;
  value: number;
  remaining: number;
  currency: string;
  purchaser: Person;
  redeemer: Person | null;
  invoice_id: number;
  state: GiftCertificateState;
  expires_on: string | null;
}

export interface PackageSale {
  client_id: number;
  payer_id?: number | null;
  practitioner_id?: number | null;
  payments: FirstPayment[];
}

export interface NewGiftCertificate {
  purchaser_id: number;
  value: number;
  expires_on?: string | null;
  payments: FirstPayment[];
}

const at = (id: number) => `/v1/invoices/${part(id)}`;
const paymentAt = ({ invoiceId, paymentId }: PaymentPlace) => `${at(invoiceId)}/payments/${part(paymentId)}`;

export interface PaymentPlace {
  invoiceId: number;
  paymentId: number;
}

export const invoices = {
  list: ({ patient, number, ...filters }: InvoiceQuery, signal?: AbortSignal) =>
    call<Page<Invoice>>(`/v1/invoices${query({ ...filters, patient_id: patient, q: number, limit: PAGE_ROWS })}`, {
      signal,
    }),
  get: (id: number, signal?: AbortSignal) => call<Invoice>(at(id), { signal }),
  create: (input: InvoiceInput, intent: Intent) => post<Invoice>("/v1/invoices", input, intent),
  change: (id: number, input: InvoiceInput, intent: Intent) =>
    call<Invoice>(at(id), { method: "PATCH", body: input, intent }),
  remove: (id: number) => call<null>(at(id), { method: "DELETE" }),
};

export const payments = {
  add: (invoiceId: number, payment: NewPayment, intent: Intent) =>
    post<Invoice>(`${at(invoiceId)}/payments`, payment, intent),
  change: (place: PaymentPlace, payment: Partial<FirstPayment>, intent: Intent) =>
    call<Invoice>(paymentAt(place), { method: "PATCH", body: payment, intent }),
  remove: (place: PaymentPlace) => call<Invoice>(paymentAt(place), { method: "DELETE" }),
  refund: (place: PaymentPlace, total: number, intent: Intent) =>
    post<Invoice>(`${paymentAt(place)}/refund`, { total }, intent),
  transfer: (place: PaymentPlace, to: { to_invoice_id: number; total: number }, intent: Intent) =>
    post<{ from: Invoice; to: Invoice }>(`${paymentAt(place)}/transfer`, to, intent),
};

export const credits = {
  of: (patientId: number, signal?: AbortSignal) =>
    call<{ data: Credit[] }>(`/v1/patients/${part(patientId)}/credits`, { signal }),
};

export const packages = {
  list: (signal?: AbortSignal) => all<Package>("/v1/packages", {}, signal),
  create: (input: PackageInput, intent: Intent) => post<Package>("/v1/packages", input, intent),
  change: (id: number, input: PackageInput, intent: Intent) =>
    call<Package>(`/v1/packages/${part(id)}`, { method: "PATCH", body: input, intent }),
  sell: (id: number, sale: PackageSale, intent: Intent) =>
    post<{ invoice: Invoice; credit: Credit | null }>(`/v1/packages/${part(id)}/sell`, sale, intent),
};

export const giftCertificates = {
  list: (cursor: string | undefined, signal?: AbortSignal) =>
    call<Page<GiftCertificate>>(`/v1/gift-certificates${query({ cursor, limit: PAGE_ROWS })}`, { signal }),
  sell: (sale: NewGiftCertificate, intent: Intent) =>
    post<{ gift_certificate: GiftCertificate; invoice: Invoice }>("/v1/gift-certificates", sale, intent),
  redeem: (redemption: { code: string; patient_id: number }, intent: Intent) =>
    post<GiftCertificate>("/v1/gift-certificates/redeem", redemption, intent),
};

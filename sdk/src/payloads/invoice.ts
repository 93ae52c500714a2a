/** Invoices, packages, membership charges and gift certificates (contract §2, §4). */
import {
  currency,
  date,
  description,
  flag,
  id,
  LINE_ITEMS_MAX,
  list,
  money,
  name,
  nullable,
  object,
  oneOf,
  PAYMENTS_MAX,
  UNITS_MAX,
  when,
  whole,
} from "../shapes.ts";
import {
  type IdOnly,
  PERSON,
  type Person,
  PRACTITIONER,
  type Practitioner,
  SAMPLE_PATIENTS,
  SAMPLE_PRACTITIONERS,
} from "./persons.ts";

export type InvoiceEventName = "invoice.created" | "invoice.updated" | "invoice.deleted";

export const INVOICE_TYPES = [
  "patient_invoice",
  "clinic_package",
  "clinic_package_membership",
  "clinic_package_gift_certificate",
] as const;
export type InvoiceType = (typeof INVOICE_TYPES)[number];

export const INVOICE_STATUSES = [
  "draft",
  "partially_paid",
  "paid_in_full",
  "paid",
  "over_paid",
  "no_payment_needed",
  "partially_refunded",
  "refunded",
] as const;
export type InvoiceStatus = (typeof INVOICE_STATUSES)[number];

export const PAYMENT_STATUSES = ["draft", "paid", "partially_refunded", "refunded"] as const;
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

export interface LineItem {
  id: number;
  description: string;
  unit_price: number;
  units: number;
  subtotal: number;
  taxes: number;
  total: number;
}

export interface Payment {
  id: number;
  payment_method: string;
  subtotal: number;
  taxes: number;
  /** Stays the original amount when a refund moves the status. */
  total: number;
  status: PaymentStatus;
  /** True where the payment drew down package, membership or gift-certificate value. */
  from_package: boolean;
}

export interface Invoice {
  type: InvoiceType;
  status: InvoiceStatus;
  invoice_number: string;
  /** `YYYY-MM-DD`, the clinic's calendar date. */
  invoice_date: string;
  /** Lower-case ISO 4217; amounts are in its major units. */
  currency: string;
  subtotal: number;
  taxes: number;
  total: number;
  /** There for type `patient_invoice`, absent for the others. Before tax, negative when over-paid. */
  unpaid_subtotal_balance?: number;
  line_items: LineItem[];
  payments: Payment[];
}

/** Everything known of the change, as captured in its transaction. */
export interface InvoiceFacts {
  event: InvoiceEventName;
  invoice: Invoice;
  /** `null` where the invoice has no practitioner. */
  practitioner: Practitioner | null;
  /** The patient billed, never the payer. */
  client: Person;
}

/** The body that is sent. */
export interface InvoiceBody {
  event: InvoiceEventName;
  invoice: Invoice;
  practitioner?: Practitioner | IdOnly | null;
  client?: Person | IdOnly;
}

const LINE_ITEM = object({
  id,
  description,
  unit_price: money,
  units: whole(UNITS_MAX),
  subtotal: money,
  taxes: money,
  total: money,
});

const PAYMENT = object({
  id,
  payment_method: name,
  subtotal: money,
  taxes: money,
  total: money,
  status: oneOf(...PAYMENT_STATUSES),
  from_package: flag,
});

const INVOICE = object({
  type: oneOf(...INVOICE_TYPES),
  status: oneOf(...INVOICE_STATUSES),
  invoice_number: name,
  invoice_date: date,
  currency,
  subtotal: money,
  taxes: money,
  total: money,
  unpaid_subtotal_balance: when("type", "patient_invoice", money),
  line_items: list(LINE_ITEM, { maxItems: LINE_ITEMS_MAX }),
  payments: list(PAYMENT, { maxItems: PAYMENTS_MAX }),
});

/** Facts and body alike: an invoice event's body is its facts, less what was not selected. */
export function invoiceShape<E extends InvoiceEventName>(event: E) {
  return object({ event: oneOf(event), invoice: INVOICE, practitioner: nullable(PRACTITIONER), client: PERSON });
}

/** 13 % on both lines; the sums are sums of lines. */
function sampleLines(): LineItem[] {
  return [
    {
      id: 660101,
      description: "Massage therapy, 60 minutes",
      unit_price: 95,
      units: 1,
      subtotal: 95,
      taxes: 12.35,
      total: 107.35,
    },
    { id: 660102, description: "Foam roller", unit_price: 24.5, units: 2, subtotal: 49, taxes: 6.37, total: 55.37 },
  ];
}

export const INVOICE_SAMPLES: { readonly [E in InvoiceEventName]: InvoiceFacts & { event: E } } = {
  "invoice.created": {
    event: "invoice.created",
    invoice: {
      type: "patient_invoice",
      status: "draft",
      invoice_number: "INV-10231",
      invoice_date: "2026-09-22",
      currency: "cad",
      subtotal: 144,
      taxes: 18.72,
      total: 162.72,
      unpaid_subtotal_balance: 144,
      line_items: sampleLines(),
      payments: [],
    },
    practitioner: { ...SAMPLE_PRACTITIONERS.pretend },
    client: { ...SAMPLE_PATIENTS.sample },
  },
  "invoice.updated": {
    event: "invoice.updated",
    invoice: {
      type: "patient_invoice",
      status: "partially_paid",
      invoice_number: "INV-10231",
      invoice_date: "2026-09-22",
      currency: "cad",
      subtotal: 144,
      taxes: 18.72,
      total: 162.72,
      unpaid_subtotal_balance: 55.5,
      line_items: sampleLines(),
      payments: [
        {
          id: 880401,
          payment_method: "credit_card",
          subtotal: 88.5,
          taxes: 11.5,
          total: 100,
          status: "paid",
          from_package: false,
        },
      ],
    },
    practitioner: { ...SAMPLE_PRACTITIONERS.pretend },
    client: { ...SAMPLE_PATIENTS.sample },
  },
  "invoice.deleted": {
    event: "invoice.deleted",
    invoice: {
      type: "clinic_package",
      status: "refunded",
      invoice_number: "PKG-00417",
      invoice_date: "2026-08-03",
      currency: "cad",
      subtotal: 150,
      taxes: 19.5,
      total: 169.5,
      line_items: [
        {
          id: 660230,
          description: "Ten yoga classes",
          unit_price: 150,
          units: 1,
          subtotal: 150,
          taxes: 19.5,
          total: 169.5,
        },
      ],
      payments: [
        {
          id: 880415,
          payment_method: "debit_card",
          subtotal: 150,
          taxes: 19.5,
          total: 169.5,
          status: "refunded",
          from_package: false,
        },
      ],
    },
    practitioner: null,
    client: { ...SAMPLE_PATIENTS.example },
  },
};

/** Money: invoices of the four types, payments, packages, gift certificates, and what they may pay. Compared with the migrated database by schema.test.ts. */
import type { Generated, GeneratedAlways } from "kysely";

type Instant = Temporal.Instant;

export interface BillingTables {
  invoices: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    type: "patient_invoice" | "clinic_package" | "clinic_package_membership" | "clinic_package_gift_certificate";
    invoice_number: string;
    invoice_date: string;
    currency: string;
    client_id: number;
    payer_id: number | null;
    practitioner_id: number | null;
    status: Generated<string>;
    subtotal_minor: Generated<number>;
    taxes_minor: Generated<number>;
    total_minor: Generated<number>;
    unpaid_subtotal_balance_minor: Generated<number>;
    created_at: Generated<Instant>;
  };
  invoice_line_items: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    invoice_id: number;
    position: number;
    description: string;
    unit_price_minor: number;
    units: number;
    discount_minor: Generated<number>;
    tax_rate_thousandths: Generated<number>;
  };
  payments: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    invoice_id: number;
    payment_method: string;
    total_minor: number;
    settled_entry: number | null;
    credit_id: number | null;
    created_at: Generated<Instant>;
  };
  refunds: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    payment_id: number;
    total_minor: number;
    entry: Generated<number>;
    created_at: Generated<Instant>;
  };
  invoice_numbers: {
    clinic_id: number;
    type: "patient_invoice" | "clinic_package" | "clinic_package_membership" | "clinic_package_gift_certificate";
    last_number: number;
  };
  packages: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    name: string;
    currency: string;
    price_minor: number;
    value_minor: number;
    tax_rate_thousandths: number;
    expires_after_days: number | null;
    active: Generated<boolean>;
    created_at: Generated<Instant>;
  };
  credits: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    kind: "package" | "membership" | "gift_certificate";
    invoice_id: number | null;
    client_id: number | null;
    name: string;
    currency: string;
    value_minor: number;
    entitled_minor: Generated<number>;
    drawn_minor: Generated<number>;
    expires_after_days: number | null;
    expires_on: string | null;
    opened_at: Instant | null;
    created_at: Generated<Instant>;
  };
  gift_certificates: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    credit_id: number;
    code: Buffer;
    code_hash: Buffer;
    redeemed_at: Instant | null;
    created_at: Generated<Instant>;
  };
  gift_certificate_keys: { clinic_id: number; key: Buffer };
}

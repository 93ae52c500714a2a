/** Memberships, the academy, the portal. Compared with the migrated database by schema.test.ts. */
import type { Generated, GeneratedAlways } from "kysely";

type Instant = Temporal.Instant;

export interface MemberTables {
  academy_items: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    type: "course" | "webinar";
    name: string;
    price_minor: number;
    tax_rate_thousandths: number;
    currency: string;
    starts_at: Instant | null;
    active: Generated<boolean>;
    created_at: Generated<Instant>;
  };
  academy_places: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    item_id: number;
    patient_id: number;
    own_access: "bought" | "free" | "granted" | null;
    through_membership: Generated<boolean>;
    participant_since: Instant | null;
    created_at: Generated<Instant>;
  };
  academy_checkouts: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    place_id: number;
    state: Generated<"open" | "completed" | "expired">;
    subtotal_minor: number;
    taxes_minor: number;
    total_minor: number;
    currency: string;
    expires_at: Instant;
    created_at: Generated<Instant>;
  };
  portal_accounts: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    patient_id: number;
    email_folded: string;
    password_hash: string;
    created_at: Generated<Instant>;
    confirmed_at: Instant | null;
  };
  portal_sessions: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    account_id: number;
    token_hash: Buffer;
    created_at: Generated<Instant>;
    expires_at: Instant;
  };
  portal_links: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    account_id: number;
    purpose: "confirm" | "reset";
    token_hash: Buffer;
    created_at: Generated<Instant>;
    expires_at: Instant;
  };
  membership_plans: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    type: "clinic_package_membership" | "academy_membership";
    name: string;
    price_minor: number;
    tax_rate_thousandths: number;
    currency: string;
    recurrence_interval: "day" | "week" | "month" | "year";
    number_of_payments: number | null;
    credit_value_minor: number | null;
    active: Generated<boolean>;
    created_at: Generated<Instant>;
  };
  membership_plan_items: { clinic_id: number; plan_id: number; item_id: number; position: number };
  memberships: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    plan_id: number;
    client_id: number;
    state: Generated<"pending" | "active" | "paused" | "cancelled" | "ended">;
    payment_source: "at_desk" | "practice_card" | "practice_card_declined";
    price_minor: number;
    tax_rate_thousandths: number;
    currency: string;
    recurrence_interval: "day" | "week" | "month" | "year";
    number_of_payments: number | null;
    credit_value_minor: number | null;
    started_at: Instant | null;
    cancelled_at: Instant | null;
    cancel_reason: "staff" | "patient" | "payment_failed" | "switched" | null;
    access_until: string | null;
    access_ended: Generated<boolean>;
    anchor_on: string | null;
    next_period: Generated<number>;
    next_period_on: string | null;
    charges_made: Generated<number>;
    paused_on: string | null;
    due_at: Instant | null;
    due_failures: Generated<number>;
    created_at: Generated<Instant>;
  };
  membership_charges: {
    clinic_id: number;
    membership_id: number;
    number: number;
    due_on: string;
    invoice_id: number | null;
    outcome: "paid" | "declined" | "awaiting";
    tries: Generated<number>;
    declined_on: string | null;
    retry_on: string | null;
  };
}

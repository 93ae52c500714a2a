/**
 * The tables as Kysely sees them. It mirrors migrations/*.sql by hand; schema.test.ts compares it, column by column, with
 * the migrated database, so that the two cannot drift.
 */
import type { Generated, GeneratedAlways, Kysely, Transaction } from "kysely";

/** An instant or PostgreSQL's 'infinity' never mixes in clinic tables; only the engine's next_at is ever infinite. */
type Instant = Temporal.Instant;

export interface Database {
  clinics: {
    id: GeneratedAlways<number>;
    name: string;
    time_zone: string;
    currency: Generated<string>;
    locale: Generated<"en" | "fr-CA">;
    has_academy: Generated<boolean>;
    portal_name: Generated<string>;
    data_key: Buffer;
    data_key_id: string;
    inbox_token: string;
    created_at: Generated<Instant>;
  };
  staff: {
    clinic_id: number;
    user_id: string;
    role: "manager" | "practitioner" | "front_desk";
    created_at: Generated<Instant>;
  };
  practitioners: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    name: string;
    email: string;
    created_at: Generated<Instant>;
  };
  patients: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    name: string;
    email: string | null;
    name_folded: string;
    created_at: Generated<Instant>;
    feed_only: Generated<boolean>;
  };
  services: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    name: string;
    kind: "one_to_one" | "group" | "class";
    duration_minutes: number;
    capacity: number | null;
    created_at: Generated<Instant>;
  };
  consults: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    service_id: number;
    practitioner_id: number;
    starts_at: Instant;
    duration_minutes: number;
    cancelled_at: Instant | null;
    room: string | null;
    notes: string | null;
    created_at: Generated<Instant>;
    series_id: number | null;
  };
  consult_participants: {
    clinic_id: number;
    consult_id: number;
    patient_id: number;
    place: GeneratedAlways<number>;
    status: Generated<"booked" | "held" | "wait_listed">;
    arrival: Generated<"expected" | "arrived" | "no_show" | "late_cancel">;
  };
  consult_series: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    every: "day" | "week" | "month";
    every_count: Generated<number>;
    created_at: Generated<Instant>;
  };
  idempotency_keys: {
    clinic_id: number;
    key_hash: Buffer;
    request_hash: Buffer;
    status: number | null;
    answer: Buffer | null;
    created_at: Generated<Instant>;
  };
  audit: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    at: Generated<Instant>;
    actor: string;
    action: string;
    target: string;
    before: string | null;
    after: string | null;
  };
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
  webhooks: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    name: string;
    url: Buffer;
    url_host: string;
    events: Generated<string[]>;
    include_practitioner: Generated<"off" | "id" | "all">;
    include_patient: Generated<"off" | "id" | "all">;
    one_participant_per_request: Generated<boolean>;
    format: Generated<"documented">;
    headers: Buffer | null;
    pace_per_second: Generated<number>;
    concurrency: Generated<number>;
    signatures: Generated<string[]>;
    recipient_organisation: string | null;
    recipient_country: string | null;
    recipient_purpose: string | null;
    recipient_agreement_on_file: boolean | null;
    enabled: boolean;
    off_reason: "you" | "receiver_gone" | "failing" | null;
    draft: Generated<boolean>;
    draft_until: Instant | null;
    version: Generated<number>;
    created_at: Generated<Instant>;
    updated_at: Generated<Instant>;
    deleted_at: Instant | null;
  };
  webhook_secrets: {
    clinic_id: number;
    webhook_id: number;
    id: GeneratedAlways<number>;
    secret: Buffer;
    created_at: Generated<Instant>;
    retires_at: Instant | null;
  };
  inbox_messages: { clinic_id: number; id: GeneratedAlways<number>; received_at: Generated<Instant>; message: Buffer };
  subjects: { clinic_id: number; subject: string; version: number };
  events: {
    clinic_id: number;
    id: string;
    name: string;
    subject: string;
    subject_version: number;
    test: Generated<boolean>;
    occurred_at: Generated<Instant>;
    facts: Buffer;
  };
  deliveries: {
    clinic_id: number;
    webhook_id: number;
    id: GeneratedAlways<number>;
    event_id: string;
    part: Generated<number>;
    participants_per_request: number;
    order_key: string;
    choice_practitioner: "off" | "id" | "all";
    choice_patient: "off" | "id" | "all";
    test: Generated<boolean>;
    sequence: number | null;
    attempt: Generated<number>;
    schedule_start: Generated<number>;
    due_at: Generated<Instant>;
    begun_at: Instant | null;
    fence: number | null;
    created_at: Generated<Instant>;
  };
  runs: {
    clinic_id: number;
    webhook_id: number;
    fence: Generated<number>;
    owner: number | null;
    next_at: Generated<Instant | "infinity">;
    next_sequence: Generated<number>;
    answered_at: Instant | null;
    last_delivered_at: Instant | null;
    last_failed_at: Instant | null;
  };
  bells: { clinic_id: number; webhook_id: number; id: GeneratedAlways<number> };
  nodes: { id: GeneratedAlways<number>; name: string; alive_until: Instant };
  attempts: {
    clinic_id: number;
    event_id: string;
    webhook_id: number;
    part: number;
    attempt: number;
    started_at: Instant;
    duration_ms: number | null;
    outcome: string;
    status: number | null;
    choice_practitioner: "off" | "id" | "all" | null;
    choice_patient: "off" | "id" | "all" | null;
    body_sent: boolean;
    answer: Buffer | null;
    late: Generated<boolean>;
  };
  finished_deliveries: {
    clinic_id: number;
    event_id: string;
    webhook_id: number;
    part: number;
    participants_per_request: number;
    choice_practitioner: "off" | "id" | "all";
    choice_patient: "off" | "id" | "all";
    test: boolean;
    sequence: number | null;
    attempt: number;
    state: "delivered" | "given_up" | "cancelled";
    reason: string | null;
    created_at: Instant;
    finished_at: Generated<Instant>;
  };
  imports: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    kind: "patients" | "consults" | "invoices";
    state: "checking" | "ready" | "refused" | "importing" | "done" | "failed" | "expired";
    send_events: Generated<boolean>;
    file: Buffer | null;
    lines: number;
    records_count: Generated<number>;
    events_count: Generated<number>;
    errors_count: Generated<number>;
    errors: Buffer | null;
    failures: Generated<number>;
    due_at: Instant | null;
    created_by: string;
    created_at: Generated<Instant>;
    finished_at: Instant | null;
  };
  import_progress: {
    clinic_id: number;
    import_id: number;
    done_lines: Generated<number>;
  };
  api_keys: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    name: string;
    scopes: string[];
    prefix: string;
    key_hash: Buffer;
    created_by: string;
    created_at: Generated<Instant>;
    last_used_at: Instant | null;
    revoked_at: Instant | null;
  };
  feed_snapshots: {
    clinic_id: number;
    kind: "consult" | "invoice" | "membership";
    id: number;
    external_id: Buffer | null;
    version: number | null;
    state: Buffer | null;
    deleted: Generated<boolean>;
    created_at: Generated<Instant>;
    updated_at: Generated<Instant>;
  };
  feed_ids: { clinic_id: number; kind: string; external_id: Buffer; id: GeneratedAlways<number> };
  feed_keys: {
    clinic_id: number;
    key_hash: Buffer;
    event_id: string;
    body_hash: Buffer;
    created_at: Generated<Instant>;
  };
}

/** The whole database, outside a transaction. */
export type Db = Kysely<Database>;

/** A transaction in which one clinic is named; every command takes one. Made by inClinic() in pool.ts. */
export type Tx = Transaction<Database>;

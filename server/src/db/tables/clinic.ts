/** The clinic itself: its people, services, consults; and who changed what. Compared with the migrated database by schema.test.ts. */
import type { Generated, GeneratedAlways } from "kysely";

type Instant = Temporal.Instant;

export interface ClinicTables {
  clinics: {
    id: GeneratedAlways<number>;
    name: string;
    time_zone: string;
    currency: Generated<string>;
    locale: Generated<"en" | "fr-CA">;
    has_academy: Generated<boolean>;
    portal_name: Generated<string>;
    retention_days: number | null;
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
  invitations: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    email: string;
    role: "manager" | "practitioner" | "front_desk";
    token_hash: Buffer;
    invited_by: string;
    letter: Generated<"waiting" | "sent" | "failed" | "none">;
    created_at: Generated<Instant>;
    expires_at: Instant;
    letter_since: Generated<Instant>;
    letter_again: Generated<boolean>;
    previous_token_hash: Buffer | null;
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
    actor_name: string | null;
    origin: string | null;
    sequence: number | null;
    hash: Buffer | null;
  };
  kept_secrets: {
    name: string;
    secret: Buffer;
    created_at: Generated<Instant>;
  };
  audit_heads: {
    clinic_id: number;
    sequence: Generated<number>;
    hash: Generated<Buffer>;
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
}

/** Webhooks, the feed and the engine. Compared with the migrated database by schema.test.ts. */
import type { Generated, GeneratedAlways } from "kysely";

type Instant = Temporal.Instant;

export interface DeliveryTables {
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
    keys_token: string | null;
    /** derived by the database from sending_pauses */
    paused: Generated<boolean>;
    tested_at: Instant | null;
  };
  sending_pauses: {
    id: GeneratedAlways<number>;
    clinic_id: number | null;
    webhook_id: number | null;
    reason: string;
    paused_at: Generated<Instant>;
  };
  operator_acts: {
    id: GeneratedAlways<number>;
    at: Generated<Instant>;
    /** operator/acts.ts lists them */
    action: string;
    clinic_id: number | null;
    webhook_id: number | null;
    reason: string;
    came_from: string;
    user_id: string | null;
  };
  webhook_secrets: {
    clinic_id: number;
    webhook_id: number;
    id: GeneratedAlways<number>;
    secret: Buffer;
    created_at: Generated<Instant>;
    retires_at: Instant | null;
  };
  webhook_keys: {
    clinic_id: number;
    webhook_id: number;
    id: GeneratedAlways<number>;
    private_key: Buffer;
    public_key: string;
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
    facts: Buffer | null;
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
    recovery_id: number | null;
  };
  recoveries: {
    clinic_id: number;
    webhook_id: number;
    id: GeneratedAlways<number>;
    states: string[];
    from_time: Instant;
    to_time: Instant | null;
    until_event_id: string;
    cursor_event_id: string;
    cursor_part: number;
    pace_per_second: number | null;
    found: number;
    left_out: number;
    counted_all: boolean;
    queued: Generated<number>;
    state: Generated<"running" | "paused" | "done" | "cancelled">;
    next_at: Generated<Instant>;
    started_by: string;
    started_by_name: string;
    created_at: Generated<Instant>;
    ended_at: Instant | null;
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
    failures: Generated<number>;
    failing_since: Instant | null;
    parked_at: Instant | null;
    probes: Generated<number>;
    warned: Generated<number>;
    warned_at: Instant | null;
    recovered_at: Instant | null;
    yielded_by: number | null;
    yielded_at: Instant | null;
    /** derived by the database from webhooks */
    webhook_version: Generated<number>;
  };
  notices: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    kind: string;
    webhook_id: number | null;
    cause: string;
    details: Generated<string>;
    created_at: Generated<Instant>;
    read_at: Instant | null;
    read_by: string | null;
    spread_at: Instant | null;
  };
  bells: { clinic_id: number; webhook_id: number; id: GeneratedAlways<number> };
  nodes: {
    id: GeneratedAlways<number>;
    name: string;
    alive_until: Instant;
    takes: Generated<boolean>;
  };
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
    recovery_id: number | null;
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
    expires_at: Instant | null;
    revoked_at: Instant | null;
    webhook_id: number | null;
    embed_origins: string[] | null;
    frame_id: string | null;
  };
  embed_sessions: {
    clinic_id: number;
    id: GeneratedAlways<number>;
    api_key_id: number;
    capabilities: string[];
    host_user_id: string;
    host_user_name: string;
    language: "en" | "fr-CA";
    color_scheme: "auto" | "light" | "dark" | null;
    accent: string | null;
    radius: "none" | "small" | "medium" | "large" | null;
    font_size: "small" | "medium" | "large" | null;
    lifetime_seconds: number;
    link_hash: Buffer;
    link_expires_at: Instant;
    token_hash: Buffer | null;
    expires_at: Instant | null;
    ended_at: Instant | null;
    created_at: Generated<Instant>;
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

/** Notices: who was told, and the watch over deadlines. Compared with the migrated database by schema.test.ts. */
import type { Generated } from "kysely";

type Instant = Temporal.Instant;

export interface NoticeTables {
  notice_sends: {
    clinic_id: number;
    notice_id: number;
    channel: "email" | "webhook";
    recipient: string;
    state: Generated<"waiting" | "sent" | "given_up">;
    attempts: Generated<number>;
    due_at: Generated<Instant | null>;
    begun_at: Instant | null;
    ended_at: Instant | null;
    last_error: string | null;
    last_status: number | null;
  };
  operational_webhooks: {
    clinic_id: number;
    url: Buffer;
    url_host: string;
    secret: Buffer;
    previous_secret: Buffer | null;
    previous_secret_until: Instant | null;
    events: string[];
    enabled: Generated<boolean>;
    off_reason: "you" | "receiver_gone" | null;
    version: Generated<number>;
    last_delivered_at: Instant | null;
    last_failed_at: Instant | null;
    last_error: string | null;
    last_status: number | null;
    created_at: Generated<Instant>;
    updated_at: Generated<Instant>;
  };
  late_watches: {
    clinic_id: number;
    webhook_id: number;
    delivery_id: number;
    delivery: string;
    event: "consult.updated" | "participant.removed";
    subject: string;
    starts_at: Instant;
  };
  late_scans: { clinic_id: number; webhook_id: number; seen_id: number };
  late_pass: {
    one: Generated<boolean>;
    next_at: Generated<Instant>;
    safe_id: Generated<number>;
    mark_id: Generated<number>;
    mark_xmax: Generated<number>;
    mark_at: Generated<Instant | "-infinity">;
    at_clinic_id: Generated<number>;
    at_webhook_id: Generated<number>;
  };
}

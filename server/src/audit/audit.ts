/**
 * Who changed what in the configuration, with before and after; append-only.
 *
 * Promises that an entry commits together with the change it tells of, or not at all. Does not mask: whoever records gives
 * views that hold no secret, no header value and no whole address.
 */
import type { Tx } from "../db/schema.ts";

const AUDIT_DETAIL_MAX_CHARACTERS = 20_000;

type AuditAction =
  | "api_key.created"
  | "api_key.revoked"
  | "import.started"
  | "import.done"
  | "import.refused"
  | "webhook.created"
  | "webhook.changed"
  | "webhook.deleted"
  | "webhook.secret_rotated"
  | "delivery.resent"
  | "retention.changed"
  | "operational_webhook.created"
  | "operational_webhook.changed"
  | "operational_webhook.deleted"
  | "deliveries.pulled"
  | "recovery.started"
  | "recovery.paused"
  | "recovery.resumed"
  | "recovery.cancelled"
  | "webhook.secret_revoked"
  | "invitation.created"
  | "invitation.resent"
  | "invitation.withdrawn"
  | "staff.joined"
  | "staff.role_changed"
  | "staff.removed";

export interface AuditEntry {
  readonly clinicId: number;
  /** The user's id. */
  readonly actor: string;
  readonly action: AuditAction;
  /** What was changed, such as `webhook:12`. */
  readonly target: string;
  /** Masked; null where there was nothing before. */
  readonly before: object | null;
  readonly after: object | null;
}

/** Writes one entry in the transaction of the change. */
export async function record(tx: Tx, entry: AuditEntry): Promise<void> {
  await tx
    .insertInto("audit")
    .values({
      clinic_id: entry.clinicId,
      actor: entry.actor,
      action: entry.action,
      target: entry.target,
      before: toText(entry.before),
      after: toText(entry.after),
    })
    .execute();
}

function toText(detail: object | null): string | null {
  if (detail === null) return null;
  const text = JSON.stringify(detail);
  if (text.length > AUDIT_DETAIL_MAX_CHARACTERS) throw new RangeError("the detail of an audit entry is too long");
  return text;
}

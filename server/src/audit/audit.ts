/**
 * Who changed what in the configuration, from where, with before and after; append-only and chained (migration 0023).
 *
 * Promises that an entry commits together with the change it tells of, or not at all; that no role of the program can change
 * or remove one; and that whoever does so all the same is found out (chain.ts). Does not mask: whoever records gives views
 * that hold no secret, no header value and no whole address. Reading it is in trail.ts.
 */
import type { Tx } from "../db/schema.ts";
import type { AuditAction } from "./actions.ts";
import { originNow } from "./origin.ts";

const AUDIT_DETAIL_MAX_CHARACTERS = 20_000;
const ACTOR_NAME_MAX_CHARACTERS = 200;

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

/** Writes one entry in the transaction of the change; it is numbered and chained when that commits. */
export async function record(tx: Tx, entry: AuditEntry): Promise<void> {
  const origin = originNow();
  await tx
    .insertInto("audit")
    .values({
      clinic_id: entry.clinicId,
      actor: entry.actor,
      actor_name: origin?.actorName.slice(0, ACTOR_NAME_MAX_CHARACTERS) ?? null,
      origin: origin?.address ?? null,
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

/**
 * What the operator did, for good: on which clinic, webhook or account, why, and from where.
 *
 * Owns the rows of `operator_acts`. Promises that an act is written down in the transaction of what was done, and, where it
 * is about somebody's account, in the audit of every clinic that the person belongs to. The reason stays the operator's:
 * clinics are not shown it. Does nothing itself.
 */
import { sql } from "kysely";
import type { AuditAction } from "../audit/actions.ts";
import { record } from "../audit/audit.ts";
import type { Tx } from "../db/schema.ts";
import { invalid } from "../errors.ts";

export const REASON_MAX_CHARACTERS = 500;
/** Who acted, in the audit of a clinic. */
export const OPERATOR_ACTOR = "operator";

/** Why, and from where it was asked: for the audit. */
export interface OperatorNote {
  readonly reason: string;
  readonly cameFrom: string;
}

interface Act extends OperatorNote {
  readonly action: "sending.paused" | "sending.resumed" | "clinic.created" | "clinic.manager_invited";
  readonly clinicId: number | null;
  readonly webhookId: number | null;
}

interface AccountAct extends OperatorNote {
  readonly action: Extract<AuditAction, "staff.reset_link_made" | "staff.second_factor_removed">;
  readonly userId: string;
}

/** A reason without blanks around it. @throws ProblemError 400 naming `reason` where it is blank or too long */
export function cleanReason(text: string): string {
  const reason = text.trim();
  if (reason === "") throw invalid("reason", "Say why: it is kept with what was done.", "missing");
  if (reason.length <= REASON_MAX_CHARACTERS) return reason;
  throw invalid("reason", `At most ${REASON_MAX_CHARACTERS} characters fit here.`);
}

/** Writes down an act on a clinic, a webhook or all. `tx` runs as the tables' owner. */
export async function writeDown(tx: Tx, { action, clinicId, webhookId, reason, cameFrom }: Act): Promise<void> {
  const act = { action, clinic_id: clinicId, webhook_id: webhookId, reason, came_from: cameFrom };
  await tx.insertInto("operator_acts").values(act).execute();
}

/** Writes down an act on a person's account, here and in the clinics of the person. `tx` runs as the tables' owner. */
export async function writeDownForAccount(tx: Tx, { action, userId, reason, cameFrom }: AccountAct): Promise<void> {
  await tx.insertInto("operator_acts").values({ action, user_id: userId, reason, came_from: cameFrom }).execute();
  const { rows } = await sql<{ clinic_id: number }>`select clinic_id from clinics_of_user(${userId})`.execute(tx);
  for (const { clinic_id: clinicId } of rows) {
    const target = `staff:${userId}`;
    await record(tx, { clinicId, actor: OPERATOR_ACTOR, action, target, before: null, after: null });
  }
}

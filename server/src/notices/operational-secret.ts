/**
 * A new secret for a clinic's operational webhook. For a day the one before it is valid beside it: what is sent is signed with
 * both, so that nothing is lost while the other system changes over (contract §6, as with other webhooks).
 *
 * Promises: the secret is made here, shown once and sealed; at most two are live; a secret whose time is over signs nothing
 * (by the database's clock), whether it has been cleared away yet (maintenance.ts) or not.
 */
import { generateSecret } from "@hookwell/sdk";
import { sql } from "kysely";
import { record } from "../audit/audit.ts";
import type { Tx } from "../db/schema.ts";
import { conflict, notFound } from "../errors.ts";
import type { ClinicSeal } from "../seal/seal.ts";
import { type OperationalContext, secretPlace } from "./operational-webhook.ts";

const ROTATION_OVERLAP_HOURS = 24;

export interface RotatedOperationalSecret {
  /** In clear, for the one time that it is shown. */
  readonly secret: string;
  readonly previousValidUntil: Temporal.Instant;
}

/** Makes a new current secret. Throws 404, and 409 `rotation_running` while the one before the current one is still valid. */
export async function rotateOperationalSecret(
  tx: Tx,
  { seal, clinicId, actor }: OperationalContext,
): Promise<RotatedOperationalSecret> {
  const secret = generateSecret();
  const sealed = (await seal.forClinic(tx, clinicId)).seal(secretPlace(clinicId), secret);
  // One statement: two rotations at once wait for each other, and the second finds the first's overlap.
  const rotated = await tx
    .updateTable("operational_webhooks")
    .set({
      previous_secret: sql<Buffer>`secret`,
      previous_secret_until: sql<Temporal.Instant>`now() + ${ROTATION_OVERLAP_HOURS} * interval '1 hour'`,
      secret: sealed,
      updated_at: sql<Temporal.Instant>`now()`,
    })
    .where("clinic_id", "=", clinicId)
    .where((eb) =>
      eb.or([eb("previous_secret_until", "is", null), eb("previous_secret_until", "<=", sql<Temporal.Instant>`now()`)]),
    )
    .returning("previous_secret_until as until")
    .executeTakeFirst();
  if (rotated?.until == null) throw await refusal(tx, clinicId);
  const after = { previous_valid_until: rotated.until.toString() };
  const target = "operational_webhook";
  await record(tx, { clinicId, actor, target, action: "operational_webhook.secret_rotated", before: null, after });
  return { secret, previousValidUntil: rotated.until };
}

async function refusal(tx: Tx, clinicId: number) {
  const row = await tx
    .selectFrom("operational_webhooks")
    .select("clinic_id")
    .where("clinic_id", "=", clinicId)
    .executeTakeFirst();
  if (row === undefined) return notFound("operational webhook");
  return conflict(
    "rotation_running",
    `The last rotation is not over: its old secret is valid for ${ROTATION_OVERLAP_HOURS} hours. Rotate again after that.`,
  );
}

/** To be read with `secret`: the one before it, while it is valid. */
export const LIVE_PREVIOUS_SECRET = sql<Buffer | null>`case when previous_secret_until > now() then previous_secret end`;

/** The secrets with which messages are signed now, the newest first. */
export function openSecrets(
  clinicSeal: ClinicSeal,
  clinicId: number,
  { secret, previous }: { readonly secret: Buffer; readonly previous: Buffer | null },
): string[] {
  const live = previous === null ? [secret] : [secret, previous];
  return live.map((sealed) => clinicSeal.open(secretPlace(clinicId), sealed));
}

/**
 * The signing secrets of a webhook. Made here, shown once, sealed afterwards. A rotation leaves the old one valid for a day,
 * so that both signatures are sent while the receiver changes over (contract §6), unless it is revoked before. Key pairs
 * (keys.ts) go along with it.
 */
import { generateSecret } from "@hookwell/sdk";
import { sql } from "kysely";
import { conflict } from "../errors.ts";
import { rotateKey } from "./keys.ts";
import type { Store } from "./store.ts";

const LIVE_SECRETS_MAX = 2;
const ROTATION_OVERLAP_HOURS = 24;

/** Adds a secret and returns it in clear, for the one time that it is shown. */
export async function addSecret(store: Store, webhookId: number): Promise<string> {
  const { tx, clinicId, seal } = store;
  const secret = generateSecret();
  const { id } = await tx
    .insertInto("webhook_secrets")
    .values({ clinic_id: clinicId, webhook_id: webhookId, secret: Buffer.alloc(0), retires_at: null })
    .returning("id")
    .executeTakeFirstOrThrow();
  await tx
    .updateTable("webhook_secrets")
    .set({ secret: seal.seal(placeOf(webhookId, id), secret) })
    .where("clinic_id", "=", clinicId)
    .where("webhook_id", "=", webhookId)
    .where("id", "=", id)
    .execute();
  return secret;
}

export interface Rotated {
  /** In clear, for the one time that it is shown. */
  readonly secret: string;
  readonly previousValidUntil: Temporal.Instant;
  /** The new public key; null where the webhook has no key pair. */
  readonly publicKey: string | null;
}

/**
 * Makes a new current secret, and a key pair where there is one; those before stay valid until the returned time. Throws 409 `rotation_running` while an
 * older one still is: a third live secret would be signed with, too. The webhook's row must be locked.
 */
export async function rotateSecret(store: Store, webhookId: number): Promise<Rotated> {
  const { tx, clinicId } = store;
  await removeRetired(store, webhookId);
  const live = await tx
    .selectFrom("webhook_secrets")
    .select("id")
    .where("clinic_id", "=", clinicId)
    .where("webhook_id", "=", webhookId)
    .execute();
  if (live.length >= LIVE_SECRETS_MAX) {
    throw conflict(
      "rotation_running",
      `The last rotation is not over: its old secret is valid for ${ROTATION_OVERLAP_HOURS} hours. Rotate again after that, or revoke it first.`,
    );
  }
  const { retires_at } = await tx
    .updateTable("webhook_secrets")
    .set({ retires_at: sql<Temporal.Instant>`now() + ${ROTATION_OVERLAP_HOURS} * interval '1 hour'` })
    .where("clinic_id", "=", clinicId)
    .where("webhook_id", "=", webhookId)
    .where("retires_at", "is", null)
    .returning("retires_at")
    .executeTakeFirstOrThrow();
  if (retires_at === null) throw new Error("a retired secret has no end");
  const secret = await addSecret(store, webhookId);
  return { secret, previousValidUntil: retires_at, publicKey: await rotateKey(store, webhookId, retires_at) };
}

/**
 * Ends the overlap of a rotation now: the secret before the current one, and its key pair, are gone for good. Throws 409
 * `nothing_to_revoke` where the current one is alone already. The webhook's row must be locked.
 */
export async function revokePrevious(store: Store, webhookId: number): Promise<void> {
  const { tx, clinicId } = store;
  await removeRetired(store, webhookId);
  const { numDeletedRows } = await tx
    .deleteFrom("webhook_secrets")
    .where("clinic_id", "=", clinicId)
    .where("webhook_id", "=", webhookId)
    .where("retires_at", "is not", null)
    .executeTakeFirstOrThrow();
  if (numDeletedRows === 0n) {
    throw conflict(
      "nothing_to_revoke",
      "No old secret is valid any more: messages are signed with the current one alone.",
    );
  }
  await tx
    .deleteFrom("webhook_keys")
    .where("clinic_id", "=", clinicId)
    .where("webhook_id", "=", webhookId)
    .where("retires_at", "is not", null)
    .execute();
}

/** The secrets that are valid now, newest first, in clear: for verifying what the test inbox received. */
export async function liveSecrets(store: Store, webhookId: number): Promise<string[]> {
  const rows = await store.tx
    .selectFrom("webhook_secrets")
    .select(["id", "secret"])
    .where("clinic_id", "=", store.clinicId)
    .where("webhook_id", "=", webhookId)
    .where((where) =>
      where.or([where("retires_at", "is", null), where("retires_at", ">", sql<Temporal.Instant>`now()`)]),
    )
    .orderBy("id", "desc")
    .execute();
  return rows.map(({ id, secret }) => store.seal.open(placeOf(webhookId, id), secret));
}

async function removeRetired({ tx, clinicId }: Store, webhookId: number): Promise<void> {
  for (const table of ["webhook_secrets", "webhook_keys"] as const) {
    await tx
      .deleteFrom(table)
      .where("clinic_id", "=", clinicId)
      .where("webhook_id", "=", webhookId)
      .where("retires_at", "<=", sql<Temporal.Instant>`now()`)
      .execute();
  }
}

function placeOf(webhookId: number, secretId: number) {
  return { column: "webhook_secrets.secret", row: `${webhookId}/${secretId}` } as const;
}

/**
 * The signing secrets of a webhook. Made here, shown once, sealed afterwards. A rotation leaves the old one valid for a day,
 * so that both signatures are sent while the receiver changes over (contract §6).
 */
import { generateSecret } from "@hookwell/sdk";
import { sql } from "kysely";
import { conflict } from "../errors.ts";
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

/**
 * Makes a new current secret; the one before stays valid until the returned time. Throws 409 `rotation_running` while an
 * older one still is: a third live secret would be signed with, too. The webhook's row must be locked.
 */
export async function rotateSecret(
  store: Store,
  webhookId: number,
): Promise<{ secret: string; previousValidUntil: Temporal.Instant }> {
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
      `The last rotation is not over: its old secret is valid for ${ROTATION_OVERLAP_HOURS} hours. Rotate again after that.`,
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
  return { secret: await addSecret(store, webhookId), previousValidUntil: retires_at };
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
  await tx
    .deleteFrom("webhook_secrets")
    .where("clinic_id", "=", clinicId)
    .where("webhook_id", "=", webhookId)
    .where("retires_at", "<=", sql<Temporal.Instant>`now()`)
    .execute();
}

function placeOf(webhookId: number, secretId: number) {
  return { column: "webhook_secrets.secret", row: `${webhookId}/${secretId}` } as const;
}

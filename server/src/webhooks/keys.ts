/**
 * The ed25519 key pairs of a webhook, for those who asked for `v1a` signatures (contract §6).
 *
 * Made here; the private key is sealed at once and never shown to anybody. The public keys are: receivers fetch them by the
 * webhook's token, under an address that stays the same over rotations. Pairs are rotated and revoked with the secrets, see
 * secrets.ts; their end stands beside theirs.
 */
import { generateKeyPair } from "@hookwell/sdk/signature-node";
import { sql } from "kysely";
import { inClinic } from "../db/pool.ts";
import type { Db } from "../db/schema.ts";
import { drawRandom } from "../seal/random.ts";
import type { Store } from "./store.ts";

const TOKEN_BYTES = 24;
const TOKEN = /^[A-Za-z0-9_-]{32}$/;

/** A public key and how long messages may carry its signatures. */
export interface PublicKey {
  /** `whpk_…` */
  readonly publicKey: string;
  readonly validFrom: Temporal.Instant;
  /** Null for the current one. */
  readonly validUntil: Temporal.Instant | null;
}

/** What stands in the public address of a webhook's keys. */
export function newKeysToken(): string {
  return drawRandom(TOKEN_BYTES).toString("base64url");
}

/** Makes a key pair that is the current one from now on, and returns its public half. There must be no current one. */
export async function addKey({ tx, clinicId, seal }: Store, webhookId: number): Promise<string> {
  const { privateKey, publicKey } = generateKeyPair();
  const { id } = await tx
    .insertInto("webhook_keys")
    .values({
      clinic_id: clinicId,
      webhook_id: webhookId,
      private_key: Buffer.alloc(0),
      public_key: publicKey,
      retires_at: null,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  await tx
    .updateTable("webhook_keys")
    .set({ private_key: seal.seal({ column: "webhook_keys.private_key", row: `${webhookId}/${id}` }, privateKey) })
    .where("clinic_id", "=", clinicId)
    .where("webhook_id", "=", webhookId)
    .where("id", "=", id)
    .execute();
  return publicKey;
}

/** A new current pair where there is one; the one before signs until the given time. Returns the new public key, or null. */
export async function rotateKey(
  store: Store,
  webhookId: number,
  previousValidUntil: Temporal.Instant,
): Promise<string | null> {
  const { numUpdatedRows } = await store.tx
    .updateTable("webhook_keys")
    .set({ retires_at: previousValidUntil })
    .where("clinic_id", "=", store.clinicId)
    .where("webhook_id", "=", webhookId)
    .where("retires_at", "is", null)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 0n ? null : addKey(store, webhookId);
}

/** Destroys all pairs of a webhook: nothing can be signed with them any more. */
export async function removeKeys({ tx, clinicId }: Store, webhookId: number): Promise<void> {
  await tx.deleteFrom("webhook_keys").where("clinic_id", "=", clinicId).where("webhook_id", "=", webhookId).execute();
}

/** The public keys that are valid now, newest first; none where `v1a` is off. */
export async function publicKeys({ tx, clinicId }: Omit<Store, "seal">, webhookId: number): Promise<PublicKey[]> {
  const rows = await tx
    .selectFrom("webhook_keys")
    .select(["public_key", "created_at", "retires_at"])
    .where("clinic_id", "=", clinicId)
    .where("webhook_id", "=", webhookId)
    .where((where) =>
      where.or([where("retires_at", "is", null), where("retires_at", ">", sql<Temporal.Instant>`now()`)]),
    )
    .orderBy("id", "desc")
    .execute();
  return rows.map((row) => ({ publicKey: row.public_key, validFrom: row.created_at, validUntil: row.retires_at }));
}

/** The same for whoever knows the token, signed in or not; none for a token that is nobody's. */
export async function publicKeysOf(db: Db, token: string): Promise<PublicKey[]> {
  if (!TOKEN.test(token)) return [];
  const { rows } = await sql<{ clinic_id: number; webhook_id: number }>`
    select clinic_id, webhook_id from webhook_of_keys(${token})`.execute(db);
  const [found] = rows;
  if (found === undefined) return [];
  const { clinic_id: clinicId, webhook_id: webhookId } = found;
  return inClinic(db, clinicId, (tx) => publicKeys({ tx, clinicId }, webhookId));
}

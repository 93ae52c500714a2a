/**
 * Webhooks: which address hears of what, with which data. Configuration only.
 *
 * Owns the rows of `webhooks`, `webhook_secrets` and `webhook_keys` and every command on them. Promises: each command runs in the caller's
 * transaction and is audited in it, with before and after, masked; what a manager may not set is refused with its field;
 * a secret is shown once, a private key never. Does not send, and does not know deliveries beyond dropping what waits when a webhook goes.
 */
import { sql } from "kysely";
import { record } from "../audit/audit.ts";
import type { Tx } from "../db/schema.ts";
import { conflict, notFound } from "../errors.ts";
import type { Seal } from "../seal/seal.ts";
import { addKey, type PublicKey, publicKeys, removeKeys } from "./keys.ts";
import { auditView, changedFields } from "./masking.ts";
import { refuseNewPatientData, refusePatientData } from "./patient-lock.ts";
import { dropWaiting, forgetFailures, ring, startSlowly } from "./runs.ts";
import { addSecret, type Rotated, revokePrevious, rotateSecret as rotate } from "./secrets.ts";
import { type AddressCheck, applyInput, NEW_WEBHOOK, type WebhookInput, type WebhookSettings } from "./settings.ts";
import { insertWebhook, readOne, readPage, type Store, settingsOf, updateWebhook, type Webhook } from "./store.ts";
import { tellManagers } from "./telling.ts";

export const WEBHOOKS_PER_CLINIC_MAX = 25;
/** Drafts are swept after 24 h; whoever makes more at once loses the oldest. */
const DRAFTS_PER_CLINIC_MAX = 25;

/** For whom a command acts, and what it needs. */
export interface WebhooksContext {
  readonly seal: Seal;
  readonly clinicId: number;
  /** The user's id, for the audit. */
  readonly actor: string;
  /** Whoever acts may not turn patients' data on; see patient-lock.ts. */
  readonly patientDataLocked?: boolean;
  checkAddress(text: string): AddressCheck;
}

/** A page of the clinic's webhooks, oldest first, drafts included. */
export async function listWebhooks(
  tx: Tx,
  context: WebhooksContext,
  page: { afterId: number; limit: number },
): Promise<Webhook[]> {
  return readPage(await storeOf(tx, context), page);
}

/** One webhook. Throws 404 for another clinic's, a deleted one and a draft past its time. */
export async function getWebhook(tx: Tx, context: WebhooksContext, id: number): Promise<Webhook> {
  return found(await readOne(await storeOf(tx, context), id));
}

/**
 * Makes a webhook, or a draft of one, and its first secret, which is shown here and never again. Throws every wrong field at
 * once, and 409 `too_many_webhooks`.
 */
export async function createWebhook(
  tx: Tx,
  context: WebhooksContext,
  input: WebhookInput,
): Promise<{ webhook: Webhook; secret: string }> {
  const store = await storeOf(tx, context);
  const settings = applyInput(NEW_WEBHOOK, input, await rulesOf(tx, context));
  if (context.patientDataLocked) refuseNewPatientData(settings);
  await keepWithinLimits(store, settings.draft);
  const id = await insertWebhook(store, settings);
  const secret = await addSecret(store, id);
  await keepKeys(store, id, { before: NEW_WEBHOOK, after: settings });
  await note(tx, context, { id, action: "webhook.created", before: null, after: auditView(settings) });
  const webhook = found(await readOne(store, id));
  await tellManagers(tx, { ...store, id, version: webhook.version, before: null, after: settings });
  return { webhook, secret };
}

export interface WebhookChange extends WebhookInput {
  /** The version the caller has seen; without one, the last writer wins. */
  readonly version?: number | undefined;
}

/**
 * Changes a webhook. A change of nothing writes nothing. Throws every wrong field at once, and 409 `changed_meanwhile` where
 * somebody else was faster.
 */
export async function changeWebhook(
  tx: Tx,
  context: WebhooksContext,
  { id, change: { version, ...input } }: { id: number; change: WebhookChange },
): Promise<Webhook> {
  const store = await storeOf(tx, context);
  const current = found(await readOne(store, id, true));
  if (version !== undefined && version !== current.version) throw changedMeanwhile();
  const before = settingsOf(current);
  const after = applyInput(before, input, await rulesOf(tx, context));
  const changed = changedFields(before, after);
  if (changed.length === 0) return current;
  if (context.patientDataLocked) await refusePatientData(tx, { clinicId: store.clinicId, id, before, after });
  if (before.draft && !after.draft) await keepWithinLimits(store, false);
  await updateWebhook(store, id, after);
  await keepKeys(store, id, { before, after });
  if (changed.includes("url")) await startSlowly(store, id);
  const isTurnedOn = after.enabled && !before.enabled;
  if (isTurnedOn || changed.includes("url") || changed.includes("headers")) await forgetFailures(store, id);
  // What was kept while the webhook was off, or parked, is due now.
  if (after.enabled) await ring(store, id);
  const views = { before: auditView(before), after: { ...auditView(after), changed } };
  await note(tx, context, { id, action: "webhook.changed", ...views });
  const webhook = found(await readOne(store, id));
  await tellManagers(tx, { ...store, id, version: webhook.version, before, after });
  return webhook;
}

/**
 * The settings as they would be with unsaved changes, for a test of them; nothing is stored. Checked like a change, but for
 * the recipient: a test has invented people. Throws every wrong field at once, and 404.
 */
export async function previewWebhook(
  tx: Tx,
  context: WebhooksContext,
  { id, input }: { id: number; input: Pick<WebhookInput, "url" | "include" | "oneParticipantPerRequest"> },
): Promise<WebhookSettings> {
  const current = settingsOf(await getWebhook(tx, context, id));
  return applyInput({ ...current, draft: true }, input, await rulesOf(tx, context));
}

/** Deletes a webhook. What waits is dropped and kept in the log as "cancelled: deleted"; returns how many that were. */
export async function deleteWebhook(tx: Tx, context: WebhooksContext, id: number): Promise<{ dropped: number }> {
  const store = await storeOf(tx, context);
  const current = found(await readOne(store, id, true));
  const dropped = await remove(store, current);
  const before = auditView(settingsOf(current));
  await note(tx, context, { id, action: "webhook.deleted", before, after: { dropped } });
  return { dropped };
}

/**
 * A new secret, and a new key pair where the webhook has one; the old ones are valid for a day beside them. Throws 409
 * `rotation_running`.
 */
export async function rotateSecret(tx: Tx, context: WebhooksContext, id: number): Promise<Rotated> {
  const store = await storeOf(tx, context);
  found(await readOne(store, id, true));
  const rotated = await rotate(store, id);
  await countUp(store, id);
  const { previousValidUntil, publicKey } = rotated;
  const after = { previous_valid_until: previousValidUntil.toString(), public_key: publicKey };
  await note(tx, context, { id, action: "webhook.secret_rotated", before: null, after });
  return rotated;
}

/** Ends a rotation's overlap at once: the next attempt is signed with the current secret alone. Throws 409 `nothing_to_revoke`. */
export async function revokePreviousSecret(tx: Tx, context: WebhooksContext, id: number): Promise<Webhook> {
  const store = await storeOf(tx, context);
  const current = found(await readOne(store, id, true));
  await revokePrevious(store, id);
  await countUp(store, id);
  const before = { previous_valid_until: current.previousSecretValidUntil?.toString() ?? null };
  await note(tx, context, { id, action: "webhook.secret_revoked", before, after: null });
  return found(await readOne(store, id));
}

/** The public keys that messages may be signed with now, newest first, and the token under which everybody finds them. */
export async function getPublicKeys(
  tx: Tx,
  context: WebhooksContext,
  id: number,
): Promise<{ token: string | null; keys: PublicKey[] }> {
  const store = await storeOf(tx, context);
  const { keysToken } = found(await readOne(store, id));
  return { token: keysToken, keys: await publicKeys(store, id) };
}

/** A pair is made when `v1a` is switched on and destroyed when it is switched off. */
async function keepKeys(
  store: Store,
  id: number,
  { before, after }: Record<"before" | "after", WebhookSettings>,
): Promise<void> {
  const [was, is] = [before, after].map(({ signatures }) => signatures.includes("v1a"));
  if (is && !was) await addKey(store, id);
  if (was && !is) await removeKeys(store, id);
}

/** The sender keeps signers by version. */
async function countUp({ tx, clinicId }: Store, id: number): Promise<void> {
  await tx
    .updateTable("webhooks")
    .set({ version: sql<number>`version + 1`, updated_at: sql<Temporal.Instant>`now()` })
    .where("clinic_id", "=", clinicId)
    .where("id", "=", id)
    .execute();
}

async function storeOf(tx: Tx, { seal, clinicId }: WebhooksContext): Promise<Store> {
  return { tx, clinicId, seal: await seal.forClinic(tx, clinicId) };
}

async function rulesOf(tx: Tx, context: WebhooksContext) {
  const clinic = await tx
    .selectFrom("clinics")
    .select("has_academy")
    .where("id", "=", context.clinicId)
    .executeTakeFirstOrThrow();
  return { checkAddress: context.checkAddress, clinicHasAcademy: clinic.has_academy };
}

function found(webhook: Webhook | null): Webhook {
  if (webhook === null) throw notFound("webhook");
  return webhook;
}

function changedMeanwhile() {
  return conflict("changed_meanwhile", "Somebody has changed this webhook meanwhile. Load it again, then change it.");
}

/** One at a time per clinic, so that two creations at once cannot pass the limit together. */
async function keepWithinLimits({ tx, clinicId, seal }: Store, draft: boolean): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`webhooks of clinic ${clinicId}`}, 0))`.execute(tx);
  const same = await tx
    .selectFrom("webhooks")
    .select("id")
    .where("clinic_id", "=", clinicId)
    .where("draft", "=", draft)
    .where("deleted_at", "is", null)
    .orderBy("id")
    .execute();
  if (!draft && same.length >= WEBHOOKS_PER_CLINIC_MAX) {
    throw conflict(
      "too_many_webhooks",
      `A clinic can have ${WEBHOOKS_PER_CLINIC_MAX} webhooks. Delete one that is no longer needed first.`,
    );
  }
  const surplus = draft ? same.slice(0, Math.max(0, same.length - DRAFTS_PER_CLINIC_MAX + 1)) : [];
  for (const { id } of surplus) await remove({ tx, clinicId, seal }, { id });
}

/** The row stays for the log; its address, headers, secrets and keys go. What waits first: see delivery/store.ts on locks. */
async function remove(store: Store, { id }: { id: number }): Promise<number> {
  const dropped = await dropWaiting(store, id);
  const { tx, clinicId, seal } = store;
  await tx
    .updateTable("webhooks")
    .set({
      deleted_at: sql<Temporal.Instant>`now()`,
      updated_at: sql<Temporal.Instant>`now()`,
      version: sql<number>`version + 1`,
      url: seal.seal({ column: "webhooks.url", row: id }, ""),
      headers: null,
    })
    .where("clinic_id", "=", clinicId)
    .where("id", "=", id)
    .execute();
  await tx.deleteFrom("webhook_secrets").where("clinic_id", "=", clinicId).where("webhook_id", "=", id).execute();
  await removeKeys(store, id);
  return dropped;
}

interface Note {
  readonly id: number;
  readonly action: Parameters<typeof record>[1]["action"];
  readonly before: object | null;
  readonly after: object | null;
}

async function note(tx: Tx, { clinicId, actor }: WebhooksContext, { id, ...what }: Note): Promise<void> {
  await record(tx, { clinicId, actor, target: `webhook:${id}`, ...what });
}

/**
 * A clinic's operational webhook: one address that is told when a webhook fails, is turned off, recovers, or something is
 * late. Configuration only; operational-call.ts sends.
 *
 * Owns the rows of `operational_webhooks`. Promises: each command runs in the caller's transaction and is audited in it, the
 * address masked; address and secret are sealed; the secret is shown once, when it is made. It is no webhook of the clinic:
 * it hears of no event and no patient, and its own failures raise no notice.
 */
import { generateSecret } from "@hookwell/sdk";
import { sql } from "kysely";
import { record } from "../audit/audit.ts";
import type { Tx } from "../db/schema.ts";
import { conflict, type FieldCode, invalid, notFound } from "../errors.ts";
import type { ClinicSeal, Seal } from "../seal/seal.ts";
import { maskUrl } from "../webhooks/masking.ts";
import { NOTICE_KINDS, type NoticeKind } from "./kinds.ts";

/** For whom a command acts, and what it needs. */
export interface OperationalContext {
  readonly seal: Seal;
  readonly clinicId: number;
  /** The user's id, for the audit. */
  readonly actor: string;
  checkAddress(
    text: string,
  ):
    | { readonly ok: true; readonly url: URL }
    | { readonly ok: false; readonly code: FieldCode; readonly message: string };
}

export interface OperationalWebhook {
  readonly urlHost: string;
  readonly urlMasked: string;
  readonly events: readonly NoticeKind[];
  readonly enabled: boolean;
  readonly offReason: "you" | "receiver_gone" | null;
  readonly version: number;
  readonly lastDeliveredAt: Temporal.Instant | null;
  readonly lastFailedAt: Temporal.Instant | null;
  /** of the last failed attempt: a word of egress/outcome.ts, and the status where an answer came */
  readonly lastError: string | null;
  readonly lastStatus: number | null;
  /** While a rotation runs: until when the secret before the current one is valid, too. */
  readonly previousSecretValidUntil: Temporal.Instant | null;
}

export interface OperationalInput {
  readonly url?: string | undefined;
  readonly events?: readonly NoticeKind[] | undefined;
  readonly enabled?: boolean | undefined;
}

/** The clinic's operational webhook. Throws 404 where there is none. */
export async function getOperationalWebhook(tx: Tx, context: OperationalContext): Promise<OperationalWebhook> {
  return (await read(tx, context)).shown;
}

/** Makes it, with its secret, which is shown here and never again. Throws 409 `already_there`, and what is wrong with a field. */
export async function createOperationalWebhook(
  tx: Tx,
  context: OperationalContext,
  input: OperationalInput & { readonly url: string },
): Promise<{ webhook: OperationalWebhook; secret: string }> {
  const seal = await context.seal.forClinic(tx, context.clinicId);
  const secret = generateSecret();
  const url = vetted(context, input.url);
  const events = checkedEvents(input.events ?? NOTICE_KINDS);
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto("operational_webhooks")
    .values({
      clinic_id: context.clinicId,
      ...sealedUrl(seal, context.clinicId, url),
      secret: seal.seal(secretPlace(context.clinicId), secret),
      events,
      ...isOn(input.enabled ?? true),
    })
    .onConflict((conflicting) => conflicting.column("clinic_id").doNothing())
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows === 0n) {
    throw conflict(
      "already_there",
      "There is one already, and a clinic has at most one. Change it, or remove it first.",
    );
  }
  const { shown } = await read(tx, context);
  await note(tx, context, { action: "operational_webhook.created", before: null, after: auditView(shown) });
  return { webhook: shown, secret };
}

/** Changes it; what is left out stays. A change of nothing writes nothing. */
export async function changeOperationalWebhook(
  tx: Tx,
  context: OperationalContext,
  input: OperationalInput,
): Promise<OperationalWebhook> {
  const seal = await context.seal.forClinic(tx, context.clinicId);
  const before = await read(tx, context, { lock: true });
  const url = input.url === undefined ? before.url : vetted(context, input.url).href;
  const events = input.events === undefined ? before.shown.events : checkedEvents(input.events);
  const enabled = input.enabled ?? before.shown.enabled;
  const changed = [
    ...(url === before.url ? [] : ["url"]),
    ...(String(events) === String(before.shown.events) ? [] : ["events"]),
    ...(enabled === before.shown.enabled ? [] : ["enabled"]),
  ];
  if (changed.length === 0) return before.shown;
  await tx
    .updateTable("operational_webhooks")
    .set({
      ...sealedUrl(seal, context.clinicId, new URL(url)),
      events: [...events],
      ...(enabled === before.shown.enabled ? {} : isOn(enabled)),
      // A new address has no past of its own.
      ...(url === before.url
        ? {}
        : { last_delivered_at: null, last_failed_at: null, last_error: null, last_status: null }),
      version: before.shown.version + 1,
      updated_at: sql<Temporal.Instant>`now()`,
    })
    .where("clinic_id", "=", context.clinicId)
    .execute();
  const { shown } = await read(tx, context);
  const views = { before: auditView(before.shown), after: { ...auditView(shown), changed } };
  await note(tx, context, { action: "operational_webhook.changed", ...views });
  return shown;
}

/** Removes it with its address and secret. What waits for it is given up by the worker. */
export async function deleteOperationalWebhook(tx: Tx, context: OperationalContext): Promise<void> {
  const { shown } = await read(tx, context, { lock: true });
  await tx.deleteFrom("operational_webhooks").where("clinic_id", "=", context.clinicId).execute();
  await note(tx, context, { action: "operational_webhook.deleted", before: auditView(shown), after: null });
}

interface Found {
  readonly shown: OperationalWebhook;
  readonly url: string;
}

async function read(tx: Tx, { seal, clinicId }: OperationalContext, { lock = false } = {}): Promise<Found> {
  const query = tx
    .selectFrom("operational_webhooks")
    .selectAll()
    .select(
      sql<Temporal.Instant | null>`case when previous_secret_until > now() then previous_secret_until end`.as("until"),
    )
    .where("clinic_id", "=", clinicId);
  const row = await (lock ? query.forUpdate() : query).executeTakeFirst();
  if (row === undefined) throw notFound("operational webhook");
  const url = (await seal.forClinic(tx, clinicId)).open(urlPlace(clinicId), row.url);
  const shown: OperationalWebhook = {
    urlHost: row.url_host,
    urlMasked: maskUrl(url),
    events: NOTICE_KINDS.filter((kind) => row.events.includes(kind)),
    enabled: row.enabled,
    offReason: row.off_reason,
    version: row.version,
    lastDeliveredAt: row.last_delivered_at,
    lastFailedAt: row.last_failed_at,
    lastError: row.last_error,
    lastStatus: row.last_status,
    previousSecretValidUntil: row.until,
  };
  return { shown, url };
}

export function urlPlace(clinicId: number) {
  return { column: "operational_webhooks.url", row: clinicId } as const;
}

export function secretPlace(clinicId: number) {
  return { column: "operational_webhooks.secret", row: clinicId } as const;
}

function sealedUrl(seal: ClinicSeal, clinicId: number, url: URL) {
  return { url: seal.seal(urlPlace(clinicId), url.href), url_host: url.host };
}

/** The stored form of an address is the parsed one, so that what was vetted is what is dialled. */
function vetted({ checkAddress }: OperationalContext, text: string): URL {
  const checked = checkAddress(text.trim());
  if (!checked.ok) throw invalid("url", checked.message, checked.code);
  return checked.url;
}

/** In the table's order and each once. */
function checkedEvents(events: readonly NoticeKind[]): NoticeKind[] {
  const kept = NOTICE_KINDS.filter((kind) => events.includes(kind));
  if (kept.length === 0)
    throw invalid("events", "Choose at least one event, or remove the operational webhook.", "empty");
  return kept;
}

function isOn(enabled: boolean): { enabled: boolean; off_reason: "you" | null } {
  return { enabled, off_reason: enabled ? null : "you" };
}

function auditView({ urlMasked, events, enabled, offReason }: OperationalWebhook): object {
  return { url: urlMasked, events, enabled, off_reason: offReason };
}

interface Note {
  readonly action: Parameters<typeof record>[1]["action"];
  readonly before: object | null;
  readonly after: object | null;
}

async function note(tx: Tx, { clinicId, actor }: OperationalContext, what: Note): Promise<void> {
  await record(tx, { clinicId, actor, target: "operational_webhook", ...what });
}

/** A webhook as it is stored: between rows with their seals and settings. No rule of contract §6 is in here. */
import { type EventName, isEventName, type SignatureVersion } from "@hookwell/sdk";
import { type Selectable, sql } from "kysely";
import type { Database, Tx } from "../db/schema.ts";
import type { ClinicSeal } from "../seal/seal.ts";
import type { CustomHeader } from "./headers.ts";
import { newKeysToken } from "./keys.ts";
import type { Recipient, WebhookSettings } from "./settings.ts";
import { type WebhookState, webhookState } from "./state.ts";

/** Counting stops here: a backlog of a million must not be counted for a page. */
const WAITING_COUNTED_MAX = 10_000;

export interface Webhook extends WebhookSettings {
  readonly id: number;
  readonly urlHost: string;
  /** What stands in the public address of its keys; null as long as it never had any. */
  readonly keysToken: string | null;
  /** While a rotation runs: how long the secret before the current one is still signed with. */
  readonly previousSecretValidUntil: Temporal.Instant | null;
  readonly state: WebhookState;
  /** The operator paused its sending; what waits is kept. */
  readonly isPaused: boolean;
  /** Its address has answered 2xx once; until then it gets one request a second. */
  readonly hasAnswered: boolean;
  /** Up to `WAITING_COUNTED_MAX`; tests do not count. */
  readonly waitingCount: number;
  readonly lastDeliveredAt: Temporal.Instant | null;
  readonly lastFailedAt: Temporal.Instant | null;
  readonly createdAt: Temporal.Instant;
  readonly updatedAt: Temporal.Instant;
  readonly version: number;
}

/** The transaction, the clinic it is for, and that clinic's seal. */
export interface Store {
  readonly tx: Tx;
  readonly clinicId: number;
  readonly seal: ClinicSeal;
}

/** The clinic's webhooks after the given id, oldest first. */
export async function readPage(store: Store, page: { afterId: number; limit: number }): Promise<Webhook[]> {
  const rows = await selectWebhooks(store).where("w.id", ">", page.afterId).orderBy("w.id").limit(page.limit).execute();
  return rows.map((row) => toWebhook(store, row));
}

/** One webhook; null where this clinic has none with that id. `lock` keeps others from changing it until the commit. */
export async function readOne(store: Store, id: number, lock = false): Promise<Webhook | null> {
  if (lock) await lockRow(store, id);
  const row = await selectWebhooks(store).where("w.id", "=", id).executeTakeFirst();
  return row === undefined ? null : toWebhook(store, row);
}

async function lockRow({ tx, clinicId }: Store, id: number): Promise<void> {
  await tx
    .selectFrom("webhooks")
    .select("id")
    .where("clinic_id", "=", clinicId)
    .where("id", "=", id)
    .forUpdate()
    .execute();
}

/** A draft is gone at its time, whether or not anybody has swept yet. */
function selectWebhooks({ tx, clinicId }: Store) {
  return tx
    .selectFrom("webhooks as w")
    .leftJoin("runs as r", (join) => join.onRef("r.clinic_id", "=", "w.clinic_id").onRef("r.webhook_id", "=", "w.id"))
    .selectAll("w")
    .select(["r.last_delivered_at", "r.last_failed_at", "r.answered_at"])
    .select(
      sql<number>`(select count(*) from (select from deliveries d where d.clinic_id = w.clinic_id and d.webhook_id = w.id
        and not d.test limit ${WAITING_COUNTED_MAX}) counted)`.as("waiting_count"),
    )
    .select(
      sql<Temporal.Instant | null>`(select max(s.retires_at) from webhook_secrets s where s.clinic_id = w.clinic_id
        and s.webhook_id = w.id and s.retires_at > now())`.as("previous_secret_valid_until"),
    )
    .where("w.clinic_id", "=", clinicId)
    .where("w.deleted_at", "is", null)
    .where((where) =>
      where.or([where("w.draft_until", "is", null), where("w.draft_until", ">", sql<Temporal.Instant>`now()`)]),
    );
}

type Row = Selectable<Database["webhooks"]> & {
  last_delivered_at: Temporal.Instant | null;
  last_failed_at: Temporal.Instant | null;
  answered_at: Temporal.Instant | null;
  waiting_count: number;
  previous_secret_valid_until: Temporal.Instant | null;
};

function toWebhook({ seal }: Store, row: Row): Webhook {
  const events = row.events.filter((name): name is EventName => isEventName(name));
  const facts = {
    draft: row.draft,
    enabled: row.enabled,
    offReason: row.off_reason,
    waitingCount: row.waiting_count,
    lastDeliveredAt: row.last_delivered_at,
    lastFailedAt: row.last_failed_at,
  };
  return {
    ...facts,
    id: row.id,
    name: row.name,
    url: seal.open({ column: "webhooks.url", row: row.id }, row.url),
    urlHost: row.url_host,
    events,
    include: { practitioner: row.include_practitioner, patient: row.include_patient },
    oneParticipantPerRequest: row.one_participant_per_request,
    headers: openHeaders(seal, row),
    pacePerSecond: row.pace_per_second,
    concurrency: row.concurrency,
    signatures: row.signatures as SignatureVersion[],
    keysToken: row.keys_token,
    previousSecretValidUntil: row.previous_secret_valid_until,
    recipient: toRecipient(row),
    state: webhookState({ ...facts, eventCount: events.length, addressAnswered: row.answered_at !== null }),
    isPaused: row.paused,
    hasAnswered: row.answered_at !== null,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  };
}

function openHeaders(seal: ClinicSeal, row: Pick<Row, "id" | "headers">): CustomHeader[] {
  if (row.headers === null) return [];
  return JSON.parse(seal.open({ column: "webhooks.headers", row: row.id }, row.headers)) as CustomHeader[];
}

function toRecipient(row: Row): Recipient | null {
  if (row.recipient_organisation === null) return null;
  return {
    organisation: row.recipient_organisation,
    country: row.recipient_country ?? "",
    purpose: row.recipient_purpose ?? "",
    agreementOnFile: row.recipient_agreement_on_file ?? false,
  };
}

/** The settings alone, without what is derived or counted. */
export function settingsOf(webhook: Webhook): WebhookSettings {
  const { name, url, events, include, oneParticipantPerRequest, headers } = webhook;
  const { pacePerSecond, concurrency, signatures, recipient, enabled, offReason, draft } = webhook;
  return {
    ...{ name, url, events, include, oneParticipantPerRequest, headers },
    ...{ pacePerSecond, concurrency, signatures, recipient, enabled, offReason, draft },
  };
}

/** Inserts a webhook and its run. What is sealed is bound to the row's id, so it follows once the id is drawn. */
export async function insertWebhook(store: Store, settings: WebhookSettings): Promise<number> {
  const { tx, clinicId } = store;
  const { id } = await tx
    .insertInto("webhooks")
    .values({
      clinic_id: clinicId,
      ...plainColumnsOf(settings),
      url: Buffer.alloc(0),
      headers: null,
      keys_token: newTokenFor(settings),
      draft_until: settings.draft ? sql<Temporal.Instant>`now() + interval '24 hours'` : null,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  await tx
    .updateTable("webhooks")
    .set(sealedColumnsOf(store, id, settings))
    .where("clinic_id", "=", clinicId)
    .where("id", "=", id)
    .execute();
  await tx.insertInto("runs").values({ clinic_id: clinicId, webhook_id: id }).execute();
  return id;
}

/** Writes settings over a webhook's row and counts its version up. */
export async function updateWebhook(store: Store, id: number, settings: WebhookSettings): Promise<void> {
  await store.tx
    .updateTable("webhooks")
    .set({
      ...plainColumnsOf(settings),
      ...sealedColumnsOf(store, id, settings),
      ...(settings.draft ? {} : { draft_until: null }),
      // Once it has an address, receivers may know it.
      keys_token: sql<string | null>`coalesce(keys_token, ${newTokenFor(settings)})`,
      version: sql<number>`version + 1`,
      updated_at: sql<Temporal.Instant>`now()`,
    })
    .where("clinic_id", "=", store.clinicId)
    .where("id", "=", id)
    .execute();
}

function newTokenFor({ signatures }: WebhookSettings): string | null {
  return signatures.includes("v1a") ? newKeysToken() : null;
}

function plainColumnsOf(settings: WebhookSettings) {
  const { recipient } = settings;
  return {
    name: settings.name,
    url_host: new URL(settings.url).host,
    events: [...settings.events],
    include_practitioner: settings.include.practitioner,
    include_patient: settings.include.patient,
    one_participant_per_request: settings.oneParticipantPerRequest,
    pace_per_second: settings.pacePerSecond,
    concurrency: settings.concurrency,
    signatures: [...settings.signatures],
    recipient_organisation: recipient?.organisation ?? null,
    recipient_country: recipient?.country ?? null,
    recipient_purpose: recipient?.purpose ?? null,
    recipient_agreement_on_file: recipient?.agreementOnFile ?? null,
    enabled: settings.enabled,
    off_reason: settings.offReason,
    draft: settings.draft,
  };
}

function sealedColumnsOf({ seal }: Store, id: number, { url, headers }: WebhookSettings) {
  return {
    url: seal.seal({ column: "webhooks.url", row: id }, url),
    headers: headers.length === 0 ? null : seal.seal({ column: "webhooks.headers", row: id }, JSON.stringify(headers)),
  };
}

/**
 * One call of a clinic's operational webhook: open → sign → POST through egress. What comes of it is a value. It raises no
 * notice of its own, whatever comes of it, so that a failing address cannot set off a chain of them.
 */
import { createSigner } from "@hookwell/sdk/signature-node";
import { sql } from "kysely";
import type { Clock } from "../clock.ts";
import type { Db } from "../db/schema.ts";
import type { Egress } from "../egress/client.ts";
import { type Outcome, succeeded } from "../egress/outcome.ts";
import type { Seal } from "../seal/seal.ts";
import type { Notice } from "./kinds.ts";
import { secretPlace, urlPlace } from "./operational-webhook.ts";
import type { Told } from "./policy.ts";

const USER_AGENT = "Hookwell/1 (operational events)";
const GONE = 410;

export interface CallContext {
  /** runs as hookwell_dispatch */
  readonly db: Db;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly egress: Pick<Egress, "check" | "post">;
}

/** What is sent: no patient's data, no address. Times are RFC 3339 in UTC. Source: Standard Webhooks 1.0, payload structure. */
export function operationalBody({ id, kind, webhook, details, createdAt }: Notice): string {
  const { outcome, status, failingSince, offAt, expiresAt, waiting, deliveryId, startsAt, event } = details;
  const data = {
    notice_id: id,
    webhook: webhook && { id: webhook.id, name: webhook.name },
    outcome,
    status,
    failing_since: failingSince?.toString(),
    off_at: offAt?.toString(),
    expires_at: expiresAt?.toString(),
    waiting,
    delivery_id: deliveryId,
    consult_starts_at: startsAt?.toString(),
    event,
  };
  return JSON.stringify({ type: kind, timestamp: createdAt.toString(), data });
}

/** Tells the clinic's operational address of one notice, and notes how the address did. */
export async function callOperational(context: CallContext, clinicId: number, notice: Notice): Promise<Told> {
  const { db, seal, egress, clock } = context;
  const row = await db
    .selectFrom("operational_webhooks")
    .select(["url", "secret", "enabled", "version"])
    .where("clinic_id", "=", clinicId)
    .executeTakeFirst();
  if (row === undefined) return { ok: false, error: "removed", status: null, forGood: true };
  if (!row.enabled) return { ok: false, error: "off", status: null, forGood: true };
  // Tried again on schedule, as whatever fails.
  if (await isPaused(db, clinicId)) return { ok: false, error: "paused", status: null, forGood: false };
  const clinicSeal = await seal.forClinic(db, clinicId);
  const address = egress.check(clinicSeal.open(urlPlace(clinicId), row.url));
  const id = `ntc_${notice.id}`;
  const body = operationalBody(notice);
  const seconds = Math.floor(clock.now().epochMilliseconds / 1_000);
  const signature = createSigner([clinicSeal.open(secretPlace(clinicId), row.secret)])(id, seconds, body);
  const headers = [
    ...["content-type", "application/json", "user-agent", USER_AGENT],
    ...["webhook-id", id, "webhook-timestamp", String(seconds), "webhook-signature", signature],
  ];
  const outcome: Outcome = address.ok
    ? await egress.post({ url: address.url, headers, body })
    : { kind: "refused_address", detail: address.code, durationMs: 0, bodySent: false };
  await noteHealth(db, clinicId, { outcome, version: row.version });
  return toldBy(outcome);
}

/** Whether the operator paused the sending of the clinic, or of all. */
async function isPaused(db: Db, clinicId: number): Promise<boolean> {
  const { rows } = await sql`select from sending_pauses
    where webhook_id is null and (clinic_id is null or clinic_id = ${clinicId}) limit 1`.execute(db);
  return rows.length > 0;
}

function toldBy(outcome: Outcome): Told {
  if (succeeded(outcome)) return { ok: true };
  const status = outcome.kind === "answered" ? outcome.answer.status : null;
  return { ok: false, error: outcome.kind, status, forGood: status === GONE };
}

/** Of the address that was called: one that was changed meanwhile has no past of its own. 410 turns it off. */
async function noteHealth(
  db: Db,
  clinicId: number,
  { outcome, version }: { readonly outcome: Outcome; readonly version: number },
): Promise<void> {
  const isDelivered = succeeded(outcome);
  const status = outcome.kind === "answered" ? outcome.answer.status : null;
  await sql`
    update operational_webhooks set
      last_delivered_at = case when ${isDelivered} then now() else last_delivered_at end,
      last_failed_at = case when ${isDelivered} then last_failed_at else now() end,
      last_error = ${isDelivered ? null : outcome.kind}, last_status = ${isDelivered ? null : status}::smallint,
      enabled = enabled and ${status !== GONE},
      off_reason = case when enabled and ${status === GONE} then 'receiver_gone' else off_reason end
    where clinic_id = ${clinicId} and version = ${version}`.execute(db);
}

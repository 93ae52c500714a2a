/**
 * What a receiver would think of a message's signature, at the moment it comes. Kept with the message, because secrets are
 * retired and webhooks deleted later, and what was genuine stays so. Pure; it is given the secrets.
 */
import { type RefusalReason, verify, WEBHOOK_HEADERS } from "@hookwell/sdk";
import { parseDeliveryId } from "../outbox/identifiers.ts";
import type { InboxRequest } from "./messages.ts";

export interface Verdict {
  /** Null where the message is to be trusted. */
  readonly reason: RefusalReason | "unknown-webhook" | null;
  /** The webhook that the message names, whether or not it is one of this clinic's. */
  readonly webhookId: number | null;
}

export interface Judgement {
  readonly nowSeconds: number;
  /** The live secrets of one of this clinic's webhooks; none where there is no such webhook. */
  secretsOf(webhookId: number): Promise<readonly string[]>;
}

export async function judge({ headers, body }: InboxRequest, judgement: Judgement): Promise<Verdict> {
  const id = headers[WEBHOOK_HEADERS.id];
  const webhookId = (id === undefined ? null : parseDeliveryId(id))?.webhookId ?? null;
  if (headers[WEBHOOK_HEADERS.signature] === undefined) return { reason: "no-signature", webhookId };
  const secrets = webhookId === null ? [] : await judgement.secretsOf(webhookId);
  if (secrets.length === 0) return { reason: "unknown-webhook", webhookId };
  const verification = await verify({ headers, body, secrets, nowSeconds: judgement.nowSeconds });
  return { reason: verification.ok ? null : verification.reason, webhookId };
}

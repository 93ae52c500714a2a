/**
 * Sending a finished delivery again: the same webhook-id and sequence, one new schedule, attempt numbers go on. It runs
 * outside the order of its subject: receivers use the subject's version (contract §7).
 */
import { CompiledQuery } from "kysely";
import type { Tx } from "../db/schema.ts";
import { conflict, notFound } from "../errors.ts";
import type { DeliveryKey } from "../outbox/identifiers.ts";
import { sqlFile } from "./sql-file.ts";

const RESEND = sqlFile("resend");

/**
 * Takes a finished delivery back into the hot table, due at once, and rings its webhook's bell.
 * Problems: 404 when there is none; 409 `still_waiting`, `webhook_off`, `test_not_resent` or `content_gone`; nothing is changed then.
 */
export async function resend(tx: Tx, clinicId: number, key: DeliveryKey): Promise<void> {
  // Brought back at once, so that of two resends at the same time one finds nothing; a refusal below rolls it back.
  const { rows } = await tx.executeQuery<{ test: boolean }>(
    CompiledQuery.raw(RESEND, [clinicId, key.eventId, key.webhookId, key.part]),
  );
  const [back] = rows;
  if (!back) return refuseUnfinished(tx, clinicId, key);
  if (back.test) throw conflict("test_not_resent", "A test is not sent again. Send a new test instead.");
  await refuseWhereItCannotGo(tx, clinicId, key);
}

async function refuseUnfinished(tx: Tx, clinicId: number, key: DeliveryKey): Promise<never> {
  const waiting = await tx
    .selectFrom("deliveries")
    .select("id")
    .where("clinic_id", "=", clinicId)
    .where("event_id", "=", key.eventId)
    .where("webhook_id", "=", key.webhookId)
    .where("part", "=", key.part)
    .executeTakeFirst();
  if (waiting)
    throw conflict("still_waiting", "This delivery is still on its way. It can be sent again once it has ended.");
  throw notFound("delivery");
}

async function refuseWhereItCannotGo(tx: Tx, clinicId: number, key: DeliveryKey): Promise<void> {
  const webhook = await tx
    .selectFrom("webhooks")
    .select("enabled")
    .where("clinic_id", "=", clinicId)
    .where("id", "=", key.webhookId)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
  if (!webhook)
    throw conflict("webhook_deleted", "The webhook of this delivery was deleted, so there is nowhere to send it.");
  if (!webhook.enabled) throw conflict("webhook_off", "The webhook of this delivery is off. Turn it on first.");
  const event = await tx
    .selectFrom("events")
    .select("id")
    .where("clinic_id", "=", clinicId)
    .where("id", "=", key.eventId)
    .where("facts", "is not", null)
    .executeTakeFirst();
  if (!event)
    throw conflict("content_gone", "The content of this delivery is no longer kept, so it cannot be sent again.");
}

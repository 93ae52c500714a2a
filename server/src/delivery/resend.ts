/**
 * Sending a finished delivery again: the same webhook-id and sequence, one new schedule, attempt numbers go on. It runs
 * outside the order of its subject: receivers use the subject's version (contract §7).
 */
import { sql } from "kysely";
import type { Tx } from "../db/schema.ts";
import { conflict, notFound } from "../errors.ts";
import type { DeliveryKey } from "../outbox/identifiers.ts";

/**
 * Takes a finished delivery back into the hot table, due at once, and rings its webhook's bell.
 * Problems: 404 when there is none; 409 `still_waiting`, `webhook_off`, `test_not_resent` or `content_gone`; nothing is changed then.
 */
export async function resend(tx: Tx, clinicId: number, key: DeliveryKey): Promise<void> {
  // Taken out at once, so that of two resends at the same time one finds nothing; a refusal below rolls it back.
  const finished = await tx
    .deleteFrom("finished_deliveries")
    .where("clinic_id", "=", clinicId)
    .where("event_id", "=", key.eventId)
    .where("webhook_id", "=", key.webhookId)
    .where("part", "=", key.part)
    .returningAll()
    .executeTakeFirst();
  if (!finished) return refuseUnfinished(tx, clinicId, key);
  if (finished.test) throw conflict("test_not_resent", "A test is not sent again. Send a new test instead.");
  await refuseWhereItCannotGo(tx, clinicId, key);
  await tx
    .insertInto("deliveries")
    .values({
      clinic_id: clinicId,
      webhook_id: key.webhookId,
      event_id: key.eventId,
      part: key.part,
      participants_per_request: finished.participants_per_request,
      order_key: sql<string>`'resend:' || gen_random_uuid()`,
      choice_practitioner: finished.choice_practitioner,
      choice_patient: finished.choice_patient,
      sequence: finished.sequence,
      attempt: finished.attempt,
      schedule_start: finished.attempt,
      created_at: finished.created_at,
    })
    .execute();
  await tx.insertInto("bells").values({ clinic_id: clinicId, webhook_id: key.webhookId }).execute();
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

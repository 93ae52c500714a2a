/**
 * What has become of the change that a notice of a late consult is about. A notice is written once; whether it still holds is
 * the delivery's to say, so that is read whenever the notice is.
 */
import { sql } from "kysely";
import type { Tx } from "../db/schema.ts";
import { parseDeliveryId } from "../outbox/identifiers.ts";

export const LATE_STATES = ["waiting", "delivered", "given_up", "cancelled"] as const;
export type LateState = (typeof LATE_STATES)[number];

export interface LateNow {
  readonly state: LateState;
  /** When it arrived; null where it has not. */
  readonly deliveredAt: Temporal.Instant | null;
}

interface Row {
  delivery: string;
  state: LateState;
  finished_at: Temporal.Instant | null;
}

/**
 * By delivery id; what is no longer kept is left out. As long as anything about the same consult waits, it counts as waiting:
 * there is one notice for all changes of a consult, and the last of them is what matters.
 */
export async function readLateNow(
  tx: Tx,
  clinicId: number,
  ids: readonly string[],
): Promise<ReadonlyMap<string, LateNow>> {
  const keys = ids.flatMap((delivery) => {
    const key = parseDeliveryId(delivery);
    return key === null ? [] : [{ delivery, ...key }];
  });
  if (keys.length === 0) return new Map();
  const { rows } = await sql<Row>`
    select k.delivery, case when w.waits then 'waiting' else f.state end as state,
      case when not w.waits and f.state = 'delivered' then f.finished_at end as finished_at
    from unnest(${keys.map((key) => key.delivery)}::text[], ${keys.map((key) => key.eventId)}::uuid[],
        ${keys.map((key) => key.webhookId)}::bigint[], ${keys.map((key) => key.part)}::smallint[])
        as k (delivery, event_id, webhook_id, part)
      cross join lateral (select exists (select from deliveries d where d.clinic_id = ${clinicId}
          and d.event_id = k.event_id and d.webhook_id = k.webhook_id and d.part = k.part)
        or exists (select from deliveries d where d.clinic_id = ${clinicId} and d.webhook_id = k.webhook_id
          and d.order_key = (select e.subject from events e where e.clinic_id = ${clinicId} and e.id = k.event_id))
        as waits) w
      left join finished_deliveries f on f.clinic_id = ${clinicId} and f.event_id = k.event_id
        and f.webhook_id = k.webhook_id and f.part = k.part
    where w.waits or f.state is not null`.execute(tx);
  return new Map(rows.map((row) => [row.delivery, { state: row.state, deliveredAt: row.finished_at }]));
}

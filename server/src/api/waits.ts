/**
 * What deliveries wait for and when each of them is tried next, as their list, a delivery alone and a pull tell it. Only
 * reads; it looks at WINDOW_ROWS deliveries of each parked webhook at most, besides those that are asked for.
 */
import { type RawBuilder, sql } from "kysely";
import type { Tx } from "../db/schema.ts";
import { WINDOW_ROWS } from "../delivery/store.ts";
import type { DeliveryKey } from "../outbox/identifiers.ts";
import { keyName, keyOf, rowsOf } from "./attempt-log.ts";
import { nextAttemptOf, type Waiting, waitingOf } from "./waiting.ts";

export interface Wait {
  readonly waiting: Waiting;
  /** Null where no time can be named. */
  readonly nextAttemptAt: Temporal.Instant | null;
  /** When it comes due, or came, whatever it waits for; null for never. */
  readonly dueAt: Temporal.Instant | null;
  /** While its receiver is parked: since when it has been failing. */
  readonly parkedSince: Temporal.Instant | null;
}

/** It has been begun, or has ended, since it was read as waiting: its turn has come. */
const JUST_LEFT: Wait = {
  waiting: { for: "turn", earlier: null },
  nextAttemptAt: null,
  dueAt: null,
  parkedSince: null,
};

/** Of those that were read as waiting; what is returned tells it of each of them. */
export async function readWaits(
  tx: Tx,
  clinicId: number,
  waiting: readonly DeliveryKey[],
): Promise<(key: DeliveryKey) => Wait> {
  if (waiting.length === 0) return () => JUST_LEFT;
  const { rows } = await waitsStatement(clinicId, waiting).execute(tx);
  const waits = new Map(rows.map((row) => [keyName(keyOf(row)), toWait(row)]));
  return (key) => waits.get(keyName(key)) ?? JUST_LEFT;
}

interface WaitRow {
  event_id: string;
  webhook_id: number;
  part: number;
  due_at: Temporal.Instant | null;
  due: boolean;
  enabled: boolean;
  paused: boolean;
  parked: boolean;
  /** While its receiver is parked; null while it is just being probed. */
  probe_at: Temporal.Instant | null;
  probed: boolean;
  failing_since: Temporal.Instant | null;
  /** The first of its subject's, where that is another one. */
  earlier_event_id: string | null;
  earlier_part: number | null;
}

function waitsStatement(clinicId: number, keys: readonly DeliveryKey[]): RawBuilder<WaitRow> {
  return sql<WaitRow>`
    with asked as materialized (select * from ${rowsOf(keys)}),
    -- Of each parked webhook the one that the next probe takes (take.sql, begin.sql): of the first of each subject what has
    -- been due for longest, or comes due first.
    probed as materialized (
      select p.webhook_id, t.id from (select distinct a.webhook_id from asked a) p
        join runs r on r.clinic_id = ${clinicId} and r.webhook_id = p.webhook_id and r.parked_at is not null
        cross join lateral (
          select x.id from (select d.id, d.order_key, d.due_at from deliveries d
            where d.clinic_id = ${clinicId} and d.webhook_id = p.webhook_id order by d.id limit ${WINDOW_ROWS}) x
          where x.due_at < 'infinity' and not exists (select from deliveries e where e.clinic_id = ${clinicId}
            and e.webhook_id = p.webhook_id and e.order_key = x.order_key and e.id < x.id)
          order by x.due_at, x.id limit 1) t)
    select d.event_id, d.webhook_id, d.part, case when d.due_at < 'infinity' then d.due_at end as due_at,
      d.due_at <= now() as due, w.enabled, w.paused, r.parked_at is not null as parked,
      case when r.parked_at is not null and r.next_at < 'infinity' then r.next_at end as probe_at,
      n.id is not distinct from d.id as probed,
      case when r.parked_at is not null then r.failing_since end as failing_since,
      h.event_id as earlier_event_id, h.part as earlier_part
    from asked a
      join deliveries d on d.clinic_id = ${clinicId} and d.event_id = a.event_id and d.webhook_id = a.webhook_id and d.part = a.part
      join webhooks w on w.clinic_id = d.clinic_id and w.id = d.webhook_id
      left join runs r on r.clinic_id = d.clinic_id and r.webhook_id = d.webhook_id
      left join probed n on n.webhook_id = d.webhook_id
      left join lateral (select e.event_id, e.part from deliveries e where e.clinic_id = d.clinic_id
        and e.webhook_id = d.webhook_id and e.order_key = d.order_key and e.id < d.id order by e.id limit 1) h on true
    where d.begun_at is null`;
}

function toWait(row: WaitRow): Wait {
  const { earlier_event_id: eventId, earlier_part: part, webhook_id: webhookId, due_at: dueAt } = row;
  const waiting = waitingOf({
    ...{ isEnabled: row.enabled, isPaused: row.paused, isParked: row.parked, isDue: row.due },
    earlier: eventId === null || part === null ? null : { eventId, webhookId, part },
  });
  const probeAt = row.probed ? row.probe_at : null;
  return { waiting, nextAttemptAt: nextAttemptOf(waiting, { dueAt, probeAt }), dueAt, parkedSince: row.failing_since };
}

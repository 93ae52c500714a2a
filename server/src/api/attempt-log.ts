/** Reading the attempts of deliveries, as they were written down. Only reads. */
import type { BlockChoice } from "@hookwell/sdk";
import { type RawBuilder, sql } from "kysely";
import type { Tx } from "../db/schema.ts";
import type { DeliveryKey } from "../outbox/identifiers.ts";

/** More attempts of one delivery than this are not shown; after a resend there may be many. */
const ATTEMPTS_SHOWN_MAX = 200;

export interface LoggedAttempt extends DeliveryKey {
  attempt: number;
  startedAt: Temporal.Instant;
  durationMs: number | null;
  outcome: string;
  status: number | null;
  choice: { practitioner: BlockChoice; patient: BlockChoice } | null;
  answer: Buffer | null;
  late: boolean;
}

/** The last attempt of each delivery, by `keyName`. */
export async function readLastAttempts(
  tx: Tx,
  clinicId: number,
  deliveries: readonly DeliveryKey[],
): Promise<Map<string, LoggedAttempt>> {
  if (deliveries.length === 0) return new Map();
  const { rows } = await sql<AttemptRow>`
    select a.* from ${rowsOf(deliveries)} cross join lateral (
      select * from attempts t where t.clinic_id = ${clinicId} and t.event_id = k.event_id and t.webhook_id = k.webhook_id
        and t.part = k.part order by t.attempt desc limit 1) a`.execute(tx);
  return new Map(rows.map(toAttempt).map((attempt) => [keyName(attempt), attempt]));
}

/** Keys as rows of a statement: `k (event_id, webhook_id, part)`. */
export function rowsOf(keys: readonly DeliveryKey[]): RawBuilder<unknown> {
  return sql`unnest(${keys.map((d) => d.eventId)}::uuid[], ${keys.map((d) => d.webhookId)}::bigint[],
    ${keys.map((d) => d.part)}::smallint[]) as k (event_id, webhook_id, part)`;
}

/** Of a row that belongs to one delivery. */
export function keyOf(row: { event_id: string; webhook_id: number; part: number }): DeliveryKey {
  return { eventId: row.event_id, webhookId: row.webhook_id, part: row.part };
}

/** What `readLastAttempts` keys its map by. */
export function keyName({ eventId, webhookId, part }: DeliveryKey): string {
  return `${eventId}/${webhookId}/${part}`;
}

/** The attempts of one delivery, oldest first. */
export async function readAttempts(tx: Tx, clinicId: number, key: DeliveryKey): Promise<LoggedAttempt[]> {
  const { rows } = await sql<AttemptRow>`
    select * from attempts where clinic_id = ${clinicId} and event_id = ${key.eventId}::uuid and webhook_id = ${key.webhookId}
      and part = ${key.part} order by attempt desc limit ${ATTEMPTS_SHOWN_MAX}`.execute(tx);
  return rows.map(toAttempt).reverse();
}

interface AttemptRow {
  event_id: string;
  webhook_id: number;
  part: number;
  attempt: number;
  started_at: Temporal.Instant;
  duration_ms: number | null;
  outcome: string;
  status: number | null;
  choice_practitioner: BlockChoice | null;
  choice_patient: BlockChoice | null;
  answer: Buffer | null;
  late: boolean;
}

function toAttempt(row: AttemptRow): LoggedAttempt {
  const { choice_practitioner: practitioner, choice_patient: patient } = row;
  return {
    eventId: row.event_id,
    webhookId: row.webhook_id,
    part: row.part,
    attempt: row.attempt,
    startedAt: row.started_at,
    durationMs: row.duration_ms,
    outcome: row.outcome,
    status: row.status,
    choice: practitioner === null || patient === null ? null : { practitioner, patient },
    answer: row.answer,
    late: row.late,
  };
}

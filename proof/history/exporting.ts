/**
 * The rows of a database as evidence, by plain SQL: whoever exports them need not know the program. Ids are put together
 * here, not by the program.
 */
import type { AttemptRow, DeliveryRow, EventRow } from "./history.ts";

/** What is needed of a connection; it must see all clinics. */
interface Queryable {
  query(text: string, values: unknown[]): Promise<{ rows: unknown[] }>;
}

export interface ExportedRows {
  events: EventRow[];
  deliveries: DeliveryRow[];
  attempts: AttemptRow[];
}

const hex = (column: string) => `replace(${column}::text, '-', '')`;
const id = (of: string) =>
  `'msg_' || ${hex(`${of}.event_id`)} || '_' || ${of}.webhook_id || case when ${of}.part = 0 then '' else '_' || ${of}.part end`;
const ms = (column: string) => `case when isfinite(${column}) then (extract(epoch from ${column}) * 1000)::float8 end`;

const EVENTS = `select clinic_id::text as clinic, ${hex("id")} as event, name, ${ms("occurred_at")} as "occurredMs", test
  from events where clinic_id = any ($1::bigint[])`;

const of = (table: string, more: string) => `
  select ${id("d")} as id, d.clinic_id::text as clinic, d.webhook_id::text as webhook, ${hex("d.event_id")} as event,
    coalesce(e.subject, '') as subject, coalesce(e.subject_version, 0)::float8 as version, d.test, d.sequence::float8 as sequence, d.attempt::int as attempts, ${more}
  from ${table} d left join events e on e.clinic_id = d.clinic_id and e.id = d.event_id where d.clinic_id = any ($1::bigint[])`;
const OPEN = of(
  "deliveries",
  `'open' as state, null as reason, d.begun_at is not null as begun, ${ms("d.due_at")} as "dueMs", null::float8 as "finishedMs"`,
);
const ENDED = of(
  "finished_deliveries",
  `d.state, d.reason, false as begun, null::float8 as "dueMs", ${ms("d.finished_at")} as "finishedMs"`,
);

const ATTEMPTS = `select ${id("a")} as id, a.webhook_id::text as webhook, a.attempt::int as attempt, ${ms("a.started_at")} as "startedMs",
    a.duration_ms::float8 as "durationMs", a.outcome, a.status::int as status, a.late
  from attempts a where a.clinic_id = any ($1::bigint[])`;

/** All rows of these clinics. Call it when nothing runs any more, or the tables do not belong together. */
export async function exportRows(database: Queryable, clinics: readonly (string | number)[]): Promise<ExportedRows> {
  const rows = async <Row>(text: string) => (await database.query(text, [clinics])).rows as Row[];
  const events = await rows<EventRow>(EVENTS);
  const deliveries = [...(await rows<DeliveryRow>(OPEN)), ...(await rows<DeliveryRow>(ENDED))];
  return { events, deliveries, attempts: await rows<AttemptRow>(ATTEMPTS) };
}

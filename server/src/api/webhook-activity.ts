/**
 * /v1/webhooks/activity: how each webhook did on each of the last seven days of the clinic, for the bars on its card. Only
 * reads. An event counts on the day on which it happened; tests and what was cancelled do not count. Counting stops at a
 * limit, so that a backlog of a million costs no more than a small one.
 */
import { sql } from "kysely";
import { z } from "zod";
import { getClinic } from "../clinic/clinics.ts";
import { instantOf } from "../clinic/times.ts";
import { inClinic } from "../db/pool.ts";
import type { Tx } from "../db/schema.ts";
import { lowestEventId } from "../outbox/identifiers.ts";
import type { ApiContext } from "./context.ts";
import type { App } from "./server.ts";

const DAYS = 7;
/** Of one kind, on one day, of one webhook. */
const COUNTED_MAX = 1_000;
/** More webhooks than a clinic may have. */
const WEBHOOKS_MAX = 200;

const COUNT = z.int().describe(`Counting stops at ${COUNTED_MAX}: then there are so many, or more.`);
const ACTIVITY = z.object({
  counted_max: z.int(),
  data: z.array(
    z.object({
      webhook_id: z.int(),
      days: z.array(z.object({ day: z.string(), delivered: COUNT, failed: COUNT, waiting: COUNT })),
    }),
  ),
});

/** To be registered where only managers come. */
export function activityRoute(app: App, context: ApiContext): void {
  app.get(
    "/webhooks/activity",
    { schema: { summary: "Read what each webhook delivered on the last seven days.", response: { 200: ACTIVITY } } },
    ({ principal: { clinicId } }) =>
      inClinic(context.db, clinicId, async (tx) => {
        const { timeZone } = await getClinic(tx, clinicId);
        const days = lastDays(context.clock.now(), timeZone);
        const rows = await countByDay(tx, clinicId, days);
        const ids = [...new Set(rows.map((row) => row.webhook_id))];
        return {
          counted_max: COUNTED_MAX,
          data: ids.map((id) => ({ webhook_id: id, days: rows.filter((row) => row.webhook_id === id).map(toDay) })),
        };
      }),
  );
}

interface Day {
  readonly day: string;
  readonly fromEventId: string;
  readonly toEventId: string;
}

/** The clinic's days, the oldest first, today last. */
function lastDays(now: Temporal.Instant, timeZone: string): Day[] {
  const today = now.toZonedDateTimeISO(timeZone).toPlainDate();
  const lowest = (date: Temporal.PlainDate) =>
    lowestEventId(instantOf(date.toPlainDateTime(), timeZone).epochMilliseconds);
  return Array.from({ length: DAYS }, (_, index) => {
    const day = today.subtract({ days: DAYS - 1 - index });
    return { day: day.toString(), fromEventId: lowest(day), toEventId: lowest(day.add({ days: 1 })) };
  });
}

interface Row {
  webhook_id: number;
  day: string;
  delivered: number;
  failed: number;
  waiting: number;
}

const toDay = ({ day, delivered, failed, waiting }: Row) => ({ day, delivered, failed, waiting });

async function countByDay(tx: Tx, clinicId: number, days: readonly Day[]): Promise<Row[]> {
  const finished = (
    state: "delivered" | "given_up",
  ) => sql`(select count(*)::int from (select from finished_deliveries d
      where d.clinic_id = ${clinicId} and d.webhook_id = w.id and d.event_id >= k.from_id and d.event_id < k.to_id
        and d.state = ${state} and not d.test limit ${COUNTED_MAX}) c)`;
  const { rows } = await sql<Row>`
    select w.id as webhook_id, k.day, ${finished("delivered")} as delivered, ${finished("given_up")} as failed,
      (select count(*)::int from (select from deliveries d where d.clinic_id = ${clinicId} and d.webhook_id = w.id
        and d.event_id >= k.from_id and d.event_id < k.to_id and not d.test limit ${COUNTED_MAX}) c) as waiting
    from (select id from webhooks where clinic_id = ${clinicId} and deleted_at is null and not draft
        order by id limit ${WEBHOOKS_MAX}) w
      cross join unnest(${days.map((d) => d.day)}::text[], ${days.map((d) => d.fromEventId)}::uuid[],
        ${days.map((d) => d.toEventId)}::uuid[]) as k (day, from_id, to_id)
    order by w.id, k.day`.execute(tx);
  return rows;
}

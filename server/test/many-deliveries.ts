/** Very many deliveries at once, straight into the tables, as a busy clinic has them after some weeks. */
import type pg from "pg";

const DAY_MS = 86_400_000;

export interface ManyDeliveries {
  readonly clinicId: number;
  /** The webhook of nearly all, and that of one in 2,000. */
  readonly busy: number;
  readonly quiet: number;
  readonly count: number;
  /** Over so many days before `newest`, in Unix milliseconds. */
  readonly days: number;
  readonly newest: number;
}

/**
 * One event a delivery, evenly over the days. One in 2,000 is of a rare event, failed or of the quiet webhook; one in 500
 * waits, for ever; and all of the first tenth failed.
 */
export async function fillDeliveries(owner: pg.Pool, many: ManyDeliveries): Promise<void> {
  const { clinicId, busy, quiet, count, days, newest } = many;
  await owner.query("select make_partitions((now() - make_interval(days => $1))::date, now()::date)", [days + 1]);
  await owner.query(
    `create table made as select n, case when n % 2000 = 3 then $2::bigint else $1::bigint end as webhook_id,
       (left(instant_bound(to_timestamp(($3::bigint - n * ($4::bigint / $5)) / 1000.0))::text, 14) || '7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid as id
     from generate_series(1, $5::int) n`,
    [busy, quiet, newest, days * DAY_MS, count],
  );
  await owner.query(
    `insert into events (clinic_id, id, name, subject, subject_version, facts)
     select $1, id, case when n % 2000 = 1 then 'invoice.created' else 'participant.added' end, 'consult:' || (n / 4), 1, null from made`,
    [clinicId],
  );
  await owner.query(
    `insert into deliveries (clinic_id, webhook_id, event_id, participants_per_request, order_key, choice_practitioner, choice_patient, due_at)
     select $1, webhook_id, id, 200, 'consult:' || (n / 4), 'off', 'off', 'infinity' from made where n % 500 = 7`,
    [clinicId],
  );
  await owner.query(
    `insert into finished_deliveries (clinic_id, event_id, webhook_id, part, participants_per_request, choice_practitioner,
       choice_patient, test, attempt, state, reason, created_at)
     select $1, id, webhook_id, 0, 200, 'off', 'off', false, 1,
       case when n % 2000 = 5 or n > 0.9 * $2::int then 'given_up' else 'delivered' end,
       case when n % 2000 = 5 or n > 0.9 * $2::int then 'schedule_ended' end,
       to_timestamp(($3::bigint - n * ($4::bigint / $2)) / 1000.0) from made where n % 500 <> 7`,
    [clinicId, count, newest, days * DAY_MS],
  );
  await owner.query("drop table made");
  await owner.query("analyze events, deliveries, finished_deliveries");
}

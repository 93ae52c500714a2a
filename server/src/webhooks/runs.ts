/**
 * What a change of a webhook means for its deliveries and for what the engine knows of its receiver: the few statements of
 * this room on the engine's tables. In which order locks are taken, delivery/store.ts says.
 */
import { sql } from "kysely";
import type { Store } from "./store.ts";

/** A new address has to answer once before it gets more than one request at a time, and has no past of its own. */
export async function startSlowly({ tx, clinicId }: Store, id: number): Promise<void> {
  await tx
    .updateTable("runs")
    .set({ answered_at: null, last_delivered_at: null, last_failed_at: null })
    .where("clinic_id", "=", clinicId)
    .where("webhook_id", "=", id)
    .execute();
}

/** Whatever was wrong, a manager has mended something: it is no longer parked, and its failures count from the start. */
export async function forgetFailures({ tx, clinicId }: Store, id: number): Promise<void> {
  await tx
    .updateTable("runs")
    .set({
      ...{ failures: 0, failing_since: null, parked_at: null, probes: 0, warned: 0, warned_at: null },
      // What has waited goes out at a rising rate.
      recovered_at: sql<Temporal.Instant | null>`case when failures > 0 or parked_at is not null then now() else recovered_at end`,
    })
    .where("clinic_id", "=", clinicId)
    .where("webhook_id", "=", id)
    .execute();
}

export async function ring({ tx, clinicId }: Store, id: number): Promise<void> {
  await tx.insertInto("bells").values({ clinic_id: clinicId, webhook_id: id }).execute();
}

/** Tests are not counted. What is on its way ends by itself, and its answer is written down. */
export async function dropWaiting({ tx, clinicId }: Store, id: number): Promise<number> {
  const { rows } = await sql<{ dropped: number }>`
    with gone as (
      delete from deliveries where clinic_id = ${clinicId} and webhook_id = ${id} and begun_at is null returning *),
    kept as (
      insert into finished_deliveries (clinic_id, event_id, webhook_id, part, participants_per_request,
        choice_practitioner, choice_patient, test, sequence, attempt, state, reason, created_at)
      select clinic_id, event_id, webhook_id, part, participants_per_request,
        choice_practitioner, choice_patient, test, sequence, attempt, 'cancelled', 'deleted', created_at from gone)
    select count(*)::int as dropped from gone where not test`.execute(tx);
  return rows[0]?.dropped ?? 0;
}

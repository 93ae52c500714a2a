/** A series as the clinic's own people see it: its rule, and each occurrence as it stands. */
import type { Tx } from "../db/schema.ts";
import { notFound } from "../errors.ts";
import { isIn } from "./consult-arrivals.ts";
import type { Repeats } from "./series-times.ts";

export interface SeriesView {
  readonly id: number;
  readonly every: Repeats["every"];
  readonly interval: number;
  /** In the order of their start. */
  readonly occurrences: readonly OccurrenceView[];
}

interface OccurrenceView {
  readonly id: number;
  readonly startsAt: Temporal.Instant;
  readonly durationMinutes: number;
  readonly cancelledAt: Temporal.Instant | null;
  /** Patients who are booked; in a cancelled one, those who would come back. */
  readonly patientIds: readonly number[];
}

/** @throws ProblemError 404 */
export async function getSeries(tx: Tx, clinicId: number, id: number): Promise<SeriesView> {
  const series = await tx
    .selectFrom("consult_series")
    .select(["id", "every", "every_count"])
    .where("clinic_id", "=", clinicId)
    .where("id", "=", id)
    .executeTakeFirstOrThrow(() => notFound("the series"));
  const consults = await tx
    .selectFrom("consults")
    .select(["id", "starts_at", "duration_minutes", "cancelled_at"])
    .where("clinic_id", "=", clinicId)
    .where("series_id", "=", id)
    .orderBy("starts_at")
    .orderBy("id")
    .execute();
  const participants = await tx
    .selectFrom("consult_participants as p")
    .innerJoin("consults as c", (join) =>
      join.onRef("c.clinic_id", "=", "p.clinic_id").onRef("c.id", "=", "p.consult_id"),
    )
    .select(["p.consult_id", "p.patient_id", "p.status", "p.arrival"])
    .where("c.clinic_id", "=", clinicId)
    .where("c.series_id", "=", id)
    .orderBy("p.place")
    .execute();
  const inConsult = Map.groupBy(participants.filter(isIn), ({ consult_id }) => consult_id);
  return {
    id: series.id,
    every: series.every,
    interval: series.every_count,
    occurrences: consults.map((row) => ({
      id: row.id,
      startsAt: row.starts_at,
      durationMinutes: row.duration_minutes,
      cancelledAt: row.cancelled_at,
      patientIds: (inConsult.get(row.id) ?? []).map(({ patient_id }) => patient_id),
    })),
  };
}

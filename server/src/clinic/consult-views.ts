/** Consults as the clinic's own people see them: every place, held and wait-listed too, room, notes and arrival. */
import { sql } from "kysely";
import type { Tx } from "../db/schema.ts";
import { invalid, notFound } from "../errors.ts";
import type { Arrival } from "./consult-arrivals.ts";
import type { PlaceStatus } from "./consult-changes.ts";
import type { PatientRow } from "./people.ts";
import type { ServiceKind } from "./services.ts";
import { readDate } from "./times.ts";

/** Clinic days that one list may span. */
const LIST_MAX_DAYS = 62;

export interface ConsultView {
  readonly id: number;
  readonly service: { readonly id: number; readonly name: string; readonly kind: ServiceKind };
  readonly practitioner: { readonly id: number; readonly name: string };
  readonly startsAt: Temporal.Instant;
  readonly durationMinutes: number;
  readonly cancelledAt: Temporal.Instant | null;
  readonly room: string | null;
  readonly notes: string | null;
  /** Null unless it is one of several that were scheduled together. */
  readonly seriesId: number | null;
  /** In the order in which they joined. */
  readonly participants: readonly ParticipantView[];
}

interface ParticipantView {
  readonly patient: PatientRow;
  readonly status: PlaceStatus;
  readonly arrival: Arrival;
}

/** @throws ProblemError 404 */
export async function getConsult(tx: Tx, clinicId: number, id: number): Promise<ConsultView> {
  const row = await consultRows(tx, clinicId).where("c.id", "=", id).executeTakeFirst();
  if (row === undefined) throw notFound("the consult");
  const [consult] = await withParticipants(tx, clinicId, [row]);
  if (consult === undefined) throw new Error(`the consult ${id} lost its row on the way`);
  return consult;
}

export interface ListConsults {
  readonly clinicId: number;
  readonly timeZone: string;
  /** Dates of the clinic, `YYYY-MM-DD`; `to` is the first day that is no longer wanted. */
  readonly from: string;
  readonly to: string;
  /** Only those in which this patient has a place, a cancelled one included. */
  readonly patientId?: number | undefined;
  /** The id of the last consult of the page before. */
  readonly after?: number | undefined;
  readonly limit: number;
}

/** Consults that start on the given days, in the order of their start. @throws ProblemError naming `from` or `to` */
export async function listConsults(tx: Tx, list: ListConsults): Promise<ConsultView[]> {
  const { clinicId, timeZone, patientId, after, limit } = list;
  const from = readDate("from", list.from);
  const to = readDate("to", list.to);
  const days = from.until(to, { largestUnit: "day" }).days;
  if (days < 1)
    throw invalid(
      "to",
      "The last day comes before the first. Choose a later one: it is not itself listed.",
      "day_range",
    );
  if (days > LIST_MAX_DAYS)
    throw invalid("to", `At most ${LIST_MAX_DAYS} days can be listed at once. Choose fewer.`, "day_range");
  let query = consultRows(tx, clinicId)
    .where("c.starts_at", ">=", from.toZonedDateTime(timeZone).toInstant())
    .where("c.starts_at", "<", to.toZonedDateTime(timeZone).toInstant());
  if (patientId !== undefined) {
    query = query.where(({ exists, selectFrom }) =>
      exists(
        selectFrom("consult_participants as p")
          .select("p.consult_id")
          .where("p.clinic_id", "=", clinicId)
          .whereRef("p.consult_id", "=", "c.id")
          .where("p.patient_id", "=", patientId),
      ),
    );
  }
  if (after !== undefined) {
    const last = sql`(select l.starts_at, l.id from consults l where l.clinic_id = ${clinicId} and l.id = ${after})`;
    query = query.where(sql<boolean>`(c.starts_at, c.id) > ${last}`);
  }
  const rows = await query.orderBy("c.starts_at").orderBy("c.id").limit(limit).execute();
  return withParticipants(tx, clinicId, rows);
}

function consultRows(tx: Tx, clinicId: number) {
  return tx
    .selectFrom("consults as c")
    .innerJoin("services as s", (join) =>
      join.onRef("s.clinic_id", "=", "c.clinic_id").onRef("s.id", "=", "c.service_id"),
    )
    .innerJoin("practitioners as p", (join) =>
      join.onRef("p.clinic_id", "=", "c.clinic_id").onRef("p.id", "=", "c.practitioner_id"),
    )
    .select(["c.id", "c.starts_at", "c.duration_minutes", "c.cancelled_at", "c.room", "c.notes", "c.series_id"])
    .select(["s.id as service_id", "s.name as service_name", "s.kind as service_kind"])
    .select(["p.id as practitioner_id", "p.name as practitioner_name"])
    .where("c.clinic_id", "=", clinicId);
}

type Row = Awaited<ReturnType<ReturnType<typeof consultRows>["execute"]>>[number];

async function withParticipants(tx: Tx, clinicId: number, rows: readonly Row[]): Promise<ConsultView[]> {
  const ids = rows.map(({ id }) => id);
  const participants = await tx
    .selectFrom("consult_participants as cp")
    .innerJoin("patients as p", (join) =>
      join.onRef("p.clinic_id", "=", "cp.clinic_id").onRef("p.id", "=", "cp.patient_id"),
    )
    .select(["cp.consult_id", "cp.status", "cp.arrival", "p.id", "p.name", "p.email"])
    .where("cp.clinic_id", "=", clinicId)
    .where("cp.consult_id", "=", sql<number>`any(${ids}::bigint[])`)
    .orderBy("cp.place")
    .execute();
  const byConsult = Map.groupBy(participants, ({ consult_id }) => consult_id);
  return rows.map((row) => ({
    id: row.id,
    service: { id: row.service_id, name: row.service_name, kind: row.service_kind },
    practitioner: { id: row.practitioner_id, name: row.practitioner_name },
    startsAt: row.starts_at,
    durationMinutes: row.duration_minutes,
    cancelledAt: row.cancelled_at,
    room: row.room,
    notes: row.notes,
    seriesId: row.series_id,
    participants: (byConsult.get(row.id) ?? []).map(({ id, name, email, status, arrival }) => {
      return { patient: { id, name, email }, status, arrival };
    }),
  }));
}

/**
 * Commands on a series of consults: schedule it, register a patient in all of it, take the patient out, change it, cancel it.
 *
 * Owns the rows of `consult_series`. A series only binds its occurrences together: each is a consult of its own, which may
 * be moved, changed and cancelled alone. Promises that a command on a series does with each live occurrence what the command
 * on that consult alone would do, so each makes its own events (contract §3 rule 8); that what is cancelled already stays as
 * it is; that all occurrences change or none does; and that time of day is the clinic's wall time (contract §5).
 */
import { sql } from "kysely";
import { conflict, invalid, notFound } from "../errors.ts";
import { getClinic } from "./clinics.ts";
import { hasLeft, takesPlace } from "./consult-arrivals.ts";
import { cancelAll } from "./consult-cancelling.ts";
import type { ConsultChanges, OpenConsult } from "./consult-changes.ts";
import { checkNewConsult, insertConsults, type NewConsult, ownPractitioner, ownService } from "./consults.ts";
import { type Place, refuseOverbooking, refuseStrangers, refuseTooMany, seat, takeOut } from "./participants.ts";
import { occurrencesOf, type Repeats } from "./series-times.ts";
import { checkDuration, getService, placesOf, type ServiceRow } from "./services.ts";
import { clinicTime, instantOf, readDate, readTimeOfDay } from "./times.ts";

/** Participants of all occurrences together: what one transaction writes, and tells of. */
export const SERIES_PLACES_MAX = 5_000;

export interface ScheduledSeries {
  readonly seriesId: number;
  /** In the order of their start. */
  readonly consultIds: readonly number[];
}

/** Schedules all occurrences at once, with the same patients in each. @throws ProblemError */
export async function scheduleSeries(
  changes: ConsultChanges,
  consult: NewConsult,
  repeats: Repeats,
): Promise<ScheduledSeries> {
  const { tx, clinicId } = changes;
  const { row, places, timeZone } = await checkNewConsult(changes, consult);
  const starts = occurrencesOf({ startTime: consult.startTime, timeZone }, repeats);
  if (starts.length * places.length > SERIES_PLACES_MAX) {
    throw invalid(
      "repeats",
      `Patients times consults may be ${SERIES_PLACES_MAX} at most. Schedule fewer consults at once.`,
      "too_many",
    );
  }
  const { id: seriesId } = await tx
    .insertInto("consult_series")
    .values({ clinic_id: clinicId, every: repeats.every, every_count: repeats.interval ?? 1 })
    .returning("id")
    .executeTakeFirstOrThrow();
  const rows = starts.map((startsAt) => ({ ...row, starts_at: startsAt, series_id: seriesId }));
  return { seriesId, consultIds: await insertConsults(changes, rows, places) };
}

/** Which occurrences of a series: those that are live and start on the clinic's day `from` or later; all, without one. */
export interface SeriesPart {
  readonly seriesId: number;
  readonly from?: string | undefined;
}

/**
 * A patient joins every occurrence in which the patient is not yet. The ids of the consults that were joined.
 * @throws ProblemError: unknown, or an occurrence is full: then the patient joins none
 */
export async function registerInSeries(
  changes: ConsultChanges,
  { patientId, ...part }: SeriesPart & { readonly patientId: number },
): Promise<number[]> {
  const place = { patientId, status: "booked" as const, field: "patient_id" };
  const consults = await openPart(changes, part);
  await refuseStrangers(changes, [place]);
  const joined = consults.filter((consult) => !isThere(consult, patientId));
  await refuseFull(changes, joined, place);
  const ids = joined.map(({ id }) => id);
  await seat(changes, ids, [place]);
  return ids;
}

/** A patient leaves every occurrence. The ids of the consults that were left. @throws ProblemError 404 */
export async function removeFromSeries(
  changes: ConsultChanges,
  { patientId, ...part }: SeriesPart & { readonly patientId: number },
): Promise<number[]> {
  const consults = await openPart(changes, part);
  const ids = consults.filter((consult) => isThere(consult, patientId)).map(({ id }) => id);
  if (ids.length === 0) throw notFound("the participant");
  await takeOut(changes, ids, patientId);
  return ids;
}

/** Cancels every occurrence. The ids of the consults that were cancelled. @throws ProblemError */
export async function cancelSeries(changes: ConsultChanges, part: SeriesPart): Promise<number[]> {
  const consults = await openPart(changes, part);
  const ids = consults.map(({ id }) => id);
  await cancelAll(changes, ids);
  return ids;
}

/** What is absent stays as each occurrence has it. */
export interface SeriesChange {
  /** On the clinic's clock, `18:00`; each occurrence keeps its day. */
  readonly timeOfDay?: string | undefined;
  readonly durationMinutes?: number | undefined;
  readonly serviceId?: number | undefined;
  readonly practitionerId?: number | undefined;
}

/** Changes every occurrence. The ids of the consults that are not as they were. @throws ProblemError naming the field */
export async function changeSeries(changes: ConsultChanges, part: SeriesPart, change: SeriesChange): Promise<number[]> {
  const { tx, clinicId } = changes;
  const consults = await openPart(changes, part);
  const apply = await checkChange(changes, consults, change);
  const changed = consults.map((consult) => ({ before: consult, after: apply(consult) })).filter(isChanged);
  const after = changed.map((one) => one.after);
  const ids = after.map(({ id }) => id);
  await sql`
    update consults c set starts_at = n.starts_at, duration_minutes = n.duration_minutes, service_id = n.service_id,
      practitioner_id = n.practitioner_id
    from unnest(${ids}::bigint[], ${after.map(({ startsAt }) => startsAt.toString())}::timestamptz[],
        ${after.map(({ durationMinutes }) => durationMinutes)}::int[], ${after.map(({ serviceId }) => serviceId)}::bigint[],
        ${after.map(({ practitionerId }) => practitionerId)}::bigint[])
      as n (id, starts_at, duration_minutes, service_id, practitioner_id)
    where c.clinic_id = ${clinicId} and c.id = n.id`.execute(tx);
  return ids;
}

type Occurrence = Pick<OpenConsult, "id" | "startsAt" | "durationMinutes" | "serviceId" | "practitionerId">;

/** What the change makes of each occurrence, once it is known to be possible for all. @throws ProblemError */
async function checkChange(changes: ConsultChanges, consults: readonly OpenConsult[], change: SeriesChange) {
  const { timeZone } = await getClinic(changes.tx, changes.clinicId);
  const time = change.timeOfDay === undefined ? null : readTimeOfDay("start_time", change.timeOfDay);
  const minutes = change.durationMinutes === undefined ? null : checkDuration(change.durationMinutes);
  const practitionerId =
    change.practitionerId === undefined ? null : await ownPractitioner(changes, change.practitionerId);
  const service = change.serviceId === undefined ? null : await ownService(changes, change.serviceId);
  for (const { serviceId, participants } of consults) {
    if (service === null || service.id === serviceId) continue;
    refuseOverbooking(
      service,
      [],
      participants.map((one) => ({ ...one, field: "service_id" })),
    );
  }
  return (consult: OpenConsult): Occurrence => ({
    id: consult.id,
    startsAt: time === null ? consult.startsAt : atTime(consult.startsAt, time, timeZone),
    durationMinutes: minutes ?? consult.durationMinutes,
    serviceId: service?.id ?? consult.serviceId,
    practitionerId: practitionerId ?? consult.practitionerId,
  });
}

function atTime(startsAt: Temporal.Instant, time: Temporal.PlainTime, timeZone: string): Temporal.Instant {
  const day = startsAt.toZonedDateTimeISO(timeZone).toPlainDate();
  return instantOf(day.toPlainDateTime(time), timeZone);
}

function isChanged({ before, after }: { before: Occurrence; after: Occurrence }): boolean {
  return (
    !before.startsAt.equals(after.startsAt) ||
    before.durationMinutes !== after.durationMinutes ||
    before.serviceId !== after.serviceId ||
    before.practitionerId !== after.practitionerId
  );
}

/** Locks the live occurrences of the part and reads them as they stand, in the order of their start. */
async function openPart(changes: ConsultChanges, { seriesId, from }: SeriesPart): Promise<OpenConsult[]> {
  const { tx, clinicId } = changes;
  const { timeZone } = await getClinic(tx, clinicId);
  const start = from === undefined ? null : readDate("from", from).toZonedDateTime(timeZone).toInstant();
  const rows = await tx
    .selectFrom("consults")
    .select("id")
    .where("clinic_id", "=", clinicId)
    .where("series_id", "=", seriesId)
    .execute();
  // A series never loses its occurrences: without any there is no such series.
  if (rows.length === 0) throw notFound("the series");
  const consults = await changes.lock(rows.map(({ id }) => id));
  const part = [...consults.values()]
    .filter(({ cancelledAt, startsAt }) => {
      return cancelledAt === null && (start === null || Temporal.Instant.compare(startsAt, start) >= 0);
    })
    .sort((a, b) => Temporal.Instant.compare(a.startsAt, b.startsAt) || a.id - b.id);
  refuseTooLarge(part);
  return part;
}

function refuseTooLarge(consults: readonly OpenConsult[]): void {
  const places = consults.reduce((sum, { participants }) => sum + participants.length, 0);
  if (places <= SERIES_PLACES_MAX) return;
  throw conflict(
    "series_too_large",
    `These consults have more than ${SERIES_PLACES_MAX} participants together. Choose a later first day, or take them one by one.`,
    "from",
  );
}

function isThere({ participants }: OpenConsult, patientId: number): boolean {
  return participants.some((one) => one.patientId === patientId && !hasLeft(one));
}

/** All or none: says how many are full, and which is the first. */
async function refuseFull(changes: ConsultChanges, consults: readonly OpenConsult[], place: Place): Promise<void> {
  const services = await servicesOf(changes, consults);
  const full = consults.filter(({ serviceId, participants }) => {
    refuseTooMany(participants.length, [place]);
    const service = services.get(serviceId);
    return service !== undefined && participants.filter(takesPlace).length >= placesOf(service);
  });
  const [first] = full;
  if (first === undefined) return;
  const { timeZone } = await getClinic(changes.tx, changes.clinicId);
  throw conflict(
    "consult_full",
    `No place is left in ${full.length} of these consults; the first is on ${clinicTime(first.startsAt, timeZone).slice(0, 10)}. Choose a later first day, or add the patient to each one alone.`,
    place.field,
  );
}

/** The services of some consults, each read once. */
async function servicesOf(
  { tx, clinicId }: ConsultChanges,
  consults: readonly OpenConsult[],
): Promise<Map<number, ServiceRow>> {
  const services = new Map<number, ServiceRow>();
  for (const id of new Set(consults.map(({ serviceId }) => serviceId))) {
    services.set(id, await getService(tx, clinicId, id));
  }
  return services;
}

/**
 * Commands on consults: schedule and change. Cancelling and restoring are in consult-cancelling.ts, series in series.ts.
 *
 * Owns the rows of `consults`. Promises that a consult's service, practitioner and patients belong to its clinic, and that a
 * refused command changes nothing. Events are not made here but by the unit of work, once per transaction.
 */
import type { Insertable } from "kysely";
import type { Database } from "../db/schema.ts";
import { notFound } from "../errors.ts";
import { getClinic } from "./clinics.ts";
import { cancelledAlready } from "./consult-cancelling.ts";
import type { ConsultChanges, OpenConsult, PlaceStatus } from "./consult-changes.ts";
import { cleanNotes, cleanRoom } from "./names.ts";
import { checkSeating, checkSwap, type Place, refuseOverbooking, seat } from "./participants.ts";
import { checkDuration, findService, getService, type ServiceRow } from "./services.ts";
import { readTime } from "./times.ts";

export interface NewConsult {
  readonly serviceId: number;
  readonly practitionerId: number;
  /** RFC 3339 with an offset, or a local time of the clinic without one. */
  readonly startTime: string;
  /** The service's, where absent. */
  readonly durationMinutes?: number | undefined;
  /** Each is booked. */
  readonly patientIds?: readonly number[] | undefined;
  readonly participants?: readonly { readonly patientId: number; readonly status: PlaceStatus }[] | undefined;
  readonly room?: string | null | undefined;
  readonly notes?: string | null | undefined;
}

/** Schedules a consult and returns its id. Back-dated ones are as good as any (contract §3 rule 8). @throws ProblemError */
export async function scheduleConsult(changes: ConsultChanges, consult: NewConsult): Promise<number> {
  const { row, places } = await checkNewConsult(changes, consult);
  const [id] = await insertConsults(changes, [row], places);
  if (id === undefined) throw new Error("a consult was inserted without an id");
  return id;
}

type ConsultRow = Insertable<Database["consults"]>;

/** What is needed to insert a consult that was found good. Changes nothing. @throws ProblemError */
export async function checkNewConsult(changes: ConsultChanges, consult: NewConsult) {
  const { timeZone } = await getClinic(changes.tx, changes.clinicId);
  const service = await ownService(changes, consult.serviceId);
  const row: ConsultRow = {
    clinic_id: changes.clinicId,
    service_id: service.id,
    practitioner_id: await ownPractitioner(changes, consult.practitionerId),
    starts_at: readTime("start_time", consult.startTime, timeZone),
    duration_minutes: checkDuration(consult.durationMinutes ?? service.durationMinutes),
    room: cleanRoom("room", consult.room ?? null),
    notes: cleanNotes("notes", consult.notes ?? null),
  };
  const places = placesWanted(consult);
  await checkSeating(changes, { service, present: [], places });
  return { row, places, timeZone };
}

/** Inserts consults with the same places in each; their ids, in the order of the rows. */
export async function insertConsults(
  changes: ConsultChanges,
  rows: readonly ConsultRow[],
  places: readonly Place[],
): Promise<number[]> {
  const inserted = await changes.tx.insertInto("consults").values(rows).returning("id").execute();
  const ids = inserted.map(({ id }) => id);
  for (const id of ids) changes.created(id);
  await seat(changes, ids, places);
  return ids;
}

function placesWanted({ patientIds = [], participants = [] }: NewConsult): Place[] {
  return [
    ...patientIds.map((patientId, at) => ({ patientId, status: "booked" as const, field: `patient_ids.${at}` })),
    ...participants.map(({ patientId, status }, at) => ({ patientId, status, field: `participants.${at}.patient_id` })),
  ];
}

/** What is absent stays as it is. */
export interface ConsultChange {
  readonly startTime?: string | undefined;
  readonly durationMinutes?: number | undefined;
  readonly serviceId?: number | undefined;
  readonly practitionerId?: number | undefined;
  /** Another patient of a one-to-one consult. */
  readonly patientId?: number | undefined;
  readonly room?: string | null | undefined;
  readonly notes?: string | null | undefined;
}

/**
 * Changes a consult. Saving what is already there is no change, on a cancelled consult too.
 * @throws ProblemError naming the field; 409 when the appointment of a cancelled consult would change
 */
export async function changeConsult(changes: ConsultChanges, id: number, change: ConsultChange): Promise<void> {
  const { tx, clinicId } = changes;
  const consult = await changes.open(id);
  const appointment = await newAppointment(changes, consult, change);
  if (consult.cancelledAt !== null && Object.keys(appointment).length > 0) throw cancelledAlready();
  const values = {
    ...appointment,
    ...(change.room === undefined ? {} : { room: cleanRoom("room", change.room) }),
    ...(change.notes === undefined ? {} : { notes: cleanNotes("notes", change.notes) }),
  };
  const swap = await swapFor(changes, consult, change);
  if (Object.keys(values).length > 0) {
    await tx.updateTable("consults").set(values).where("clinic_id", "=", clinicId).where("id", "=", id).execute();
  }
  await swap?.();
}

/** What puts another patient in the place; null where none is asked for. */
async function swapFor(changes: ConsultChanges, consult: OpenConsult, { patientId, serviceId }: ConsultChange) {
  if (patientId === undefined) return null;
  const service = await getService(changes.tx, changes.clinicId, serviceId ?? consult.serviceId);
  return checkSwap(changes, consult, { service, patientId });
}

/** The columns of the appointment that really change. */
async function newAppointment(changes: ConsultChanges, consult: OpenConsult, change: ConsultChange) {
  const startsAt = change.startTime === undefined ? consult.startsAt : await readStart(changes, change.startTime);
  const minutes =
    change.durationMinutes === undefined ? consult.durationMinutes : checkDuration(change.durationMinutes);
  const { serviceId = consult.serviceId, practitionerId = consult.practitionerId } = change;
  return {
    ...(startsAt.equals(consult.startsAt) ? {} : { starts_at: startsAt }),
    ...(minutes === consult.durationMinutes ? {} : { duration_minutes: minutes }),
    ...(serviceId === consult.serviceId ? {} : { service_id: await fittingService(changes, consult, serviceId) }),
    ...(practitionerId === consult.practitionerId
      ? {}
      : { practitioner_id: await ownPractitioner(changes, practitionerId) }),
  };
}

async function readStart(changes: ConsultChanges, text: string): Promise<Temporal.Instant> {
  const { timeZone } = await getClinic(changes.tx, changes.clinicId);
  return readTime("start_time", text, timeZone);
}

/** Another service may have fewer places than are taken. */
async function fittingService(changes: ConsultChanges, consult: OpenConsult, serviceId: number): Promise<number> {
  const service = await ownService(changes, serviceId);
  refuseOverbooking(
    service,
    [],
    consult.participants.map((one) => ({ ...one, field: "service_id" })),
  );
  return service.id;
}

/** The clinic's own service. @throws ProblemError 404 naming `service_id` */
export async function ownService({ tx, clinicId }: ConsultChanges, id: number): Promise<ServiceRow> {
  const service = await findService(tx, clinicId, id);
  if (service === undefined) throw notFound("the service", "service_id");
  return service;
}

/** The id again, once it is known to be the clinic's own. @throws ProblemError 404 naming `practitioner_id` */
export async function ownPractitioner({ tx, clinicId }: ConsultChanges, id: number): Promise<number> {
  const own = tx.selectFrom("practitioners").select("id").where("clinic_id", "=", clinicId).where("id", "=", id);
  await own.executeTakeFirstOrThrow(() => notFound("the practitioner", "practitioner_id"));
  return id;
}

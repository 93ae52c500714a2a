/**
 * Commands on consults: schedule, change, cancel, restore.
 *
 * Owns the rows of `consults`. Promises that a consult's service, practitioner and patients belong to its clinic, that a
 * cancelled consult keeps its appointment and its participants so that it can be restored with the same ids, and that a
 * refused command changes nothing. Events are not made here but by the unit of work, once per transaction.
 */
import { notFound } from "../errors.ts";
import { getClinic } from "./clinics.ts";
import type { ConsultChanges, OpenConsult, PlaceStatus } from "./consult-changes.ts";
import { cleanNotes, cleanRoom } from "./names.ts";
import { cancelledAlready, checkSeating, type Place, refuseOverbooking, seat } from "./participants.ts";
import { checkDuration, findService, type ServiceRow } from "./services.ts";
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
  const { tx, clinicId } = changes;
  const { timeZone } = await getClinic(tx, clinicId);
  const service = await ownService(changes, consult.serviceId);
  const values = {
    clinic_id: clinicId,
    service_id: service.id,
    practitioner_id: await ownPractitioner(changes, consult.practitionerId),
    starts_at: readTime("start_time", consult.startTime, timeZone),
    duration_minutes: checkDuration(consult.durationMinutes ?? service.durationMinutes),
    room: cleanRoom("room", consult.room ?? null),
    notes: cleanNotes("notes", consult.notes ?? null),
  };
  const places = placesWanted(consult);
  await checkSeating(changes, { service, present: [], places });
  const { id } = await tx.insertInto("consults").values(values).returning("id").executeTakeFirstOrThrow();
  changes.created(id);
  await seat(changes, id, places);
  return id;
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
  if (Object.keys(values).length === 0) return;
  await tx.updateTable("consults").set(values).where("clinic_id", "=", clinicId).where("id", "=", id).execute();
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
    consult.participants.map(({ status }) => ({ status, field: "service_id" })),
  );
  return service.id;
}

/** Takes everybody out at once; their places are kept for a restore. Cancelled already: nothing. @throws ProblemError 404 */
export async function cancelConsult(changes: ConsultChanges, id: number): Promise<void> {
  const consult = await changes.open(id);
  if (consult.cancelledAt === null) await setCancelled(changes, id, changes.context.outbox.clock.now());
}

/** Undoes a cancellation, with the same participants. Not cancelled: nothing. @throws ProblemError 404 */
export async function restoreConsult(changes: ConsultChanges, id: number): Promise<void> {
  const consult = await changes.open(id);
  if (consult.cancelledAt !== null) await setCancelled(changes, id, null);
}

async function setCancelled({ tx, clinicId }: ConsultChanges, id: number, at: Temporal.Instant | null): Promise<void> {
  await tx
    .updateTable("consults")
    .set({ cancelled_at: at })
    .where("clinic_id", "=", clinicId)
    .where("id", "=", id)
    .execute();
}

async function ownService({ tx, clinicId }: ConsultChanges, id: number): Promise<ServiceRow> {
  const service = await findService(tx, clinicId, id);
  if (service === undefined) throw notFound("the service", "service_id");
  return service;
}

async function ownPractitioner({ tx, clinicId }: ConsultChanges, id: number): Promise<number> {
  const own = tx.selectFrom("practitioners").select("id").where("clinic_id", "=", clinicId).where("id", "=", id);
  await own.executeTakeFirstOrThrow(() => notFound("the practitioner", "practitioner_id"));
  return id;
}

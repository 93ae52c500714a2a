/**
 * Commands on a consult's participants: add, change, remove, move.
 *
 * Owns the rows of `consult_participants` and the question whether there is room. A booked or held place is taken; a
 * wait-listed one is not. Only booked patients are "in" the consult for the outside world (contract §1, §3), which the
 * unit of work looks after.
 */
import { sql } from "kysely";
import { conflict, invalid, notFound, type ProblemError } from "../errors.ts";
import type { Arrival, ConsultChanges, OpenConsult, ParticipantRow, PlaceStatus } from "./consult-changes.ts";
import { getService, placesOf, type ServiceRow } from "./services.ts";

/** Booked, held and wait-listed together; also what one event can list. */
export const PARTICIPANTS_MAX = 1_000;

/** A place that is asked for; `field` is where its patient stood in the request. */
export interface Place {
  readonly patientId: number;
  readonly status: PlaceStatus;
  readonly field: string;
}

export interface Seating {
  readonly service: ServiceRow;
  readonly present: readonly ParticipantRow[];
  readonly places: readonly Place[];
}

/** Tells whether all of the places can be given. Changes nothing. @throws ProblemError naming the place's field */
export async function checkSeating(changes: ConsultChanges, { service, present, places }: Seating): Promise<void> {
  if (places.length === 0) return;
  refuseTooMany(present.length, places);
  refuseTwice(present, places);
  await refuseStrangers(changes, places);
  refuseOverbooking(service, [...present, ...places]);
}

/** Gives places that `checkSeating` has found possible. */
export async function seat(changes: ConsultChanges, consultId: number, places: readonly Place[]): Promise<void> {
  if (places.length === 0) return;
  const rows = places.map(({ patientId, status }) => {
    return { clinic_id: changes.clinicId, consult_id: consultId, patient_id: patientId, status };
  });
  await changes.tx.insertInto("consult_participants").values(rows).execute();
}

export interface NewParticipant {
  readonly consultId: number;
  readonly patientId: number;
  /** Booked, where absent. */
  readonly status?: PlaceStatus | undefined;
}

/** A patient joins a consult. @throws ProblemError: cancelled, full, already in it, unknown */
export async function addParticipant(changes: ConsultChanges, participant: NewParticipant): Promise<void> {
  const { consultId, patientId, status = "booked" } = participant;
  const consult = await changes.open(consultId);
  if (consult.cancelledAt !== null) throw cancelledAlready();
  const service = await getService(changes.tx, changes.clinicId, consult.serviceId);
  const places = [{ patientId, status, field: "patient_id" }];
  await checkSeating(changes, { service, present: consult.participants, places });
  await seat(changes, consultId, places);
}

export interface ParticipantKey {
  readonly consultId: number;
  readonly patientId: number;
}

export interface ParticipantChange extends ParticipantKey {
  readonly status?: PlaceStatus | undefined;
  readonly arrival?: Arrival | undefined;
}

/** Books a held place, notes an arrival, … Saving what is already there is no change. @throws ProblemError */
export async function changeParticipant(changes: ConsultChanges, change: ParticipantChange): Promise<void> {
  const { consultId, patientId } = change;
  const consult = await changes.open(consultId);
  const participant = participantOf(consult, patientId);
  const { status = participant.status, arrival = participant.arrival } = change;
  if (status !== participant.status) {
    if (consult.cancelledAt !== null) throw cancelledAlready("status");
    const service = await getService(changes.tx, changes.clinicId, consult.serviceId);
    const others = consult.participants.filter((other) => other !== participant);
    refuseOverbooking(service, [...others, { status, field: "status" }]);
  }
  const { tx, clinicId } = changes;
  await tx
    .updateTable("consult_participants")
    .set({ status, arrival })
    .where("clinic_id", "=", clinicId)
    .where("consult_id", "=", consultId)
    .where("patient_id", "=", patientId)
    .execute();
}

/** A patient leaves a consult; whoever was booked makes a `participant.removed`. @throws ProblemError */
export async function removeParticipant(changes: ConsultChanges, key: ParticipantKey): Promise<void> {
  const consult = await changes.open(key.consultId);
  participantOf(consult, key.patientId);
  if (consult.cancelledAt !== null) throw cancelledAlready();
  await takeOut(changes, key);
}

export interface Move extends ParticipantKey {
  readonly toConsultId: number;
}

/** A patient leaves one consult for another and keeps the kind of place: two events (contract §3 rule 7). @throws ProblemError */
export async function moveParticipant(changes: ConsultChanges, { toConsultId, ...key }: Move): Promise<void> {
  if (toConsultId === key.consultId) {
    throw invalid("to_consult_id", "The patient is in this consult already. Choose another consult.", "already_there");
  }
  await changes.lock([key.consultId, toConsultId]);
  const from = await changes.open(key.consultId);
  const to = await changes.open(toConsultId, "to_consult_id");
  const { status } = participantOf(from, key.patientId);
  if (from.cancelledAt !== null) throw cancelledAlready();
  if (to.cancelledAt !== null) throw cancelledAlready("to_consult_id");
  const service = await getService(changes.tx, changes.clinicId, to.serviceId);
  const places = [{ patientId: key.patientId, status, field: "to_consult_id" }];
  await checkSeating(changes, { service, present: to.participants, places });
  await takeOut(changes, key);
  await seat(changes, to.id, places);
}

async function takeOut({ tx, clinicId }: ConsultChanges, { consultId, patientId }: ParticipantKey): Promise<void> {
  await tx
    .deleteFrom("consult_participants")
    .where("clinic_id", "=", clinicId)
    .where("consult_id", "=", consultId)
    .where("patient_id", "=", patientId)
    .execute();
}

/** The answer to a change of a cancelled consult. */
export function cancelledAlready(field?: string): ProblemError {
  return conflict("consult_cancelled", "This consult is cancelled. Restore it first, then change it.", field);
}

/**
 * Refuses more booked and held places than the service has. A wait-listed place always fits.
 * @throws ProblemError naming the field of the first place that does not fit
 */
export function refuseOverbooking(
  service: Pick<ServiceRow, "kind" | "capacity">,
  places: readonly { readonly status: PlaceStatus; readonly field?: string }[],
): void {
  const taken = places.filter(({ status }) => status !== "wait_listed");
  const free = placesOf(service);
  const surplus = taken[free];
  if (surplus === undefined) return;
  throw conflict("consult_full", full(service, free), surplus.field);
}

function full({ kind }: Pick<ServiceRow, "kind">, places: number): string {
  if (kind === "one_to_one") {
    return "A one-to-one consult has one place, and it is taken. Remove that patient first, or use the wait list.";
  }
  return `This consult has ${places} places, and more would be taken. Use the wait list, or choose another consult.`;
}

function participantOf(consult: OpenConsult, patientId: number): ParticipantRow {
  const participant = consult.participants.find((one) => one.patientId === patientId);
  if (participant === undefined) throw notFound("the participant");
  return participant;
}

function refuseTooMany(present: number, places: readonly Place[]): void {
  const surplus = places[PARTICIPANTS_MAX - present];
  if (surplus === undefined) return;
  throw invalid(
    surplus.field,
    `A consult has at most ${PARTICIPANTS_MAX} participants. Schedule a second one for the rest.`,
    "too_many",
  );
}

function refuseTwice(present: readonly ParticipantRow[], places: readonly Place[]): void {
  const seated = new Set(present.map(({ patientId }) => patientId));
  for (const { patientId, field } of places) {
    if (seated.has(patientId)) {
      throw conflict(
        "already_in_consult",
        "This patient is in this consult already. Leave the patient out here.",
        field,
      );
    }
    seated.add(patientId);
  }
}

/** Patients of other clinics are strangers like those who do not exist. */
async function refuseStrangers({ tx, clinicId }: ConsultChanges, places: readonly Place[]): Promise<void> {
  const ids = places.map(({ patientId }) => patientId);
  const own = await tx
    .selectFrom("patients")
    .select("id")
    .where("clinic_id", "=", clinicId)
    .where("id", "=", sql<number>`any(${ids}::bigint[])`)
    .execute();
  const known = new Set(own.map(({ id }) => id));
  const stranger = places.find(({ patientId }) => !known.has(patientId));
  if (stranger !== undefined) throw notFound("the patient", stranger.field);
}

/**
 * Commands on a consult's participants: add, change, remove, move, and one patient in another's place.
 *
 * Owns the rows of `consult_participants` and the question whether there is room. A booked or held place is taken; a
 * wait-listed one, or that of a patient who has cancelled late, is not. Only booked patients are "in" the consult for the
 * outside world (contract §1, §3), which the unit of work looks after.
 */
import { sql } from "kysely";
import { conflict, invalid, notFound } from "../errors.ts";
import { type Arrival, hasLeft, isIn, takesPlace } from "./consult-arrivals.ts";
import { cancelAll, cancelledAlready } from "./consult-cancelling.ts";
import {
  among,
  type ConsultChanges,
  type OpenConsult,
  type ParticipantRow,
  type PlaceStatus,
} from "./consult-changes.ts";
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
  refuseOverbooking(service, present, places);
}

/** Gives places that `checkSeating` has found possible, in each of the consults. */
export async function seat(
  { tx, clinicId }: ConsultChanges,
  consultIds: readonly number[],
  places: readonly Omit<Place, "field">[],
): Promise<void> {
  if (consultIds.length === 0 || places.length === 0) return;
  const patientIds = places.map(({ patientId }) => patientId);
  const statuses = places.map(({ status }) => status);
  // One statement however many places. A patient who cancelled late and comes back takes a new place in the row that is there.
  await sql`
    insert into consult_participants (clinic_id, consult_id, patient_id, status)
    select ${clinicId}::bigint, c.id, p.patient_id, p.status
    from unnest(${[...consultIds]}::bigint[]) with ordinality as c (id, at)
      cross join unnest(${patientIds}::bigint[], ${statuses}::text[]) with ordinality as p (patient_id, status, at)
    order by c.at, p.at
    on conflict (clinic_id, consult_id, patient_id)
      do update set status = excluded.status, arrival = 'expected', place = default`.execute(tx);
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
  await seat(changes, [consultId], places);
}

export interface ParticipantKey {
  readonly consultId: number;
  readonly patientId: number;
}

export interface ParticipantChange extends ParticipantKey {
  readonly status?: PlaceStatus | undefined;
  readonly arrival?: Arrival | undefined;
}

/**
 * Books a held place, notes how the patient came, … A status that gives the place up takes the patient out; a one-to-one
 * consult is cancelled with it (contract §3 rule 9). Saving what is already there is no change. @throws ProblemError
 */
export async function changeParticipant(changes: ConsultChanges, change: ParticipantChange): Promise<void> {
  const { tx, clinicId } = changes;
  const { consultId, patientId } = change;
  const consult = await changes.open(consultId);
  const before = participantOf(consult, patientId);
  const after = { status: change.status ?? before.status, arrival: change.arrival ?? before.arrival };
  const field = after.status === before.status ? "arrival" : "status";
  const isLive = consult.cancelledAt === null;
  if (!isLive && (field === "status" || (hasLeft(before) && !hasLeft(after)))) throw cancelledAlready(field);
  const service = await getService(tx, clinicId, consult.serviceId);
  if (takesPlace(after) && !takesPlace(before)) {
    const others = consult.participants.filter((other) => other !== before);
    refuseOverbooking(service, others, [{ ...after, field }]);
  }
  await tx
    .updateTable("consult_participants")
    .set(after)
    .where("clinic_id", "=", clinicId)
    .where("consult_id", "=", consultId)
    .where("patient_id", "=", patientId)
    .execute();
  const leaves = isIn(before) && hasLeft(after);
  if (isLive && leaves && service.kind === "one_to_one") await cancelAll(changes, [consultId]);
}

/** A patient leaves a consult; whoever was booked makes a `participant.removed`. @throws ProblemError */
export async function removeParticipant(changes: ConsultChanges, key: ParticipantKey): Promise<void> {
  const consult = await changes.open(key.consultId);
  participantOf(consult, key.patientId);
  if (consult.cancelledAt !== null) throw cancelledAlready();
  await takeOut(changes, [key.consultId], key.patientId);
}

export interface Swap {
  /** The consult's own, or the one that it is about to get. */
  readonly service: ServiceRow;
  readonly patientId: number;
}

/**
 * Tells whether another patient can have the place of a one-to-one consult, and gives what then does it: removed and added,
 * in this order, of one subject (contract §3 rule 7). Null where that patient has it already. @throws ProblemError
 */
export async function checkSwap(changes: ConsultChanges, consult: OpenConsult, { service, patientId }: Swap) {
  if (service.kind !== "one_to_one") {
    throw conflict(
      "not_one_to_one",
      "Only a one-to-one consult is about one patient. In a group or a class, add and remove patients.",
      "patient_id",
    );
  }
  const current = consult.participants.find(takesPlace);
  if (current?.patientId === patientId) return null;
  if (consult.cancelledAt !== null) throw cancelledAlready("patient_id");
  const places = [{ patientId, status: current?.status ?? ("booked" as const), field: "patient_id" }];
  const present = consult.participants.filter((one) => one !== current);
  await checkSeating(changes, { service, present, places });
  return async () => {
    if (current !== undefined) await takeOut(changes, [consult.id], current.patientId);
    await seat(changes, [consult.id], places);
  };
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
  await takeOut(changes, [key.consultId], key.patientId);
  await seat(changes, [to.id], places);
}

/** Takes a patient out of consults, wherever the patient is in them. */
export async function takeOut(
  { tx, clinicId }: ConsultChanges,
  consultIds: readonly number[],
  patientId: number,
): Promise<void> {
  await tx
    .deleteFrom("consult_participants")
    .where("clinic_id", "=", clinicId)
    .where("consult_id", "=", among(consultIds))
    .where("patient_id", "=", patientId)
    .execute();
}

/** What may take a place: someone who is there, or a place that is asked for. */
type Taker = Parameters<typeof takesPlace>[0] & { readonly field?: string };

/**
 * Refuses more booked and held places than the service has. A wait-listed place always fits, and so does whoever is there:
 * the number of places may have been lowered since.
 * @throws ProblemError naming the field of the first place that does not fit
 */
export function refuseOverbooking(
  service: Pick<ServiceRow, "kind" | "capacity">,
  present: readonly Taker[],
  wanted: readonly Taker[],
): void {
  const places = placesOf(service);
  const free = Math.max(0, places - present.filter(takesPlace).length);
  const surplus = wanted.filter(takesPlace)[free];
  if (surplus !== undefined) throw conflict("consult_full", full(service, places), surplus.field);
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

/** @throws ProblemError naming the field of the first place beyond `PARTICIPANTS_MAX` */
export function refuseTooMany(present: number, places: readonly Place[]): void {
  const surplus = places[PARTICIPANTS_MAX - present];
  if (surplus === undefined) return;
  throw invalid(
    surplus.field,
    `A consult has at most ${PARTICIPANTS_MAX} participants. Schedule a second one for the rest.`,
    "too_many",
  );
}

function refuseTwice(present: readonly ParticipantRow[], places: readonly Place[]): void {
  const seated = new Set(present.filter((one) => !hasLeft(one)).map(({ patientId }) => patientId));
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
export async function refuseStrangers(
  { tx, clinicId }: ConsultChanges,
  places: readonly Pick<Place, "patientId" | "field">[],
): Promise<void> {
  const ids = places.map(({ patientId }) => patientId);
  const own = await tx
    .selectFrom("patients")
    .select("id")
    .where("clinic_id", "=", clinicId)
    .where("id", "=", among(ids))
    .execute();
  const known = new Set(own.map(({ id }) => id));
  const stranger = places.find(({ patientId }) => !known.has(patientId));
  if (stranger !== undefined) throw notFound("the patient", stranger.field);
}

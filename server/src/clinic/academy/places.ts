/**
 * Places: a patient × resource, the thing that the academy's events are about (contract §7).
 *
 * Owns making and locking the rows of `academy_places`. Promises: a patient has one place in an item, for good, so its id can
 * be the subject's; whoever holds its lock is alone with the patient's access, checkouts and events in that item, so the
 * subject's version rises in commit order. Several places are locked in the order of (item, patient): see `byPlace`.
 */
import type { Person, ResourceType } from "@hookwell/sdk";
import type { Tx } from "../../db/schema.ts";
import { notFound } from "../../errors.ts";

export interface PlaceKey {
  readonly itemId: number;
  readonly patientId: number;
}

/** A place whose row is locked. */
export interface OpenPlace {
  readonly id: number;
  readonly ownAccess: "bought" | "free" | "granted" | null;
  readonly throughMembership: boolean;
  /** Null: no access. */
  readonly participantSince: Temporal.Instant | null;
  readonly patient: Person;
}

/** The subject of the place's events. */
export function placeSubject(type: ResourceType, placeId: number): string {
  return `${type}-access:${placeId}`;
}

/** The order in which a transaction locks several places, so that two never wait for each other in a ring. */
export function byPlace(one: PlaceKey, other: PlaceKey): number {
  return one.itemId - other.itemId || one.patientId - other.patientId;
}

/**
 * Locks a patient's place in an item that exists, and makes it first where there is none.
 * @throws ProblemError 404 naming `patient_id`
 */
export async function openPlace(tx: Tx, clinicId: number, key: PlaceKey): Promise<OpenPlace> {
  const patient = await tx
    .selectFrom("patients")
    .select(["id", "name", "email"])
    .where("clinic_id", "=", clinicId)
    .where("id", "=", key.patientId)
    .executeTakeFirstOrThrow(() => notFound("the patient", "patient_id"));
  const known = await lockPlace(tx, clinicId, key);
  if (known !== undefined) return { ...known, patient };
  // Where another transaction has just made the same place, this waits until that one has ended.
  await tx
    .insertInto("academy_places")
    .values({ clinic_id: clinicId, item_id: key.itemId, patient_id: key.patientId })
    .onConflict((conflicting) => conflicting.columns(["clinic_id", "item_id", "patient_id"]).doNothing())
    .execute();
  const made = await lockPlace(tx, clinicId, key);
  if (made === undefined) throw new Error(`a place in item ${key.itemId} was neither made nor found`);
  return { ...made, patient };
}

/** Locks the place; undefined where there is none. */
export function lockPlace(tx: Tx, clinicId: number, { itemId, patientId }: PlaceKey) {
  return tx
    .selectFrom("academy_places")
    .select(["id", "own_access as ownAccess", "through_membership as throughMembership"])
    .select("participant_since as participantSince")
    .where("clinic_id", "=", clinicId)
    .where("item_id", "=", itemId)
    .where("patient_id", "=", patientId)
    .forNoKeyUpdate()
    .executeTakeFirst();
}

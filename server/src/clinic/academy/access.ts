/**
 * Access to courses and webinars: gaining it, and losing it.
 *
 * Owns what `academy_places` says of access. Promises: a patient who gains access makes one `*_participant.added`, whatever
 * the way (contract §1: bought, free, granted, through a membership), one who has it already makes none; losing it is told to
 * nobody; no sale makes an invoice record (contract §4). Access of one's own and access through a membership are kept apart:
 * the end of a membership never takes what was bought, free or granted.
 * Does not know memberships: they say when they begin and end to carry an item.
 */
import type { ResourceType } from "@hookwell/sdk";
import type { Tx } from "../../db/schema.ts";
import { conflict, notFound } from "../../errors.ts";
import { emit } from "../../outbox/emit.ts";
import type { Amounts } from "../billing/amounts.ts";
import type { ClinicContext } from "../clinics.ts";
import { accessFacts } from "./facts.ts";
import { getItem, type ItemRow, requireAcademy } from "./items.ts";
import { lockPlace, type OpenPlace, openPlace, type PlaceKey, placeSubject } from "./places.ts";

export type AccessVia = "bought" | "free" | "granted" | "membership";

export const NOTHING_PAID: Amounts = { subtotalMinor: 0, taxesMinor: 0, totalMinor: 0 };

export interface Grant extends PlaceKey {
  readonly how: AccessVia;
  /** What was paid for this item by itself, in its currency; zeros where nothing was. */
  readonly payment: Amounts;
}

export interface Granted {
  readonly placeId: number;
  /** The patient had no access before. */
  readonly added: boolean;
}

/**
 * Gives a patient access to an item of this clinic. Whoever grants several in one transaction does it in the order of
 * `byPlace`. Already a participant: the way is noted too, and nothing is told.
 * @throws ProblemError 404 naming `item_id` or `patient_id`; 409 `no_academy`
 */
export async function grantAccess(tx: Tx, context: ClinicContext, grant: Grant): Promise<Granted> {
  const { clinicId } = context;
  await requireAcademy(tx, clinicId);
  const item = await tx
    .selectFrom("academy_items")
    .select(["id", "type", "name", "currency"])
    .where("clinic_id", "=", clinicId)
    .where("id", "=", grant.itemId)
    .executeTakeFirstOrThrow(() => notFound("the course or webinar", "item_id"));
  const place = await openPlace(tx, clinicId, grant);
  return openAccess(tx, context, { item, place, grant });
}

export interface Opening {
  readonly item: Pick<ItemRow, "id" | "type" | "name" | "currency">;
  /** Locked. */
  readonly place: OpenPlace;
  readonly grant: Pick<Grant, "how" | "payment">;
}

/** What `grantAccess` does, for whoever holds the place's lock already. */
export async function openAccess(tx: Tx, context: ClinicContext, { item, place, grant }: Opening): Promise<Granted> {
  const { clinicId, outbox } = context;
  const { how, payment } = grant;
  const added = place.participantSince === null;
  const own = how === "membership" ? place.ownAccess : (place.ownAccess ?? how);
  const through = place.throughMembership || how === "membership";
  if (own === place.ownAccess && through === place.throughMembership) return { placeId: place.id, added };
  const since = place.participantSince ?? outbox.clock.now();
  await savePlace(tx, clinicId, {
    placeId: place.id,
    values: { own_access: own, through_membership: through, participant_since: since },
  });
  if (!added) return { placeId: place.id, added };
  await closeCheckout(tx, clinicId, place.id);
  const facts = accessFacts(item, place.patient, payment);
  await emit(outbox, tx, { clinicId, subject: placeSubject(item.type, place.id), facts });
  return { placeId: place.id, added };
}

/** A session that is still open would let a participant pay. */
async function closeCheckout(tx: Tx, clinicId: number, placeId: number): Promise<void> {
  await tx
    .updateTable("academy_checkouts")
    .set({ state: "expired" })
    .where("clinic_id", "=", clinicId)
    .where("place_id", "=", placeId)
    .where("state", "=", "open")
    .execute();
}

/** Takes the access that a membership carried; what the patient has of his own stays. None there: nothing. */
export async function withdrawMembershipAccess(tx: Tx, { clinicId }: ClinicContext, key: PlaceKey): Promise<void> {
  const place = await lockPlace(tx, clinicId, key);
  if (place === undefined || !place.throughMembership) return;
  const since = place.ownAccess === null ? null : place.participantSince;
  await savePlace(tx, clinicId, {
    placeId: place.id,
    values: { through_membership: false, participant_since: since },
  });
}

export interface Enrolment {
  readonly type: ResourceType;
  readonly itemId: number;
  readonly patientId: number;
  readonly how: "free" | "granted";
}

/**
 * Lets a patient in without a payment. Already a participant: nothing is told.
 * @throws ProblemError 404; 409 `no_academy`, `item_inactive`, `not_free`
 */
export async function enrol(tx: Tx, context: ClinicContext, wanted: Enrolment): Promise<Granted> {
  const { clinicId } = context;
  const { type, itemId: id, how } = wanted;
  await requireAcademy(tx, clinicId);
  const item = await getItem(tx, { clinicId, type, id });
  refuseInactive(item);
  if (how === "free" && item.priceMinor > 0) {
    throw conflict("not_free", `This ${type} has a price. Start a checkout, or grant the access instead.`, "how");
  }
  const place = await openPlace(tx, clinicId, { itemId: id, patientId: wanted.patientId });
  return openAccess(tx, context, { item, place, grant: { how, payment: NOTHING_PAID } });
}

/** @throws ProblemError 409 `item_inactive` */
export function refuseInactive({ type, active }: Pick<ItemRow, "type" | "active">): void {
  if (active) return;
  throw conflict("item_inactive", `This ${type} is not offered any more. Choose another one, or make it active again.`);
}

/**
 * Takes a patient's access; nobody is told (contract §1 has no such event).
 * @throws ProblemError 404; 409 `no_academy`, `through_membership` where a membership carries it
 */
export async function removeAccess(tx: Tx, clinicId: number, wanted: Omit<Enrolment, "how">): Promise<void> {
  const { type, itemId: id, patientId } = wanted;
  await requireAcademy(tx, clinicId);
  await getItem(tx, { clinicId, type, id });
  const place = await lockPlace(tx, clinicId, { itemId: id, patientId });
  if (place === undefined || place.participantSince === null) throw notFound("the participant");
  if (place.throughMembership) {
    throw conflict("through_membership", "A membership carries this access. Cancel the membership to end it.");
  }
  await savePlace(tx, clinicId, { placeId: place.id, values: { own_access: null, participant_since: null } });
}

interface PlaceChange {
  readonly placeId: number;
  readonly values: {
    readonly own_access?: OpenPlace["ownAccess"];
    readonly through_membership?: boolean;
    readonly participant_since: Temporal.Instant | null;
  };
}

async function savePlace(tx: Tx, clinicId: number, { placeId, values }: PlaceChange): Promise<void> {
  await tx
    .updateTable("academy_places")
    .set(values)
    .where("clinic_id", "=", clinicId)
    .where("id", "=", placeId)
    .execute();
}

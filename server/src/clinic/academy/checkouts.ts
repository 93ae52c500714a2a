/**
 * Checkouts: a patient on the way to buy a course or webinar.
 *
 * Owns the rows of `academy_checkouts`. A session is open, then completed or expired, and stays so. Promises: a patient has
 * at most one open session for an item, however many ask at once, and creating it is what is told (contract §1: not a reload
 * of the same session, not a free item); the price is the one at the creation, tax rounded half up; an open session expires
 * CHECKOUT_HOURS after it; completing it gives access with that payment and makes no invoice record (contract §4).
 */
import type { ResourceType } from "@hookwell/sdk";
import type { Tx } from "../../db/schema.ts";
import { conflict, notFound } from "../../errors.ts";
import { emit } from "../../outbox/emit.ts";
import { lineAmounts } from "../billing/amounts.ts";
import { checkAmount } from "../billing/money.ts";
import type { ClinicContext } from "../clinics.ts";
import type { DueWork } from "../due-work.ts";
import { openAccess, refuseInactive } from "./access.ts";
import { checkoutFacts } from "./facts.ts";
import { getItem, type ItemRow, requireAcademy } from "./items.ts";
import { type OpenPlace, openPlace, placeSubject } from "./places.ts";

export const CHECKOUT_HOURS = 24;

export const CHECKOUT_STATES = ["open", "completed", "expired"] as const;

export interface NewCheckout {
  readonly type: ResourceType;
  readonly itemId: number;
  readonly patientId: number;
}

/**
 * Creates a session, or finds the one that is open. Returns its id and whether it is new.
 * @throws ProblemError 404 naming `resource.id` or `patient_id`; 409 `no_academy`, `item_inactive`, `free_item`,
 *   `already_participant`
 */
export async function startCheckout(
  tx: Tx,
  context: ClinicContext,
  { type, itemId, patientId }: NewCheckout,
): Promise<{ id: number; started: boolean }> {
  const { clinicId, outbox } = context;
  await requireAcademy(tx, clinicId);
  const item = await getItem(tx, { clinicId, type, id: itemId }, "resource.id");
  refuseInactive(item);
  refuseFree(item);
  const place = await openPlace(tx, clinicId, { itemId, patientId });
  if (place.participantSince !== null) throw alreadyParticipant(type);
  const open = await openSession(tx, context, place);
  if (open !== undefined) return { id: open, started: false };
  const id = await insertSession(tx, context, { item, place });
  const facts = checkoutFacts(item, place.patient);
  await emit(outbox, tx, { clinicId, subject: placeSubject(type, place.id), facts });
  return { id, started: true };
}

function refuseFree({ type, priceMinor }: ItemRow): void {
  if (priceMinor > 0) return;
  throw conflict("free_item", `This ${type} is free, so there is nothing to pay. Add the patient as a participant.`);
}

function alreadyParticipant(type: ResourceType) {
  return conflict(
    "already_participant",
    `This patient has this ${type} already. There is nothing to pay.`,
    "patient_id",
  );
}

/** The session that can still be completed. One whose time is over, though nobody has noted it yet, is closed. */
async function openSession(tx: Tx, { clinicId, outbox }: ClinicContext, place: OpenPlace): Promise<number | undefined> {
  const session = await tx
    .selectFrom("academy_checkouts")
    .select(["id", "expires_at"])
    .where("clinic_id", "=", clinicId)
    .where("place_id", "=", place.id)
    .where("state", "=", "open")
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (session === undefined || !isOver(session.expires_at, outbox.clock.now())) return session?.id;
  await closeSession(tx, clinicId, { id: session.id, state: "expired" });
  return undefined;
}

function isOver(expiresAt: Temporal.Instant, now: Temporal.Instant): boolean {
  return Temporal.Instant.compare(expiresAt, now) <= 0;
}

async function insertSession(
  tx: Tx,
  { clinicId, outbox }: ClinicContext,
  { item, place }: { readonly item: ItemRow; readonly place: OpenPlace },
): Promise<number> {
  const { priceMinor: unitPriceMinor, taxRateThousandths, currency } = item;
  const price = lineAmounts({ unitPriceMinor, units: 1, discountMinor: 0, taxRateThousandths });
  // One look at one clock, so that it lasts as long as is promised.
  const now = outbox.clock.now();
  const { id } = await tx
    .insertInto("academy_checkouts")
    .values({
      clinic_id: clinicId,
      place_id: place.id,
      subtotal_minor: price.subtotalMinor,
      taxes_minor: price.taxesMinor,
      total_minor: checkAmount("price", price.totalMinor),
      currency,
      created_at: now,
      expires_at: now.add({ hours: CHECKOUT_HOURS }),
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  return id;
}

/**
 * The money was taken: the patient gains access. Completed already: nothing.
 * @throws ProblemError 404; 409 `no_academy`, `checkout_expired`
 */
export async function completeCheckout(tx: Tx, context: ClinicContext, id: number): Promise<void> {
  const { clinicId, outbox } = context;
  await requireAcademy(tx, clinicId);
  const { checkout, place } = await openCheckout(tx, clinicId, id);
  if (checkout.state === "completed") return;
  const isTooLate = isOver(checkout.expires_at, outbox.clock.now());
  if (isTooLate || !(await closeSession(tx, clinicId, { id, state: "completed" }))) {
    throw conflict("checkout_expired", "This checkout is closed, so it cannot be paid. Start a new one.");
  }
  const payment = {
    subtotalMinor: checkout.subtotal_minor,
    taxesMinor: checkout.taxes_minor,
    totalMinor: checkout.total_minor,
  };
  const item = { id: checkout.item_id, type: checkout.type, name: checkout.name, currency: checkout.currency };
  await openAccess(tx, context, { item, place, grant: { how: "bought", payment } });
}

/** Closes an open session without a sale; nobody is told. Expired already: nothing. @throws ProblemError 404 or 409 */
export async function expireCheckout(tx: Tx, { clinicId }: ClinicContext, id: number): Promise<void> {
  await requireAcademy(tx, clinicId);
  const { checkout } = await openCheckout(tx, clinicId, id);
  if (checkout.state === "completed") {
    throw conflict(
      "checkout_completed",
      "This checkout was paid, so it cannot expire. Remove the participant instead.",
    );
  }
  await closeSession(tx, clinicId, { id, state: "expired" });
}

/** A session as it stands once its place and itself are locked. @throws ProblemError 404 */
async function openCheckout(tx: Tx, clinicId: number, id: number) {
  const known = await checkoutOf(tx, clinicId, id).executeTakeFirstOrThrow(unknownCheckout);
  const { item_id: itemId, patient_id: patientId } = known;
  const place = await openPlace(tx, clinicId, { itemId, patientId });
  // The scheduler's expiry holds no place, only sessions. Where it is just closing this one, this waits and sees it closed.
  const checkout = await checkoutOf(tx, clinicId, id).forNoKeyUpdate("c").executeTakeFirstOrThrow(unknownCheckout);
  return { place, checkout };
}

const unknownCheckout = () => notFound("the checkout");

function checkoutOf(tx: Tx, clinicId: number, id: number) {
  return tx
    .selectFrom("academy_checkouts as c")
    .innerJoin("academy_places as p", (join) =>
      join.onRef("p.clinic_id", "=", "c.clinic_id").onRef("p.id", "=", "c.place_id"),
    )
    .innerJoin("academy_items as i", (join) =>
      join.onRef("i.clinic_id", "=", "p.clinic_id").onRef("i.id", "=", "p.item_id"),
    )
    .select(["c.state", "c.expires_at", "c.subtotal_minor", "c.taxes_minor", "c.total_minor", "c.currency"])
    .select(["p.item_id", "p.patient_id", "i.type", "i.name"])
    .where("c.clinic_id", "=", clinicId)
    .where("c.id", "=", id);
}

interface StateChange {
  readonly id: number;
  readonly state: "completed" | "expired";
}

/** Ends an open session; false where it has ended already, and then nothing is changed. */
async function closeSession(tx: Tx, clinicId: number, { id, state }: StateChange): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable("academy_checkouts")
    .set({ state })
    .where("clinic_id", "=", clinicId)
    .where("id", "=", id)
    .where("state", "=", "open")
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

/** The scheduler's work on checkouts: those whose time is over expire, and nobody is told. */
export const checkoutWork: DueWork = {
  name: "checkouts",
  async runDue(tx, { clinicId }, now, limit) {
    const due = tx
      .selectFrom("academy_checkouts")
      .select("id")
      .where("clinic_id", "=", clinicId)
      .where("state", "=", "open")
      .where("expires_at", "<=", now)
      .orderBy("expires_at")
      .orderBy("id")
      .limit(limit)
      .forUpdate()
      .skipLocked();
    const { numUpdatedRows } = await tx
      .with("due", () => due)
      .updateTable("academy_checkouts as c")
      .from("due")
      .set({ state: "expired" })
      .where("c.clinic_id", "=", clinicId)
      .whereRef("c.id", "=", "due.id")
      .executeTakeFirstOrThrow();
    return Number(numUpdatedRows);
  },
};

/**
 * The access that academy memberships carry (contract §1: a patient gains access through a membership).
 *
 * Owns who is given access when, and when it goes; the places themselves are the academy's. Promises: whoever has a
 * membership that carries access has all its plan's items, also one that is added just while the membership begins (whoever
 * begins holds the plan's row); an item goes when no membership of the patient's carries it any more, and what was bought,
 * free or granted by staff is never taken; places are locked in the academy's order before anything is decided about them.
 * Gaining access is told by the academy, losing it by nobody.
 */
import { sql } from "kysely";
import type { Tx } from "../../db/schema.ts";
import { conflict } from "../../errors.ts";
import { grantAccess, NOTHING_PAID, withdrawMembershipAccess } from "../academy/access.ts";
import { byPlace, lockPlace, type PlaceKey } from "../academy/places.ts";
import type { ClinicContext } from "../clinics.ts";
import { hasAccess } from "./due-dates.ts";
import type { OpenMembership } from "./membership-rows.ts";

/** Places that one change of a plan may open or close: it is one transaction. */
const PLACES_PER_CHANGE_MAX = 500;

export interface Changed {
  readonly before: OpenMembership | null;
  readonly now: OpenMembership;
}

/** Gives or takes what the memberships that began or stopped to carry access are about. */
export async function followAccess(tx: Tx, context: ClinicContext, changed: readonly Changed[]): Promise<void> {
  const turned = changed
    .filter(({ now }) => now.plan.type === "academy_membership")
    .filter(({ before, now }) => (before !== null && hasAccess(before)) !== hasAccess(now))
    .map(({ now }) => now);
  if (turned.length === 0) return;
  const items = await holdItems(tx, context.clinicId, [...new Set(turned.map(({ plan }) => plan.id))]);
  const keys = turned.flatMap(({ plan, clientId: patientId }) =>
    (items.get(plan.id) ?? []).map((itemId) => ({ itemId, patientId })),
  );
  await settle(tx, context, keys);
}

/** The items of these plans, which nobody changes from now on until the transaction ends. */
async function holdItems(tx: Tx, clinicId: number, planIds: readonly number[]): Promise<Map<number, number[]>> {
  await tx
    .selectFrom("membership_plans")
    .select("id")
    .where("clinic_id", "=", clinicId)
    .where("id", "=", sql<number>`any(${[...planIds]}::bigint[])`)
    .orderBy("id")
    .forShare()
    .execute();
  const rows = await tx
    .selectFrom("membership_plan_items")
    .select(["plan_id", "item_id"])
    .where("clinic_id", "=", clinicId)
    .where("plan_id", "=", sql<number>`any(${[...planIds]}::bigint[])`)
    .execute();
  const byPlan = Map.groupBy(rows, ({ plan_id }) => plan_id);
  return new Map([...byPlan].map(([planId, own]) => [planId, own.map(({ item_id }) => item_id)]));
}

export interface ChangedItems {
  readonly planId: number;
  /** Added to the plan or taken off it. */
  readonly itemIds: readonly number[];
}

/**
 * Opens what was added to a plan, and closes what was taken off it, for all who have a membership of it.
 * @throws ProblemError 409 `too_many_places` beyond `PLACES_PER_CHANGE_MAX`
 */
export async function followItems(tx: Tx, context: ClinicContext, { planId, itemIds }: ChangedItems): Promise<void> {
  if (itemIds.length === 0) return;
  const members = await tx
    .selectFrom("memberships")
    .select("client_id")
    .distinct()
    .where("clinic_id", "=", context.clinicId)
    .where("plan_id", "=", planId)
    .where(carriesAccess)
    .limit(PLACES_PER_CHANGE_MAX + 1)
    .execute();
  if (members.length * itemIds.length > PLACES_PER_CHANGE_MAX) {
    throw conflict(
      "too_many_places",
      `This would open or close more than ${PLACES_PER_CHANGE_MAX} places at once. Change fewer courses and webinars at a time.`,
      "item_ids",
    );
  }
  const keys = members.flatMap(({ client_id: patientId }) => itemIds.map((itemId) => ({ itemId, patientId })));
  await settle(tx, context, keys);
}

/** `hasAccess`, in SQL. */
const carriesAccess = sql<boolean>`(state in ('active', 'paused') or (state = 'cancelled' and not access_ended))`;

/** Makes access what the patients' memberships say. */
async function settle(tx: Tx, context: ClinicContext, keys: readonly PlaceKey[]): Promise<void> {
  const { clinicId } = context;
  const ordered = [...new Map(keys.map((key) => [wordOf(key), key])).values()].toSorted(byPlace);
  if (ordered.length === 0) return;
  // Locked before it is asked who carries what: another membership of the same patient may be changing just now.
  for (const key of ordered) await lockPlace(tx, clinicId, key);
  const carried = await carriedAmong(tx, clinicId, ordered);
  for (const key of ordered) {
    if (carried.has(wordOf(key))) await grantAccess(tx, context, { ...key, how: "membership", payment: NOTHING_PAID });
    else await withdrawMembershipAccess(tx, context, key);
  }
}

async function carriedAmong(tx: Tx, clinicId: number, keys: readonly PlaceKey[]): Promise<Set<string>> {
  const rows = await tx
    .selectFrom("memberships as m")
    .innerJoin("membership_plan_items as i", (join) =>
      join.onRef("i.clinic_id", "=", "m.clinic_id").onRef("i.plan_id", "=", "m.plan_id"),
    )
    .select(["m.client_id as patientId", "i.item_id as itemId"])
    .where("m.clinic_id", "=", clinicId)
    .where("m.client_id", "=", sql<number>`any(${keys.map(({ patientId }) => patientId)}::bigint[])`)
    .where("i.item_id", "=", sql<number>`any(${keys.map(({ itemId }) => itemId)}::bigint[])`)
    .where(carriesAccess)
    .execute();
  return new Set(rows.map(wordOf));
}

function wordOf({ itemId, patientId }: PlaceKey): string {
  return `${itemId} ${patientId}`;
}

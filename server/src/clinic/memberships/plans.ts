/**
 * Membership plans: what can be assigned, of both types.
 *
 * Owns the rows of `membership_plans` and `membership_plan_items`. Promises that a plan's type and currency never change,
 * that only an academy membership opens courses and webinars and only a clinic package membership opens credit, and that
 * what is changed counts for memberships assigned from then on: those there are keep their terms. Items are the exception:
 * one that is added is opened for the plan's members in the same change, and one that is taken off is closed for them.
 */
import type { MembershipType, RecurrenceInterval } from "@hookwell/sdk";
import { sql } from "kysely";
import type { Tx } from "../../db/schema.ts";
import { conflict, invalid, notFound } from "../../errors.ts";
import { currencyExponent, readTaxRate, toMinor } from "../billing/money.ts";
import { type ClinicContext, getClinic } from "../clinics.ts";
import { cleanName } from "../names.ts";
import type { ListById } from "../people.ts";
import { followItems } from "./academy-access.ts";

const NUMBER_OF_PAYMENTS_MAX = 1_000;
const PLAN_ITEMS_MAX = 100;

export interface PlanRow {
  readonly id: number;
  readonly type: MembershipType;
  readonly name: string;
  readonly priceMinor: number;
  readonly taxRateThousandths: number;
  readonly currency: string;
  readonly recurrenceInterval: RecurrenceInterval;
  /** Null: until it is cancelled. */
  readonly numberOfPayments: number | null;
  /** What each charge opens for the patient to pay with. */
  readonly creditValueMinor: number | null;
  readonly active: boolean;
  /** Courses and webinars, in the order given. */
  readonly itemIds: readonly number[];
}

/** Amounts are in major units, the tax rate in percent. */
export interface NewPlan {
  readonly type: MembershipType;
  readonly name: string;
  readonly price: number;
  readonly taxRate?: number | undefined;
  /** The clinic's where absent. */
  readonly currency?: string | undefined;
  readonly recurrenceInterval: RecurrenceInterval;
  readonly numberOfPayments?: number | null | undefined;
  readonly creditValue?: number | null | undefined;
  readonly itemIds?: readonly number[] | undefined;
  readonly active?: boolean | undefined;
}

/** What is absent stays as it is. */
export type PlanChange = { readonly [Key in Exclude<keyof NewPlan, "type" | "currency">]?: NewPlan[Key] | undefined };

/** @throws ProblemError naming the field; 409 `no_academy` for an academy membership of a clinic without one */
export async function addPlan(tx: Tx, context: ClinicContext, plan: NewPlan): Promise<PlanRow> {
  const { clinicId } = context;
  const clinic = await getClinic(tx, clinicId);
  if (plan.type === "academy_membership" && !clinic.hasAcademy) throw noAcademy();
  const currency = plan.currency ?? clinic.currency;
  currencyExponent(currency);
  const { id } = await tx
    .insertInto("membership_plans")
    .values({
      clinic_id: clinicId,
      type: plan.type,
      currency,
      name: cleanName("name", plan.name),
      price_minor: toMinor("price", plan.price, currency),
      tax_rate_thousandths: readTaxRate("tax_rate", plan.taxRate ?? 0),
      recurrence_interval: plan.recurrenceInterval,
      number_of_payments: checkPayments(plan.numberOfPayments ?? null),
      credit_value_minor: readCreditValue(plan.creditValue ?? null, { type: plan.type, currency }),
      active: plan.active ?? true,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  await setItems(tx, context, { plan: await getPlan(tx, clinicId, id), itemIds: plan.itemIds ?? [] });
  return getPlan(tx, clinicId, id);
}

/** @throws ProblemError naming the field, or 404 */
export async function changePlan(
  tx: Tx,
  context: ClinicContext,
  { id, change }: { readonly id: number; readonly change: PlanChange },
): Promise<PlanRow> {
  const { clinicId } = context;
  // Whoever begins a membership holds this row, too: no member is missed by a change of the items, and none begins amid it.
  await planRows(tx, clinicId).where("p.id", "=", id).forNoKeyUpdate().execute();
  const plan = await getPlan(tx, clinicId, id);
  const { name, price, taxRate, recurrenceInterval, numberOfPayments, creditValue, active } = change;
  const values = {
    ...(name === undefined ? {} : { name: cleanName("name", name) }),
    ...(price === undefined ? {} : { price_minor: toMinor("price", price, plan.currency) }),
    ...(taxRate === undefined ? {} : { tax_rate_thousandths: readTaxRate("tax_rate", taxRate) }),
    ...(recurrenceInterval === undefined ? {} : { recurrence_interval: recurrenceInterval }),
    ...(numberOfPayments === undefined ? {} : { number_of_payments: checkPayments(numberOfPayments) }),
    ...(creditValue === undefined ? {} : { credit_value_minor: readCreditValue(creditValue, plan) }),
    ...(active === undefined ? {} : { active }),
  };
  if (Object.keys(values).length > 0) {
    await tx
      .updateTable("membership_plans")
      .set(values)
      .where("clinic_id", "=", clinicId)
      .where("id", "=", id)
      .execute();
  }
  if (change.itemIds !== undefined) await setItems(tx, context, { plan, itemIds: change.itemIds });
  return getPlan(tx, clinicId, id);
}

/** Writes a plan's items as a whole; its members gain what is new and lose what is gone. */
async function setItems(
  tx: Tx,
  context: ClinicContext,
  { plan, itemIds }: { readonly plan: PlanRow; readonly itemIds: readonly number[] },
): Promise<void> {
  const { clinicId } = context;
  const wanted = [...new Set(itemIds)];
  await checkItems(tx, clinicId, { plan, wanted });
  await tx
    .deleteFrom("membership_plan_items")
    .where("clinic_id", "=", clinicId)
    .where("plan_id", "=", plan.id)
    .execute();
  if (wanted.length > 0) {
    const rows = wanted.map((item_id, position) => ({ clinic_id: clinicId, plan_id: plan.id, item_id, position }));
    await tx.insertInto("membership_plan_items").values(rows).execute();
  }
  const added = wanted.filter((id) => !plan.itemIds.includes(id));
  const gone = plan.itemIds.filter((id) => !wanted.includes(id));
  await followItems(tx, context, { planId: plan.id, itemIds: [...added, ...gone] });
}

interface WantedItems {
  readonly plan: PlanRow;
  readonly wanted: readonly number[];
}

async function checkItems(tx: Tx, clinicId: number, { plan, wanted }: WantedItems): Promise<void> {
  if (wanted.length === 0) return;
  if (plan.type !== "academy_membership") {
    throw invalid("item_ids", "Only an academy membership opens courses and webinars. Leave them out.", "invalid");
  }
  if (wanted.length > PLAN_ITEMS_MAX) {
    throw invalid("item_ids", `A plan opens at most ${PLAN_ITEMS_MAX} courses and webinars. Choose fewer.`, "too_many");
  }
  const known = await tx
    .selectFrom("academy_items")
    .select("id")
    .where("clinic_id", "=", clinicId)
    .where("id", "=", sql<number>`any(${[...wanted]}::bigint[])`)
    .execute();
  const own = new Set(known.map(({ id }) => id));
  const unknown = wanted.findIndex((id) => !own.has(id));
  if (unknown >= 0) throw notFound("the course or webinar", `item_ids.${unknown}`);
}

/** A plan that may be given to a patient now. @throws ProblemError naming `plan_id` */
export async function planToAssign(tx: Tx, clinicId: number, id: number): Promise<PlanRow> {
  const plan = await findPlan(tx, clinicId, id);
  if (plan === undefined) throw notFound("the plan", "plan_id");
  if (!plan.active)
    throw conflict("plan_inactive", "This plan is not offered any more. Choose another one.", "plan_id");
  if (plan.type === "academy_membership" && !(await getClinic(tx, clinicId)).hasAcademy) throw noAcademy();
  return plan;
}

/** @throws ProblemError 404 */
export async function getPlan(tx: Tx, clinicId: number, id: number): Promise<PlanRow> {
  const plan = await findPlan(tx, clinicId, id);
  if (plan === undefined) throw notFound("the plan");
  return plan;
}

function findPlan(tx: Tx, clinicId: number, id: number): Promise<PlanRow | undefined> {
  return planRows(tx, clinicId).where("p.id", "=", id).executeTakeFirst();
}

/** In the order of their ids. */
export function listPlans(tx: Tx, { clinicId, after, limit }: ListById): Promise<PlanRow[]> {
  return planRows(tx, clinicId)
    .where("p.id", ">", after ?? 0)
    .orderBy("p.id")
    .limit(limit)
    .execute();
}

function planRows(tx: Tx, clinicId: number) {
  return tx
    .selectFrom("membership_plans as p")
    .select(["p.id", "p.type", "p.name", "p.price_minor as priceMinor", "p.currency", "p.active"])
    .select(["p.tax_rate_thousandths as taxRateThousandths", "p.recurrence_interval as recurrenceInterval"])
    .select(["p.number_of_payments as numberOfPayments", "p.credit_value_minor as creditValueMinor"])
    .select(
      sql<number[]>`array(select i.item_id from membership_plan_items i
        where i.clinic_id = p.clinic_id and i.plan_id = p.id order by i.position)`.as("itemIds"),
    )
    .where("p.clinic_id", "=", clinicId);
}

function checkPayments(number: number | null): number | null {
  if (number === null || (Number.isInteger(number) && number >= 1 && number <= NUMBER_OF_PAYMENTS_MAX)) return number;
  throw invalid(
    "number_of_payments",
    `A fixed term has 1 to ${NUMBER_OF_PAYMENTS_MAX} payments. Write a whole number, or leave it out for no end.`,
    number < 1 ? "too_small" : "too_big",
  );
}

function readCreditValue(value: number | null, plan: { readonly type: MembershipType; readonly currency: string }) {
  if (value === null) return null;
  if (plan.type === "academy_membership") {
    throw invalid("credit_value", "An academy membership opens courses, not credit. Leave the value out.", "invalid");
  }
  const minor = toMinor("credit_value", value, plan.currency);
  if (minor === 0) throw invalid("credit_value", "A credit is more than zero. Leave it out for none.", "too_small");
  return minor;
}

function noAcademy() {
  return conflict("no_academy", "Academy memberships need Clinic Academy, which this clinic does not have.", "type");
}

/** Memberships as the clinic's own people see them, with what was charged and what comes next. */
import type { MembershipType, RecurrenceInterval } from "@hookwell/sdk";
import { sql } from "kysely";
import type { Tx } from "../../db/schema.ts";
import { notFound } from "../../errors.ts";
import type { PatientRow } from "../people.ts";
import type { PaymentSource } from "./charger.ts";
import type { CancelReason, MembershipState } from "./states.ts";

/** Of a long membership the latest are shown. */
const INVOICES_SHOWN_MAX = 100;

/** Dates are `YYYY-MM-DD` by the clinic's calendar. */
export interface MembershipView {
  readonly id: number;
  readonly plan: { readonly id: number; readonly name: string; readonly type: MembershipType };
  readonly client: PatientRow;
  readonly state: MembershipState;
  readonly recurrenceInterval: RecurrenceInterval;
  readonly startedAt: Temporal.Instant | null;
  readonly cancelledAt: Temporal.Instant | null;
  readonly cancelReason: CancelReason | null;
  /** The first day without access. */
  readonly accessUntil: string | null;
  readonly nextChargeOn: string | null;
  readonly paymentsMade: number;
  readonly numberOfPayments: number | null;
  readonly paymentSource: PaymentSource;
  readonly lastCharge: { readonly on: string; readonly outcome: "paid" | "declined" | "awaiting" } | null;
  readonly retryOn: string | null;
  /** The records of its charges, oldest first; none for an academy membership. */
  readonly invoices: readonly number[];
}

/** @throws ProblemError 404 */
export async function getMembership(tx: Tx, clinicId: number, id: number): Promise<MembershipView> {
  const row = await membershipRows(tx, clinicId).where("m.id", "=", id).executeTakeFirst();
  if (row === undefined) throw notFound("the membership");
  return toView(row);
}

export interface ListMemberships {
  readonly clinicId: number;
  readonly state?: MembershipState | undefined;
  readonly clientId?: number | undefined;
  readonly planId?: number | undefined;
  /** The last id of the page before. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** Newest first. */
export async function listMemberships(tx: Tx, list: ListMemberships): Promise<MembershipView[]> {
  let query = membershipRows(tx, list.clinicId);
  if (list.state !== undefined) query = query.where("m.state", "=", list.state);
  if (list.clientId !== undefined) query = query.where("m.client_id", "=", list.clientId);
  if (list.planId !== undefined) query = query.where("m.plan_id", "=", list.planId);
  if (list.before !== undefined) query = query.where("m.id", "<", list.before);
  const rows = await query.orderBy("m.id", "desc").limit(list.limit).execute();
  return rows.map(toView);
}

function membershipRows(tx: Tx, clinicId: number) {
  const charges = sql`membership_charges c where c.clinic_id = m.clinic_id and c.membership_id = m.id`;
  return tx
    .selectFrom("memberships as m")
    .innerJoin("membership_plans as p", (join) =>
      join.onRef("p.clinic_id", "=", "m.clinic_id").onRef("p.id", "=", "m.plan_id"),
    )
    .innerJoin("patients as t", (join) =>
      join.onRef("t.clinic_id", "=", "m.clinic_id").onRef("t.id", "=", "m.client_id"),
    )
    .select(["m.id", "m.state", "m.recurrence_interval", "m.started_at", "m.cancelled_at", "m.cancel_reason"])
    .select(["m.access_until", "m.next_period_on", "m.number_of_payments", "m.charges_made", "m.payment_source"])
    .select(["p.id as plan_id", "p.name as plan_name", "p.type as plan_type"])
    .select(["t.id as client_id", "t.name as client_name", "t.email as client_email"])
    .select(sql<number>`(select count(*) from ${charges} and c.outcome = 'paid')`.as("payments_made"))
    .select(sql<string | null>`(select c.due_on from ${charges} order by c.number desc limit 1)`.as("charged_on"))
    .select(
      sql<
        "paid" | "declined" | "awaiting" | null
      >`(select c.outcome from ${charges} order by c.number desc limit 1)`.as("outcome"),
    )
    .select(sql<string | null>`(select max(c.retry_on) from ${charges})`.as("retry_on"))
    .select(
      sql<number[]>`array(select c.invoice_id from ${charges} and c.invoice_id is not null
        order by c.number desc limit ${INVOICES_SHOWN_MAX})`.as("invoices"),
    )
    .where("m.clinic_id", "=", clinicId);
}

type Row = Awaited<ReturnType<ReturnType<typeof membershipRows>["execute"]>>[number];

function toView(row: Row): MembershipView {
  const isChargedAgain =
    row.state === "active" && (row.number_of_payments === null || row.charges_made < row.number_of_payments);
  return {
    id: row.id,
    plan: { id: row.plan_id, name: row.plan_name, type: row.plan_type },
    client: { id: row.client_id, name: row.client_name, email: row.client_email },
    state: row.state,
    recurrenceInterval: row.recurrence_interval,
    startedAt: row.started_at,
    cancelledAt: row.cancelled_at,
    cancelReason: row.cancel_reason,
    accessUntil: row.access_until,
    nextChargeOn: isChargedAgain ? row.next_period_on : null,
    paymentsMade: row.payments_made,
    numberOfPayments: row.number_of_payments,
    paymentSource: row.payment_source,
    lastCharge: row.charged_on === null || row.outcome === null ? null : { on: row.charged_on, outcome: row.outcome },
    retryOn: row.retry_on,
    invoices: row.invoices.toReversed(),
  };
}

/** Memberships and their charges as they stand in the transaction. */
import type { MembershipType, RecurrenceInterval } from "@hookwell/sdk";
import { sql } from "kysely";
import type { Tx } from "../../db/schema.ts";
import type { PaymentSource } from "./charger.ts";
import type { CancelReason, MembershipState } from "./states.ts";

export interface ChargeRow {
  /** 1 for the membership's first. */
  readonly number: number;
  readonly dueOn: Temporal.PlainDate;
  /** Its record; null for an academy membership, or when staff deleted it. */
  readonly invoiceId: number | null;
  readonly outcome: "paid" | "declined" | "awaiting";
  readonly tries: number;
  /** The day of the first decline. */
  readonly declinedOn: Temporal.PlainDate | null;
  readonly retryOn: Temporal.PlainDate | null;
}

/** What was agreed when the membership was assigned. */
export interface Terms {
  readonly priceMinor: number;
  readonly taxRateThousandths: number;
  readonly currency: string;
  readonly recurrenceInterval: RecurrenceInterval;
  readonly numberOfPayments: number | null;
  readonly creditValueMinor: number | null;
}

/** A membership whose row is locked. */
export interface OpenMembership extends Terms {
  readonly id: number;
  readonly plan: { readonly id: number; readonly name: string; readonly type: MembershipType };
  readonly clientId: number;
  readonly state: MembershipState;
  readonly paymentSource: PaymentSource;
  readonly cancelReason: CancelReason | null;
  /** The first day without access. */
  readonly accessUntil: Temporal.PlainDate | null;
  readonly accessEnded: boolean;
  readonly anchorOn: Temporal.PlainDate | null;
  /** How many periods after the anchor the next one begins. */
  readonly nextPeriod: number;
  /** Null until it became active. */
  readonly nextPeriodOn: Temporal.PlainDate | null;
  readonly chargesMade: number;
  readonly pausedOn: Temporal.PlainDate | null;
  /** The latest; null where nothing was ever charged. Only the latest can be tried again. */
  readonly charge: ChargeRow | null;
}

/** Reads memberships with their plan and latest charge, however many, in two statements. */
export async function readMemberships(
  tx: Tx,
  clinicId: number,
  ids: readonly number[],
): Promise<Map<number, OpenMembership>> {
  if (ids.length === 0) return new Map();
  const rows = await tx
    .selectFrom("memberships as m")
    .innerJoin("membership_plans as p", (join) =>
      join.onRef("p.clinic_id", "=", "m.clinic_id").onRef("p.id", "=", "m.plan_id"),
    )
    .select(["m.id", "m.client_id", "m.state", "m.payment_source", "m.cancel_reason", "m.access_until"])
    .select(["m.access_ended", "m.anchor_on", "m.next_period", "m.next_period_on", "m.charges_made", "m.paused_on"])
    .select(["m.price_minor", "m.tax_rate_thousandths", "m.currency", "m.recurrence_interval"])
    .select(["m.number_of_payments", "m.credit_value_minor"])
    .select(["p.id as plan_id", "p.name as plan_name", "p.type as plan_type"])
    .where("m.clinic_id", "=", clinicId)
    .where("m.id", "=", sql<number>`any(${[...ids]}::bigint[])`)
    .execute();
  const charges = await readLatestCharges(tx, clinicId, ids);
  return new Map(rows.map((row) => [row.id, toMembership(row, charges.get(row.id) ?? null)]));
}

interface Row {
  readonly id: number;
  readonly client_id: number;
  readonly state: MembershipState;
  readonly payment_source: PaymentSource;
  readonly cancel_reason: CancelReason | null;
  readonly access_until: string | null;
  readonly access_ended: boolean;
  readonly anchor_on: string | null;
  readonly next_period: number;
  readonly next_period_on: string | null;
  readonly charges_made: number;
  readonly paused_on: string | null;
  readonly price_minor: number;
  readonly tax_rate_thousandths: number;
  readonly currency: string;
  readonly recurrence_interval: RecurrenceInterval;
  readonly number_of_payments: number | null;
  readonly credit_value_minor: number | null;
  readonly plan_id: number;
  readonly plan_name: string;
  readonly plan_type: MembershipType;
}

function toMembership(row: Row, charge: ChargeRow | null): OpenMembership {
  return {
    id: row.id,
    plan: { id: row.plan_id, name: row.plan_name, type: row.plan_type },
    clientId: row.client_id,
    state: row.state,
    paymentSource: row.payment_source,
    cancelReason: row.cancel_reason,
    accessUntil: toDate(row.access_until),
    accessEnded: row.access_ended,
    anchorOn: toDate(row.anchor_on),
    nextPeriod: row.next_period,
    nextPeriodOn: toDate(row.next_period_on),
    chargesMade: row.charges_made,
    pausedOn: toDate(row.paused_on),
    priceMinor: row.price_minor,
    taxRateThousandths: row.tax_rate_thousandths,
    currency: row.currency,
    recurrenceInterval: row.recurrence_interval,
    numberOfPayments: row.number_of_payments,
    creditValueMinor: row.credit_value_minor,
    charge,
  };
}

async function readLatestCharges(tx: Tx, clinicId: number, ids: readonly number[]): Promise<Map<number, ChargeRow>> {
  const rows = await tx
    .selectFrom("membership_charges")
    .distinctOn("membership_id")
    .select(["membership_id", "number", "due_on", "invoice_id", "outcome", "tries", "declined_on", "retry_on"])
    .where("clinic_id", "=", clinicId)
    .where("membership_id", "=", sql<number>`any(${[...ids]}::bigint[])`)
    .orderBy("membership_id")
    .orderBy("number", "desc")
    .execute();
  return new Map(
    rows.map((row) => [
      row.membership_id,
      {
        number: row.number,
        dueOn: Temporal.PlainDate.from(row.due_on),
        invoiceId: row.invoice_id,
        outcome: row.outcome,
        tries: row.tries,
        declinedOn: toDate(row.declined_on),
        retryOn: toDate(row.retry_on),
      },
    ]),
  );
}

function toDate(text: string | null): Temporal.PlainDate | null {
  return text === null ? null : Temporal.PlainDate.from(text);
}

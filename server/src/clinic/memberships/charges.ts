/**
 * Charges: one for each period, with its record, its payment or its decline.
 *
 * Owns the rows of `membership_charges`. Promises: a period is charged once, whoever asks and however often (its number is
 * the row's key, written under the membership's lock, in the transaction of everything that follows from it); a clinic
 * package membership's charge is a record of its own with its own number, dated the period's first day, which already holds
 * the payment when the card accepts (contract §4); an academy membership's charge makes no record. Money that is paid
 * later, by whatever way, is heard of through `activatePaid` or `markPaid`.
 */
import type { Updateable } from "kysely";
import type { Database } from "../../db/schema.ts";
import { lineAmounts } from "../billing/amounts.ts";
import { createInvoice } from "../billing/invoices.ts";
import { taxRatePercent } from "../billing/money.ts";
import { addPayment } from "../billing/payments.ts";
import { addCredit } from "../credits/credits.ts";
import { afterDecline } from "./dunning.ts";
import type { MembershipChanges } from "./membership-changes.ts";
import type { ChargeRow, OpenMembership, Terms } from "./membership-rows.ts";
import { periodStart } from "./periods.ts";
import { after, isAllowed } from "./states.ts";

/** What one charge comes to, taxes included, in the currency's smallest unit. */
export function chargeTotalMinor({ priceMinor, taxRateThousandths }: Terms): number {
  return lineAmounts({ unitPriceMinor: priceMinor, units: 1, discountMinor: 0, taxRateThousandths }).totalMinor;
}

/** Charges the period that begins on `dueOn`: makes its record and asks the card, where there is one. */
export async function makeCharge(
  changes: MembershipChanges,
  membership: OpenMembership,
  dueOn: Temporal.PlainDate,
): Promise<void> {
  const number = membership.chargesMade + 1;
  const invoiceId = await makeRecord(changes, membership, dueOn);
  await changes.tx
    .insertInto("membership_charges")
    .values({
      clinic_id: changes.clinicId,
      membership_id: membership.id,
      number,
      due_on: dueOn.toString(),
      invoice_id: invoiceId,
      outcome: "awaiting",
      declined_on: null,
      retry_on: null,
    })
    .execute();
  await saveMembership(changes, membership.id, { charges_made: number });
  const { charge } = await changes.open(membership.id);
  if (charge === null) throw new Error(`membership ${membership.id} has lost the charge that it was given`);
  // A record about nothing is settled as it is, and is heard of when the invoices are closed.
  if (chargeTotalMinor(membership) > 0) await tryCharge(changes, membership, charge);
  else if (invoiceId === null) await settleCharge(changes, membership, charge.number);
}

async function makeRecord(
  { invoices, tx, clinicId }: MembershipChanges,
  membership: OpenMembership,
  dueOn: Temporal.PlainDate,
): Promise<number | null> {
  const { plan, clientId, currency, priceMinor, taxRateThousandths, creditValueMinor } = membership;
  if (plan.type === "academy_membership") return null;
  const taxRate = taxRatePercent(taxRateThousandths);
  const invoiceId = await createInvoice(invoices, {
    type: "clinic_package_membership",
    clientId,
    currency,
    date: dueOn.toString(),
    lines: [{ description: plan.name, unitPriceMinor: priceMinor, units: 1, taxRate }],
  });
  if (creditValueMinor !== null) {
    const credit = { kind: "membership", invoiceId, clientId, name: plan.name, currency } as const;
    await addCredit(tx, clinicId, { ...credit, valueMinor: creditValueMinor });
  }
  return invoiceId;
}

/** Asks the membership's card for what is still owed of a charge. Paid at the desk: nothing to do. */
export async function tryCharge(
  changes: MembershipChanges,
  membership: OpenMembership,
  charge: ChargeRow,
): Promise<void> {
  const source = membership.paymentSource;
  const totalMinor = await owedMinor(changes, membership, charge);
  if (source === "at_desk" || totalMinor <= 0) return stopRetrying(changes, membership);
  const tries = charge.tries + 1;
  const asked = { source, totalMinor, currency: membership.currency };
  const key = `${membership.id}-${charge.number}-${tries}`;
  const { outcome } = await changes.charger.charge({ key, ...asked });
  if (outcome === "declined") return decline(changes, membership, { ...charge, tries });
  await saveCharge(changes, membership.id, { number: charge.number, values: { tries, retry_on: null } });
  if (charge.invoiceId === null) return settleCharge(changes, membership, charge.number);
  await addPayment(changes.invoices, charge.invoiceId, { method: "credit_card", totalMinor });
}

/** Staff may have taken a part at the desk, or deleted the record: then nothing is owed any more. */
async function owedMinor(changes: MembershipChanges, membership: OpenMembership, charge: ChargeRow): Promise<number> {
  if (membership.plan.type === "academy_membership") return chargeTotalMinor(membership);
  if (charge.invoiceId === null) return 0;
  const { totalMinor, netMinor } = await changes.invoices.open(charge.invoiceId);
  return totalMinor - netMinor;
}

async function decline(changes: MembershipChanges, membership: OpenMembership, charge: ChargeRow): Promise<void> {
  const { today } = changes;
  const firstOn = charge.declinedOn ?? today;
  const next = afterDecline({ firstOn, today });
  const retryOn = next.do === "retry" ? next.on.toString() : null;
  await saveCharge(changes, membership.id, {
    number: charge.number,
    values: { outcome: "declined", tries: charge.tries, declined_on: firstOn.toString(), retry_on: retryOn },
  });
  if (next.do === "give_up") await endForGood(changes, membership);
}

/** Dunning has ended: access goes at once, since the period was never paid. */
async function endForGood(changes: MembershipChanges, { id, state }: OpenMembership): Promise<void> {
  await saveMembership(changes, id, {
    state: after(state === "pending" ? "withdraw" : "cancel", state),
    cancelled_at: changes.now,
    cancel_reason: "payment_failed",
    access_until: changes.today.toString(),
    access_ended: true,
    paused_on: null,
  });
}

/** A charge is paid; the first one makes the membership active, counted from today. */
export async function settleCharge(
  changes: MembershipChanges,
  membership: OpenMembership,
  number: number,
): Promise<void> {
  await saveCharge(changes, membership.id, { number, values: { outcome: "paid", retry_on: null } });
  // What was withdrawn stays so: whoever pays for it all the same gets the money back at the desk.
  if (!isAllowed("activate", membership.state)) return;
  const anchor = { on: changes.today, interval: membership.recurrenceInterval };
  await saveMembership(changes, membership.id, {
    state: after("activate", membership.state),
    started_at: changes.now,
    anchor_on: anchor.on.toString(),
    next_period: 1,
    next_period_on: periodStart(anchor, 1).toString(),
  });
}

/** Leaves the latest charge as it is, without another try. */
export async function stopRetrying(changes: MembershipChanges, { id, charge }: OpenMembership): Promise<void> {
  if (charge?.retryOn == null) return;
  await saveCharge(changes, id, { number: charge.number, values: { retry_on: null } });
}

interface ChargeValues {
  readonly outcome?: ChargeRow["outcome"];
  readonly tries?: number;
  readonly declined_on?: string | null;
  readonly retry_on?: string | null;
}

export async function saveCharge(
  { tx, clinicId }: MembershipChanges,
  membershipId: number,
  { number, values }: { readonly number: number; readonly values: ChargeValues },
): Promise<void> {
  await tx
    .updateTable("membership_charges")
    .set(values)
    .where("clinic_id", "=", clinicId)
    .where("membership_id", "=", membershipId)
    .where("number", "=", number)
    .execute();
}

export async function saveMembership(
  { tx, clinicId }: MembershipChanges,
  id: number,
  values: Updateable<Database["memberships"]>,
): Promise<void> {
  await tx.updateTable("memberships").set(values).where("clinic_id", "=", clinicId).where("id", "=", id).execute();
}

/** What a payment means for memberships: the other end of billing, whoever took the money and how. */
import { sql } from "kysely";
import type { Tx } from "../../db/schema.ts";
import type { ClinicContext } from "../clinics.ts";
import { practiceCard } from "./charger.ts";
import { settleCharge } from "./charges.ts";
import { beginUnit, openUnit } from "./membership-changes.ts";

/**
 * Notes that the charges behind these invoices are paid, and makes a membership active whose first charge it was.
 * @param settledInvoiceIds invoices that the transaction has settled in full; called once, after they were closed
 */
export async function activatePaid(
  tx: Tx,
  context: ClinicContext,
  settledInvoiceIds: readonly number[],
): Promise<void> {
  if (settledInvoiceIds.length === 0) return;
  const { clinicId } = context;
  const charges = await tx
    .selectFrom("membership_charges")
    .select(["membership_id", "number"])
    .where("clinic_id", "=", clinicId)
    .where("invoice_id", "=", sql<number>`any(${[...settledInvoiceIds]}::bigint[])`)
    .where("outcome", "<>", "paid")
    .orderBy("membership_id")
    .orderBy("number")
    .execute();
  if (charges.length === 0) return;
  const own = openUnit(tx);
  const unit = own ?? (await beginUnit(tx, { context, charger: practiceCard, invoices: null }));
  await unit.lock(charges.map(({ membership_id }) => membership_id));
  for (const { membership_id, number } of charges) await settleCharge(unit, await unit.open(membership_id), number);
  // A unit that somebody else began is flushed by whoever began it, after everything else.
  if (own === undefined) await unit.flush();
}

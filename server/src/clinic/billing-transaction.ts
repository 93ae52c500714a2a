/**
 * The one entry to billing for everybody above the clinic: the API, automations, imports.
 *
 * Owns what belongs together in one transaction: the unit of work of invoices, the credits that may pay, and what begins
 * once a record is settled in full. Promises that either all of it commits or none. Contains no rule of its own.
 */
import type { Tx } from "../db/schema.ts";
import { changeInvoices, type InvoiceChanges } from "./billing/invoice-changes.ts";
import type { ClinicContext } from "./clinics.ts";
import { creditSource } from "./credits/credits.ts";
import { reviewCredits } from "./credits/review.ts";
import { activatePaid } from "./memberships/activate-paid.ts";

/** Runs commands on invoices in the given transaction, once per transaction, and then whatever follows from them. */
export async function changeBilling<Result>(
  tx: Tx,
  context: ClinicContext,
  work: (invoices: InvoiceChanges) => Promise<Result>,
): Promise<Result> {
  const { result, invoices } = await changeInvoices(
    tx,
    { ...context, credits: creditSource(tx, context) },
    async (changes) => ({ result: await work(changes), invoices: changes }),
  );
  await reviewCredits(tx, context, invoices.touchedBy());
  await activatePaid(tx, context, invoices.settledBy());
  return result;
}

/**
 * Keeps credits true to the money behind them, at the end of every transaction that changed invoices.
 *
 * Owns what happens to a credit when its record is paid, refunded, changed or deleted. Promises: a credit opens when its
 * record is settled in full and closes when it is so no longer; a refund takes value out of it in proportion (rules.ts);
 * whatever would take away value that has been used is refused, and with it the whole transaction; a payment from credit
 * never ends on an invoice of another patient or of a type that it may not pay. Emits nothing: no event is about credits.
 */
import { sql } from "kysely";
import type { Tx } from "../../db/schema.ts";
import { conflict, type ProblemError } from "../../errors.ts";
import { type OpenInvoice, readInvoices } from "../billing/invoice-rows.ts";
import { toMajor } from "../billing/money.ts";
import type { ClinicContext } from "../clinics.ts";
import { type CreditRow, clinicToday, lockCreditsOf } from "./credits.ts";
import { entitledMinor, lastDay, mayPay, type RecordMoney } from "./rules.ts";

/**
 * Brings the credits of these records up to date.
 * @param invoiceIds every invoice that the transaction touched, deleted ones included
 * @throws ProblemError 409 `credit_used` or `credit_not_for_this` when a change cannot stand
 */
export async function reviewCredits(tx: Tx, context: ClinicContext, invoiceIds: readonly number[]): Promise<void> {
  if (invoiceIds.length === 0) return;
  await checkPayments(tx, context.clinicId, invoiceIds);
  const credits = await lockCreditsOf(tx, context.clinicId, invoiceIds);
  if (credits.length === 0) return;
  const records = await readInvoices(tx, context.clinicId, invoiceIds);
  for (const credit of credits) {
    const record = credit.invoiceId === null ? undefined : records.get(credit.invoiceId);
    if (record === undefined) await removeCredit(tx, context.clinicId, credit);
    else await followRecord(tx, context, { credit, record });
  }
}

async function followRecord(
  tx: Tx,
  context: ClinicContext,
  { credit, record }: { credit: CreditRow; record: OpenInvoice },
): Promise<void> {
  if (credit.currency !== record.currency) throw new Error(`credit ${credit.id} is not in its record's currency`);
  const entitled = entitledMinor(credit.valueMinor, moneyFor(record));
  if (entitled < credit.drawnMinor) throw usedAlready(credit);
  if (entitled === credit.entitledMinor) return;
  const opens = entitled > 0 && credit.openedAt === null;
  await tx
    .updateTable("credits")
    .set({ entitled_minor: entitled, ...(opens ? await opening(tx, context, credit) : {}) })
    .where("clinic_id", "=", context.clinicId)
    .where("id", "=", credit.id)
    .execute();
}

/** The days are counted once, from the first opening: a payment that is corrected later does not lengthen them. */
async function opening(tx: Tx, context: ClinicContext, { expiresOn, expiresAfterDays }: CreditRow) {
  const last = expiresOn ?? lastDay(await clinicToday(tx, context), expiresAfterDays)?.toString() ?? null;
  return { opened_at: context.outbox.clock.now(), expires_on: last };
}

function moneyFor({ totalMinor, netMinor, payments }: OpenInvoice): RecordMoney {
  const settled = payments.filter(({ status }) => status !== "draft");
  const refundedMinor = settled.reduce((sum, payment) => sum + payment.refundedMinor, 0);
  return { totalMinor, settledGrossMinor: netMinor + refundedMinor, refundedMinor };
}

/** Its record is gone. Payments that were given back still name the credit; it then stays, empty and without a record. */
async function removeCredit(tx: Tx, clinicId: number, credit: CreditRow): Promise<void> {
  if (credit.drawnMinor > 0) throw usedAlready(credit);
  const named = await tx
    .selectFrom("payments")
    .select("id")
    .where("clinic_id", "=", clinicId)
    .where("credit_id", "=", credit.id)
    .limit(1)
    .executeTakeFirst();
  if (named === undefined) {
    await tx.deleteFrom("credits").where("clinic_id", "=", clinicId).where("id", "=", credit.id).execute();
    return;
  }
  await tx
    .updateTable("credits")
    .set({ invoice_id: null, entitled_minor: 0 })
    .where("clinic_id", "=", clinicId)
    .where("id", "=", credit.id)
    .execute();
}

/** However a payment from credit came to its invoice (added, transferred, or the invoice was given to somebody else). */
async function checkPayments(tx: Tx, clinicId: number, invoiceIds: readonly number[]): Promise<void> {
  const rows = await tx
    .selectFrom("payments as p")
    .innerJoin("invoices as i", (join) =>
      join.onRef("i.clinic_id", "=", "p.clinic_id").onRef("i.id", "=", "p.invoice_id"),
    )
    .innerJoin("credits as c", (join) =>
      join.onRef("c.clinic_id", "=", "p.clinic_id").onRef("c.id", "=", "p.credit_id"),
    )
    .select(["i.type", "i.client_id as billedId", "c.kind", "c.client_id as holderId"])
    .where("p.clinic_id", "=", clinicId)
    .where("p.invoice_id", "=", sql<number>`any(${[...invoiceIds]}::bigint[])`)
    .where(sql<boolean>`p.total_minor > ${refundedOfPayment}`)
    .execute();
  for (const { type, billedId, kind, holderId } of rows) {
    if (billedId !== holderId) throw notForThis("A credit pays for its own patient only. Take its payment off first.");
    if (!mayPay(kind, type)) throw notForThis(WHAT_PAYS_WHAT);
  }
}

/** What was refunded whole takes nothing from the credit any more. */
const refundedOfPayment = sql`(select coalesce(sum(r.total_minor), 0) from refunds r
  where r.clinic_id = p.clinic_id and r.payment_id = p.id)`;

const WHAT_PAYS_WHAT =
  "Packages and memberships pay patient invoices only, and no credit pays a gift certificate. Pay with new money.";

function notForThis(message: string): ProblemError {
  return conflict("credit_not_for_this", message);
}

function usedAlready({ drawnMinor, currency }: CreditRow): ProblemError {
  const used = `${toMajor(drawnMinor, currency)} ${currency.toUpperCase()}`;
  return conflict(
    "credit_used",
    `${used} of what this record pays for has been used. Refund less, or first take those payments off the invoices that they paid.`,
  );
}

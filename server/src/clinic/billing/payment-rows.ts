/** A payment and its invoice, locked together; and the one statement that changes a payment's row. */
import type { RawBuilder } from "kysely";
import { notFound } from "../../errors.ts";
import type { InvoiceChanges } from "./invoice-changes.ts";
import type { OpenInvoice, OpenPayment, PaymentMethod } from "./invoice-rows.ts";

/** Where the caller says the payment is. */
export interface PaymentOn {
  /** A payment of another invoice is not found. */
  readonly invoiceId?: number | undefined;
}

interface OpenOptions extends PaymentOn {
  /** Another invoice to be locked in the same statement. */
  readonly alsoLock?: number | undefined;
}

/** @throws ProblemError 404 */
export async function openPayment(
  invoices: InvoiceChanges,
  paymentId: number,
  { invoiceId, alsoLock }: OpenOptions,
): Promise<{ invoice: OpenInvoice; payment: OpenPayment }> {
  const { tx, clinicId } = invoices;
  const row = await tx
    .selectFrom("payments")
    .select("invoice_id as invoiceId")
    .where("clinic_id", "=", clinicId)
    .where("id", "=", paymentId)
    .executeTakeFirst();
  if (row === undefined || (invoiceId !== undefined && row.invoiceId !== invoiceId)) throw notFound("the payment");
  const open = await invoices.lock(alsoLock === undefined ? [row.invoiceId] : [row.invoiceId, alsoLock]);
  const invoice = open.get(row.invoiceId);
  // It may have gone, or moved to another invoice, while the lock was waited for.
  const payment = invoice?.payments.find(({ id }) => id === paymentId);
  if (invoice === undefined || payment === undefined) throw notFound("the payment");
  return { invoice, payment };
}

/** The currency of the payment's invoice. Locks nothing. @throws ProblemError 404 */
export async function paymentCurrency({ tx, clinicId }: InvoiceChanges, paymentId: number): Promise<string> {
  const { currency } = await tx
    .selectFrom("payments as p")
    .innerJoin("invoices as i", (join) =>
      join.onRef("i.clinic_id", "=", "p.clinic_id").onRef("i.id", "=", "p.invoice_id"),
    )
    .select("i.currency")
    .where("p.clinic_id", "=", clinicId)
    .where("p.id", "=", paymentId)
    .executeTakeFirstOrThrow(() => notFound("the payment"));
  return currency;
}

interface PaymentColumns {
  readonly invoice_id?: number;
  readonly payment_method?: PaymentMethod;
  readonly total_minor?: number;
  readonly settled_entry?: RawBuilder<number> | null;
}

/** Nothing given: nothing done. */
export async function setPayment(invoices: InvoiceChanges, paymentId: number, columns: PaymentColumns): Promise<void> {
  if (Object.keys(columns).length === 0) return;
  const { tx, clinicId } = invoices;
  await tx.updateTable("payments").set(columns).where("clinic_id", "=", clinicId).where("id", "=", paymentId).execute();
}

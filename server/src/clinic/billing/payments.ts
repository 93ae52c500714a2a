/**
 * Money that comes in for an invoice, and goes back.
 *
 * Owns the rows of `payments` and `refunds`. Promises that a draft counts as nothing, that a refund leaves the payment's
 * total as it was, that what is paid from credit is drawn and given back in the same transaction, and that no record of the
 * three package types is over-paid (contract §4). Splits are not made here: amounts.ts derives them.
 */
import { PAYMENTS_MAX } from "@hookwell/sdk";
import { sql } from "kysely";
import { conflict, invalid } from "../../errors.ts";
import type { CreditKind } from "./credit-source.ts";
import type { InvoiceChanges } from "./invoice-changes.ts";
import type { OpenInvoice, OpenPayment, PaymentMethod } from "./invoice-rows.ts";
import { refuseCreditBeyondOwed, refuseOverPayment } from "./over-payment.ts";
import { openPayment, type PaymentOn, setPayment } from "./payment-rows.ts";

const FROM_CREDIT: ReadonlySet<string> = new Set<CreditKind>(["package", "membership", "gift_certificate"]);

export interface NewPayment {
  readonly method: PaymentMethod;
  readonly totalMinor: number;
  /** Paid where absent. */
  readonly status?: "paid" | "draft" | undefined;
  /** The patient's credit that it draws down. */
  readonly creditId?: number | undefined;
}

/** Adds a payment and returns its id. @throws ProblemError naming the field; 409 when the record would be over-paid */
export async function addPayment(invoices: InvoiceChanges, invoiceId: number, payment: NewPayment): Promise<number> {
  const { method, totalMinor, status = "paid", creditId } = payment;
  const invoice = await invoices.open(invoiceId);
  refuseTooMany(invoice, "total");
  checkTotal(totalMinor);
  checkMethod({ method, status, creditId });
  if (status === "paid") refuseBeyond(invoice, totalMinor, creditId ?? null);
  if (creditId !== undefined) await draw(invoices, invoice, { creditId, totalMinor, method });
  const { tx, clinicId } = invoices;
  const { id } = await tx
    .insertInto("payments")
    .values({
      clinic_id: clinicId,
      invoice_id: invoiceId,
      payment_method: method,
      total_minor: totalMinor,
      settled_entry: status === "paid" ? NEXT_ENTRY : null,
      credit_id: creditId ?? null,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  return id;
}

const NEXT_ENTRY = sql<number>`nextval('invoice_entries')`;

/** Pays what is still owed from the client's credits, the one that expires first at the front. */
export async function deductCredits(invoices: InvoiceChanges, invoiceId: number): Promise<void> {
  const { clientId, currency, totalMinor, netMinor } = await invoices.open(invoiceId);
  let owedMinor = totalMinor - netMinor;
  if (owedMinor <= 0) return;
  for (const { id: creditId, kind, remainingMinor } of await invoices.credits.usable({ clientId, currency })) {
    if (owedMinor <= 0) return;
    const part = Math.min(owedMinor, remainingMinor);
    await addPayment(invoices, invoiceId, { method: kind, totalMinor: part, creditId });
    owedMinor -= part;
  }
}

/** What is absent stays as it is. */
export interface PaymentChange extends PaymentOn {
  readonly method?: PaymentMethod | undefined;
  readonly totalMinor?: number | undefined;
  readonly status?: "paid" | "draft" | undefined;
}

/** Edits a payment, settles a draft or takes a settlement back. @throws ProblemError naming the field; 409 where it may not */
export async function changePayment(invoices: InvoiceChanges, paymentId: number, change: PaymentChange): Promise<void> {
  const { invoice, payment } = await openPayment(invoices, paymentId, change);
  const { method = payment.method, totalMinor = payment.totalMinor } = change;
  const isDraft = change.status === undefined ? payment.status === "draft" : change.status === "draft";
  checkTotal(totalMinor);
  if (payment.creditId === null) checkMethod({ method, status: isDraft ? "draft" : "paid", creditId: undefined });
  else refuseOnCredit(payment, { method, isDraft });
  if (isDraft && payment.refundedMinor > 0) throw refundedAlready("It cannot become a draft again.", "status");
  if (totalMinor < payment.refundedMinor) throw refundedAlready("Choose at least what was given back.", "total");
  const counted = payment.status === "draft" ? 0 : payment.totalMinor;
  const more = (isDraft ? 0 : totalMinor) - counted;
  if (more > 0) refuseBeyond(invoice, more, payment.creditId);
  if (payment.creditId !== null) await adjustCredit(invoices, invoice, { payment, totalMinor });
  await setPayment(invoices, paymentId, {
    ...(method === payment.method ? {} : { payment_method: method }),
    ...(totalMinor === payment.totalMinor ? {} : { total_minor: totalMinor }),
    ...(isDraft === (payment.status === "draft") ? {} : { settled_entry: isDraft ? null : NEXT_ENTRY }),
  });
}

/** Voids a payment: an update of its invoice. @throws ProblemError 404; 409 when money was given back from it */
export async function deletePayment(invoices: InvoiceChanges, paymentId: number, on: PaymentOn = {}): Promise<void> {
  const { payment } = await openPayment(invoices, paymentId, on);
  if (payment.refundedMinor > 0) throw refundedAlready("It stays on record and cannot be deleted.");
  const { tx, clinicId } = invoices;
  await tx.deleteFrom("payments").where("clinic_id", "=", clinicId).where("id", "=", paymentId).execute();
  await giveBack(invoices, payment, payment.totalMinor);
}

export interface Refund extends PaymentOn {
  readonly totalMinor: number;
}

/** Gives money back, or value back to the credit it came from. @throws ProblemError naming `total`; 409 for a draft */
export async function refundPayment(invoices: InvoiceChanges, paymentId: number, refund: Refund): Promise<void> {
  const { payment } = await openPayment(invoices, paymentId, refund);
  const { totalMinor } = refund;
  checkTotal(totalMinor);
  refuseBeyondPaid(payment, totalMinor);
  const { tx, clinicId } = invoices;
  await tx
    .insertInto("refunds")
    .values({ clinic_id: clinicId, payment_id: paymentId, total_minor: totalMinor })
    .execute();
  await giveBack(invoices, payment, totalMinor);
}

export interface Transfer extends PaymentOn {
  readonly toInvoiceId: number;
  /** All that was not refunded, where absent. */
  readonly totalMinor?: number | undefined;
}

/**
 * Moves settled money from one invoice to another: both are updated. An untouched payment moves as a whole and keeps its id;
 * a part becomes a payment of its own there, and the payment here is so much smaller.
 * @throws ProblemError naming `to_invoice_id` or `total`; 409 where it may not
 */
export async function transferPayment(invoices: InvoiceChanges, paymentId: number, transfer: Transfer): Promise<void> {
  const { toInvoiceId } = transfer;
  const { invoice: from, payment } = await openPayment(invoices, paymentId, { ...transfer, alsoLock: toInvoiceId });
  const to = await invoices.open(toInvoiceId, "to_invoice_id");
  const totalMinor = transfer.totalMinor ?? payment.totalMinor - payment.refundedMinor;
  if (from.id === to.id)
    throw invalid("to_invoice_id", "The payment is on this invoice. Choose another one.", "invalid");
  checkTotal(totalMinor);
  refuseBeyondPaid(payment, totalMinor);
  refuseTransfer({ from, to, payment });
  refuseTooMany(to, "to_invoice_id");
  refuseBeyond(to, totalMinor, payment.creditId);
  if (totalMinor === payment.totalMinor) {
    await setPayment(invoices, paymentId, { invoice_id: to.id, settled_entry: NEXT_ENTRY });
    return;
  }
  await setPayment(invoices, paymentId, { total_minor: payment.totalMinor - totalMinor });
  const { method: payment_method, creditId: credit_id } = payment;
  const moved = { invoice_id: to.id, payment_method, total_minor: totalMinor, credit_id, settled_entry: NEXT_ENTRY };
  await invoices.tx
    .insertInto("payments")
    .values({ clinic_id: invoices.clinicId, ...moved })
    .execute();
}

function refuseTransfer({ from, to, payment }: { from: OpenInvoice; to: OpenInvoice; payment: OpenPayment }): void {
  if (from.currency !== to.currency) {
    throw conflict(
      "other_currency",
      "That invoice is in another currency. Refund and pay again instead.",
      "to_invoice_id",
    );
  }
  if (payment.creditId !== null && from.clientId !== to.clientId) {
    throw conflict(
      "other_patient",
      "A credit pays for its own patient only. Choose that patient's invoice.",
      "to_invoice_id",
    );
  }
}

function refuseBeyondPaid(payment: OpenPayment, totalMinor: number): void {
  if (payment.status === "draft") throw conflict("payment_draft", "This payment is a draft: no money has come in yet.");
  if (totalMinor <= payment.totalMinor - payment.refundedMinor) return;
  throw conflict("more_than_paid", "This is more than what is left of the payment. Choose a smaller amount.", "total");
}

function refuseBeyond(invoice: OpenInvoice, moreMinor: number, creditId: number | null): void {
  const { type, totalMinor } = invoice;
  const netMinor = invoice.netMinor + moreMinor;
  refuseOverPayment({ type, totalMinor, netMinor }, "total");
  if (creditId !== null) refuseCreditBeyondOwed({ totalMinor, netMinor });
}

function refuseTooMany(invoice: OpenInvoice, field: string): void {
  if (invoice.payments.length < PAYMENTS_MAX) return;
  throw conflict("too_many_payments", `An invoice has at most ${PAYMENTS_MAX} payments. Use another invoice.`, field);
}

function checkTotal(totalMinor: number): void {
  if (!Number.isSafeInteger(totalMinor)) throw new RangeError("a payment is not an integer of the smallest unit");
  if (totalMinor < 1) throw invalid("total", "The amount must be more than zero.", "too_small");
}

function checkMethod({ method, status, creditId }: Pick<NewPayment, "method" | "status" | "creditId">): void {
  if (creditId === undefined && FROM_CREDIT.has(method)) {
    throw invalid("credit_id", "Say which credit of the patient pays, or choose another way to pay.", "missing");
  }
  if (creditId !== undefined && status === "draft") {
    throw invalid("status", "A payment from credit is taken at once. Leave the status out.", "invalid");
  }
}

function refuseOnCredit(payment: OpenPayment, { method, isDraft }: { method: string; isDraft: boolean }): void {
  if (method === payment.method && !isDraft) return;
  const field = isDraft ? "status" : "payment_method";
  throw conflict("payment_from_credit", "This payment came from credit. Delete it and add another one.", field);
}

function refundedAlready(remedy: string, field?: string) {
  return conflict("payment_refunded", `Money was given back from this payment. ${remedy}`, field);
}

interface Draw {
  readonly creditId: number;
  readonly totalMinor: number;
  readonly method: PaymentMethod;
}

async function draw({ credits }: InvoiceChanges, { clientId, currency }: OpenInvoice, wanted: Draw): Promise<void> {
  const { creditId, totalMinor, method } = wanted;
  const kind = await credits.draw({ creditId, clientId, currency, totalMinor });
  if (kind !== method) throw invalid("payment_method", `This credit pays as ${kind}. Write that.`, "not_one_of");
}

async function adjustCredit(
  invoices: InvoiceChanges,
  invoice: OpenInvoice,
  { payment, totalMinor }: { payment: OpenPayment; totalMinor: number },
): Promise<void> {
  const more = totalMinor - payment.totalMinor;
  const { creditId, method } = payment;
  if (creditId !== null && more > 0) await draw(invoices, invoice, { creditId, method, totalMinor: more });
  if (more < 0) await giveBack(invoices, payment, -more);
}

async function giveBack({ credits }: InvoiceChanges, { creditId }: OpenPayment, totalMinor: number): Promise<void> {
  if (creditId !== null) await credits.giveBack({ creditId, totalMinor });
}

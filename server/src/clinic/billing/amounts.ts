/**
 * What an invoice is worth, what has been paid of it, and what it is therefore called (contract §4). Pure.
 *
 * Owns the sums of lines, the split of payments and refunds into subtotal and taxes, the status table and the balance.
 * Promises: integers in, integers out; every total is its subtotal plus its taxes; an invoice that is paid exactly has a
 * balance of exactly zero, and one from which all was refunded has its whole subtotal as balance; no part of a payment is
 * ever below zero. Everything follows from the lines, the payments and the refunds as they stand now: nothing is kept.
 */
import type { InvoiceStatus, InvoiceType, PaymentStatus } from "@hookwell/sdk";

export interface Amounts {
  readonly subtotalMinor: number;
  readonly taxesMinor: number;
  readonly totalMinor: number;
}

export interface LinePrice {
  readonly unitPriceMinor: number;
  readonly units: number;
  readonly discountMinor: number;
  readonly taxRateThousandths: number;
}

export interface LedgerRefund {
  readonly totalMinor: number;
  /** Its place among all payments and refunds of the invoice, by which they are told apart in time. */
  readonly entry: number;
}

export interface LedgerPayment {
  readonly totalMinor: number;
  /** When it was settled, among all payments and refunds; null for a draft, which counts as nothing. */
  readonly settledEntry: number | null;
  readonly refunds: readonly LedgerRefund[];
  /** Its taxes where another system has split it already. */
  readonly taxesMinor?: number | undefined;
}

export interface Ledger {
  readonly type: InvoiceType;
  readonly lines: readonly Amounts[];
  readonly payments: readonly LedgerPayment[];
}

export interface DerivedPayment extends Amounts {
  readonly status: PaymentStatus;
  readonly refundedMinor: number;
}

export interface DerivedInvoice extends Amounts {
  /** null: the state is one that is refused, an over-paid record of the three package types. */
  readonly status: InvoiceStatus | null;
  /** Before tax; negative when over-paid. Sent for type `patient_invoice` only. */
  readonly unpaidSubtotalBalanceMinor: number;
  /** Settled and not refunded. */
  readonly netMinor: number;
  /** In the order of the payments given. */
  readonly payments: readonly DerivedPayment[];
}

const WHOLE_RATE = 100_000n;

/** An exact division, rounded half up. `value` is zero or more, `divisor` more than zero. */
function roundHalfUp(value: bigint, divisor: bigint): bigint {
  return (2n * value + divisor) / (2n * divisor);
}

/** Price × units, before any discount. It may be beyond what an amount may be. */
export function grossOfLine({ unitPriceMinor, units }: Pick<LinePrice, "unitPriceMinor" | "units">): bigint {
  return BigInt(unitPriceMinor) * BigInt(units);
}

/** One line: the discount lowers its subtotal, its tax is rounded half up. The discount is at most price × units. */
export function lineAmounts(line: LinePrice): Amounts {
  const subtotal = grossOfLine(line) - BigInt(line.discountMinor);
  const taxes = roundHalfUp(subtotal * BigInt(line.taxRateThousandths), WHOLE_RATE);
  return { subtotalMinor: Number(subtotal), taxesMinor: Number(taxes), totalMinor: Number(subtotal + taxes) };
}

/** Sums are sums of lines. */
export function sumOf(lines: readonly Amounts[]): Amounts {
  const sum = { subtotalMinor: 0, taxesMinor: 0, totalMinor: 0 };
  for (const line of lines) {
    sum.subtotalMinor += line.subtotalMinor;
    sum.taxesMinor += line.taxesMinor;
    sum.totalMinor += line.totalMinor;
  }
  return sum;
}

/** The taxes in a payment taken by itself: round half up (payment × invoice taxes ÷ invoice total). */
export function splitTax(totalMinor: number, invoice: Amounts): number {
  if (invoice.totalMinor === 0) return 0;
  return Number(roundHalfUp(BigInt(totalMinor) * BigInt(invoice.taxesMinor), BigInt(invoice.totalMinor)));
}

export interface Settled {
  readonly type: InvoiceType;
  readonly totalMinor: number;
  /** Settled payments, refunds not taken off. */
  readonly grossMinor: number;
  readonly refundedMinor: number;
}

/** The status table of contract §4, first match; null where it says "refused". */
export function deriveStatus({ type, totalMinor, grossMinor, refundedMinor }: Settled): InvoiceStatus | null {
  const isInvoice = type === "patient_invoice";
  const netMinor = grossMinor - refundedMinor;
  if (grossMinor === 0) return totalMinor === 0 ? "no_payment_needed" : "draft";
  if (refundedMinor > 0 && netMinor === 0) return "refunded";
  if (netMinor > totalMinor) return isInvoice ? "over_paid" : null;
  if (netMinor === totalMinor) return isInvoice ? "paid_in_full" : "paid";
  return refundedMinor > 0 ? "partially_refunded" : "partially_paid";
}

/** A status in which nothing more is asked for. */
export function isSettledInFull(status: InvoiceStatus): boolean {
  return status === "paid" || status === "paid_in_full" || status === "over_paid" || status === "no_payment_needed";
}

/** What the unpaid part of the subtotal is, given the subtotal of all settled payments net of refunds. */
export function unpaidSubtotalBalance(subtotalMinor: number, netSettledSubtotalMinor: number): number {
  return subtotalMinor - netSettledSubtotalMinor;
}

/** Everything that follows from an invoice's lines, payments and refunds. */
export function deriveInvoice({ type, lines, payments }: Ledger): DerivedInvoice {
  const sums = sumOf(lines);
  const { taxesByPayment, netTaxes } = splitAll(sums, payments);
  const derived = payments.map((payment, at) => derivePayment(payment, taxesByPayment[at] ?? 0));
  const settled = derived.filter(({ status }) => status !== "draft");
  const grossMinor = settled.reduce((sum, { totalMinor }) => sum + totalMinor, 0);
  const refundedMinor = settled.reduce((sum, payment) => sum + payment.refundedMinor, 0);
  const netMinor = grossMinor - refundedMinor;
  return {
    ...sums,
    status: deriveStatus({ type, totalMinor: sums.totalMinor, grossMinor, refundedMinor }),
    unpaidSubtotalBalanceMinor: unpaidSubtotalBalance(sums.subtotalMinor, netMinor - netTaxes),
    netMinor,
    payments: derived,
  };
}

function derivePayment(payment: LedgerPayment, taxesMinor: number): DerivedPayment {
  const { totalMinor } = payment;
  const refundedMinor = refundedOf(payment);
  const amounts = { subtotalMinor: totalMinor - taxesMinor, taxesMinor, totalMinor, refundedMinor };
  if (payment.settledEntry === null) return { ...amounts, status: "draft" };
  if (refundedMinor === 0) return { ...amounts, status: "paid" };
  return { ...amounts, status: refundedMinor < totalMinor ? "partially_refunded" : "refunded" };
}

/** What went back of a payment. */
export function refundedOf({ refunds }: Pick<LedgerPayment, "refunds">): number {
  return refunds.reduce((sum, { totalMinor }) => sum + totalMinor, 0);
}

/** What goes in or out: `at` is the payment's place, a refund's too. */
interface Movement {
  readonly at: number;
  readonly entry: number;
  readonly totalMinor: number;
  readonly isRefund: boolean;
}

/** Walks through payments and refunds in the order in which they happened. */
function splitAll(invoice: Amounts, payments: readonly LedgerPayment[]) {
  // Drafts are not walked through: they are shown as if each were alone.
  const taxesByPayment = payments.map(({ totalMinor, taxesMinor }) => taxesMinor ?? splitTax(totalMinor, invoice));
  const left = payments.map(({ totalMinor }) => ({ totalMinor, taxesMinor: 0 }));
  let net = 0;
  let netTaxes = 0;
  for (const { at, totalMinor, isRefund } of movements(payments)) {
    const [payment, rest] = [payments[at], left[at]];
    if (payment === undefined || rest === undefined) throw new Error("a movement of money belongs to no payment");
    const own = taxesByPayment[at] ?? 0;
    net += isRefund ? -totalMinor : totalMinor;
    const wanted = netTaxes + (isRefund ? -refundTaxes(totalMinor, { own, ofTotal: payment.totalMinor, rest }) : own);
    const reached = payment.taxesMinor === undefined ? withinInvoice(wanted, net, invoice) : wanted;
    if (isRefund) rest.totalMinor -= totalMinor;
    else taxesByPayment[at] = reached - netTaxes;
    rest.taxesMinor += reached - netTaxes;
    netTaxes = reached;
  }
  return { taxesByPayment, netTaxes };
}

function movements(payments: readonly LedgerPayment[]): Movement[] {
  const all = payments.flatMap(({ totalMinor, settledEntry, refunds }, at): Movement[] => {
    if (settledEntry === null) return [];
    const back = refunds.map((refund) => ({ at, ...refund, isRefund: true }));
    return [{ at, entry: settledEntry, totalMinor, isRefund: false }, ...back];
  });
  return all.sort((one, other) => one.entry - other.entry || Number(one.isRefund) - Number(other.isRefund));
}

interface Refundable {
  /** The payment's own taxes and total. */
  readonly own: number;
  readonly ofTotal: number;
  /** What has not been given back yet. */
  readonly rest: { readonly totalMinor: number; readonly taxesMinor: number };
}

/** A refund is split like its payment, and the one that gives the rest of it back takes what is left of its taxes. */
function refundTaxes(totalMinor: number, { own, ofTotal, rest }: Refundable): number {
  if (totalMinor === rest.totalMinor) return Math.min(Math.max(rest.taxesMinor, 0), totalMinor);
  return Number(roundHalfUp(BigInt(totalMinor) * BigInt(own), BigInt(ofTotal)));
}

/**
 * The taxes in what is settled net, kept where they can be. Below the invoice's total neither the taxes nor the subtotal
 * paid may be more than the invoice has; above it neither may be less. At the total itself only one value is left: this is
 * how the payment that settles the invoice takes the remainder, and at zero it is how everything goes back.
 */
function withinInvoice(taxes: number, net: number, { subtotalMinor, taxesMinor, totalMinor }: Amounts): number {
  const isBelow = net <= totalMinor;
  const least = isBelow ? Math.max(0, net - subtotalMinor) : taxesMinor;
  const most = isBelow ? Math.min(taxesMinor, net) : net - subtotalMinor;
  return Math.min(Math.max(taxes, least), most);
}

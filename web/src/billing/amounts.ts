// What lines come to while they are typed, and what is still owed. Pure. Whole numbers of the currency's smallest unit; the
// rules are the server's, which reckons again and has the last word.
import type { Invoice, Payment } from "../api/billing.ts";
import { minorOf } from "./money.ts";

export interface Amounts {
  subtotal: number;
  taxes: number;
  total: number;
}

export interface LinePrice {
  unitPrice: number;
  units: number;
  discount: number;
  /** Thousandths of a percent. */
  rate: number;
}

const WHOLE_RATE = 100_000n;

/** The discount lowers the line's subtotal; its tax is rounded half up. */
export function lineAmounts({ unitPrice, units, discount, rate }: LinePrice): Amounts {
  const subtotal = BigInt(unitPrice) * BigInt(units) - BigInt(discount);
  const taxes = (2n * subtotal * BigInt(rate) + WHOLE_RATE) / (2n * WHOLE_RATE);
  return { subtotal: Number(subtotal), taxes: Number(taxes), total: Number(subtotal + taxes) };
}

export function sumOf(lines: readonly Amounts[]): Amounts {
  const sum = (part: keyof Amounts) => lines.reduce((sofar, line) => sofar + line[part], 0);
  return { subtotal: sum("subtotal"), taxes: sum("taxes"), total: sum("total") };
}

/** What is left of a payment once refunds are taken off; nothing of one that has not come in. */
export function leftOf({ status, total, refunded }: Payment, exponent: number): number {
  return status === "draft" ? 0 : minorOf(total, exponent) - minorOf(refunded, exponent);
}

export interface Balance {
  paid: number;
  /** Below zero: more was paid than is owed. */
  owed: number;
}

export function balanceOf({ total, payments }: Invoice, exponent: number): Balance {
  const paid = payments.reduce((sum, payment) => sum + leftOf(payment, exponent), 0);
  return { paid, owed: minorOf(total, exponent) - paid };
}

// How an invoice is paid. Pure.
import type { MoneyMethod } from "../api/billing.ts";

/** New money; value that was paid in advance is a credit of the patient's instead. */
export const MONEY_METHODS: readonly MoneyMethod[] = [
  "debit_card",
  "credit_card",
  "cash",
  "e_transfer",
  "cheque",
  "insurer",
  "other",
];

export const isMoneyMethod = (text: string): text is MoneyMethod => MONEY_METHODS.some((method) => method === text);

/** Who may be over-paid: patient invoices, and never from credit; the three package types never (contract §4). */
import type { InvoiceType } from "@hookwell/sdk";
import { conflict } from "../../errors.ts";
import { checkAmount } from "./money.ts";

export interface Standing {
  readonly type: InvoiceType;
  readonly totalMinor: number;
  /** Settled and not refunded, as it would be. */
  readonly netMinor: number;
}

/** @throws ProblemError 409 `over_paid` naming `field`, or 400 when the sum is larger than any amount may be */
export function refuseOverPayment({ type, totalMinor, netMinor }: Standing, field: string): void {
  checkAmount(field, netMinor);
  if (type === "patient_invoice" || netMinor <= totalMinor) return;
  throw conflict(
    "over_paid",
    "More would be paid than this record costs. Only a patient's invoice may be over-paid.",
    field,
  );
}

/** @throws ProblemError 409 `over_paid` when a credit would pay more than is owed */
export function refuseCreditBeyondOwed({ totalMinor, netMinor }: Omit<Standing, "type">): void {
  if (netMinor <= totalMinor) return;
  throw conflict("over_paid", "A credit pays no more than what is still owed. Use a smaller amount.", "total");
}

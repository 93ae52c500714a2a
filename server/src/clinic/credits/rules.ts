/**
 * What a credit is worth, what it may pay and until when. Pure: money in integer minor units, days by the clinic's calendar.
 *
 * The rules that contract §4 leaves open are decided here:
 * - A credit opens when its record is settled in full, and closes while it is not (a payment deleted by mistake, a dearer
 *   line): what has not been paid for cannot be used.
 * - A refund of the record takes value out of the credit in proportion: who gets 40 % of the money back keeps 60 % of the
 *   value. What has been used already is never taken away: such a change is refused (see review.ts).
 * - A gift certificate pays for anything but gift certificates. A package or a membership pays patient invoices only:
 *   packages are bought with new money.
 */
import type { InvoiceType } from "@hookwell/sdk";
import type { CreditKind } from "../billing/credit-source.ts";

/** What is known of the money for a credit's record: T, G and R of contract §4, in minor units. */
export interface RecordMoney {
  readonly totalMinor: number;
  readonly settledGrossMinor: number;
  readonly refundedMinor: number;
}

/** How much of `valueMinor` the money that was paid and not refunded opens, rounded down to a minor unit. */
export function entitledMinor(valueMinor: number, money: RecordMoney): number {
  const { totalMinor, settledGrossMinor, refundedMinor } = money;
  const netMinor = settledGrossMinor - refundedMinor;
  if (netMinor >= totalMinor) return valueMinor;
  if (settledGrossMinor < totalMinor) return 0;
  return Number((BigInt(valueMinor) * BigInt(netMinor)) / BigInt(totalMinor));
}

/** The last day of a credit that opens on `openedOn` and can be used on `days` more days; null where it has no end. */
export function lastDay(openedOn: Temporal.PlainDate, days: number | null): Temporal.PlainDate | null {
  return days === null ? null : openedOn.add({ days });
}

/** Expired from the day after its last one, by the clinic's calendar. */
export function isExpired(expiresOn: string | null, today: Temporal.PlainDate): boolean {
  return expiresOn !== null && Temporal.PlainDate.compare(expiresOn, today) < 0;
}

/** In which order credits are used up: first what expires first, what never expires last, and the older one of two alike. */
export function byUrgency(one: Urgency, other: Urgency): number {
  if (one.expiresOn === other.expiresOn) return one.id - other.id;
  if (one.expiresOn === null) return 1;
  if (other.expiresOn === null) return -1;
  return Temporal.PlainDate.compare(one.expiresOn, other.expiresOn);
}

interface Urgency {
  readonly id: number;
  readonly expiresOn: string | null;
}

/** Whether a credit of this kind may pay for a record of this type. */
export function mayPay(kind: CreditKind, type: InvoiceType): boolean {
  if (type === "patient_invoice") return true;
  return kind === "gift_certificate" && type !== "clinic_package_gift_certificate";
}

/** The states in which a gift certificate can be. `expired` comes from the calendar alone; nothing has to run for it. */
export type GiftCertificateState = "unpaid" | "ready" | "redeemed" | "used" | "expired";

export interface GiftCertificateFacts {
  readonly entitledMinor: number;
  readonly drawnMinor: number;
  readonly expiresOn: string | null;
  readonly redeemed: boolean;
}

/** Unpaid also covers one whose money was refunded: nothing paid stands behind it. */
export function giftCertificateState(facts: GiftCertificateFacts, today: Temporal.PlainDate): GiftCertificateState {
  if (facts.entitledMinor === 0) return "unpaid";
  if (facts.drawnMinor === facts.entitledMinor) return "used";
  if (isExpired(facts.expiresOn, today)) return "expired";
  return facts.redeemed ? "redeemed" : "ready";
}

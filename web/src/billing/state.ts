// Which colour and icon a state has; the words are in the dictionaries. Pure.
import type { InvoiceStatus, PaymentStatus } from "@hookwell/sdk";
import type { GiftCertificateState } from "../api/billing.ts";
import type { Tone } from "../ui/Callout.tsx";

export const INVOICE_TONES: Readonly<Record<InvoiceStatus, Tone>> = {
  draft: "warn",
  partially_paid: "warn",
  paid_in_full: "good",
  paid: "good",
  over_paid: "bad",
  no_payment_needed: "calm",
  partially_refunded: "calm",
  refunded: "calm",
};

export const PAYMENT_TONES: Readonly<Record<PaymentStatus, Tone>> = {
  draft: "warn",
  paid: "good",
  partially_refunded: "calm",
  refunded: "calm",
};

export const GIFT_TONES: Readonly<Record<GiftCertificateState, Tone>> = {
  unpaid: "warn",
  ready: "good",
  redeemed: "good",
  used: "calm",
  expired: "bad",
};

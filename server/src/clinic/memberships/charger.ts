/**
 * Taking a membership's money: the one place where a payment processor would be plugged in.
 *
 * Owns the interface and the practice card, which stands in for a processor and asks nobody. A decline is a value; an
 * exception means that the outcome is not known.
 *
 * A real processor must take `key` as its idempotency key: it names one charge and one try. The charge's row is written in
 * the transaction that asks, so that a transaction which was rolled back after the processor had said yes asks again under
 * the same key and gets the same yes; the processor keeps the key, we keep the row. (Such a processor is asked outside any
 * transaction: the row first, committed as "begun", then the question, then the outcome.)
 */

/** Where the money comes from. */
export const PAYMENT_SOURCES = ["at_desk", "practice_card", "practice_card_declined"] as const;
export type PaymentSource = (typeof PAYMENT_SOURCES)[number];
/** What can be charged without the patient being there. */
export type CardSource = Exclude<PaymentSource, "at_desk">;

export interface ChargeRequest {
  /** The same for the same try of the same charge, whoever asks and however often: `<membership>-<charge number>-<try>`. */
  readonly key: string;
  readonly source: CardSource;
  /** In the currency's smallest unit, above 0. */
  readonly totalMinor: number;
  readonly currency: string;
}

export type ChargeOutcome = { readonly outcome: "paid" } | { readonly outcome: "declined" };

export interface Charger {
  charge(request: ChargeRequest): Promise<ChargeOutcome>;
}

/** Accepts or declines by the card's name. No network, no money. */
export const practiceCard: Charger = {
  async charge({ source }) {
    return { outcome: source === "practice_card" ? "paid" : "declined" };
  },
};

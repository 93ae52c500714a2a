/**
 * What billing needs of a patient's credits: packages, membership value and gift certificates.
 *
 * Owns the words of that conversation only. Credits live in a room above this one; clinic/billing-transaction.ts plugs them in.
 */
export type CreditKind = "package" | "membership" | "gift_certificate";

export interface UsableCredit {
  readonly id: number;
  readonly kind: CreditKind;
  /** More than zero, in the currency asked for. */
  readonly remainingMinor: number;
}

/** All of it happens in the transaction for which the source was made. */
export interface CreditSource {
  /** The patient's credits that could pay now in this currency, the one that expires first at the front. */
  usable(wanted: { readonly clientId: number; readonly currency: string }): Promise<readonly UsableCredit[]>;
  /** Locks the credits that will be drawn, and those that a patient could pay with, in one order for everybody. */
  lock(wanted: CreditsToLock): Promise<void>;
  /**
   * Takes value from a credit, its row locked, and says of what kind it is.
   * @throws ProblemError naming `credit_id` when the patient has no such credit in this currency, or it has expired; naming
   *   `total` when it holds less
   */
  draw(draw: CreditDraw): Promise<CreditKind>;
  /** Puts value back into the credit that it came from; an expired one stays expired. */
  giveBack(back: { readonly creditId: number; readonly totalMinor: number }): Promise<void>;
}

export interface CreditsToLock {
  readonly creditIds: readonly number[];
  readonly usableBy?: { readonly clientId: number; readonly currency: string };
}

export interface CreditDraw {
  readonly creditId: number;
  readonly clientId: number;
  readonly currency: string;
  readonly totalMinor: number;
}

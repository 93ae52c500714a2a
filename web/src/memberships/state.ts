// What a membership's state looks like and what can be done in it. Pure.
import type { Membership, MembershipState, PaymentSource } from "../api/memberships.ts";
import type { Tone } from "../ui/Callout.tsx";

export const MEMBERSHIP_STATES: readonly MembershipState[] = ["active", "pending", "paused", "cancelled", "ended"];
export const PAYMENT_SOURCES: readonly PaymentSource[] = ["at_desk", "practice_card", "practice_card_declined"];

export const MEMBERSHIP_TONES: Readonly<Record<MembershipState, Tone>> = {
  pending: "warn",
  active: "good",
  paused: "calm",
  cancelled: "calm",
  ended: "calm",
};

export type Act = "markPaid" | "pause" | "resume" | "undo" | "switch" | "source" | "cancel";

/** The server's own rules, so that nothing is offered that it would refuse. `today` is the clinic's day. */
export function actsOf(membership: Membership, today: string): Act[] {
  const { state, plan, last_charge: charge, retry_on: retry, cancel_reason: reason, access_until: until } = membership;
  const isUnpaid = charge !== null && charge.outcome !== "paid";
  // The charges of the other type have records of their own, which are paid there.
  const markPaid: Act[] = plan.type === "academy_membership" && isUnpaid ? ["markPaid"] : [];
  switch (state) {
    case "pending":
      return [...markPaid, "source", "cancel"];
    case "active":
      return [...markPaid, ...(retry === null ? (["pause"] as const) : []), "switch", "source", "cancel"];
    case "paused":
      return ["resume", "switch", "source", "cancel"];
    case "cancelled":
      return until !== null && until > today && reason !== "switched" ? ["undo"] : [];
    case "ended":
      return [];
  }
}

// A delivery's state as tone and word. Pure.
import type { Delivery } from "../api-types.ts";
import type { Tone } from "../ui/Callout.tsx";

export const DELIVERY_TONES: Readonly<Record<Delivery["state"], Tone>> = {
  waiting: "warn",
  sending: "warn",
  delivered: "good",
  given_up: "bad",
  cancelled: "calm",
};

/** What can be sent again: anything that has come to its end. */
export function canResend(state: Delivery["state"]): boolean {
  return state === "delivered" || state === "given_up" || state === "cancelled";
}

const REASONS = ["off", "deleted", "erased", "expired", "not_shared"] as const;
export type CancelReason = (typeof REASONS)[number] | "other";

/** Why a delivery was cancelled; a reason this page does not know yet is told as "other". */
export function cancelReason(reason: string | null): CancelReason {
  return REASONS.find((known) => known === reason) ?? "other";
}

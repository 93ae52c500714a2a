// A delivery's state as tone and word. Pure.
import type { Delivery, DeliveryDetail } from "../api-types.ts";
import type { Tone } from "../ui/Callout.tsx";

export const DELIVERY_TONES: Readonly<Record<Delivery["state"], Tone>> = {
  waiting: "warn",
  sending: "warn",
  delivered: "good",
  given_up: "bad",
  cancelled: "calm",
};

const ENDED: ReadonlySet<Delivery["state"]> = new Set(["delivered", "given_up", "cancelled"]);

/** How a delivery's webhook is now; "unknown" until the list of webhooks is there. */
export type WebhookNow = "on" | "off" | "deleted" | "unknown";

type Resendable = Pick<DeliveryDetail, "test" | "state"> & {
  request: Pick<DeliveryDetail["request"], "body" | "veiled">;
};

/** Why a delivery cannot be sent again now; null where it can. The server refuses the same, in its own time. */
export function resendObstacle({ test, state, request }: Resendable, webhook: WebhookNow) {
  // First, because the webhook of a test may have been a draft, which nobody deleted.
  if (test) return "test";
  if (webhook === "deleted") return "deleted";
  if (!ENDED.has(state)) return "unfinished";
  if (request.body === null && !request.veiled) return "gone";
  return webhook === "off" ? "off" : null;
}

const REASONS = ["off", "deleted", "erased", "expired", "not_shared"] as const;
export type CancelReason = (typeof REASONS)[number] | "other";

/** Why a delivery was cancelled; a reason this page does not know yet is told as "other". */
export function cancelReason(reason: string | null): CancelReason {
  return REASONS.find((known) => known === reason) ?? "other";
}

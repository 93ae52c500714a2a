// The state of a webhook in words: which sentence of the dictionary says it. Pure.
import type { Webhook } from "../api-types.ts";
import type { Tone } from "../ui/Callout.tsx";

export type HealthSentence =
  | "not_set_up"
  | "working"
  | "ready"
  | "waiting"
  | "waiting_first"
  | "paused"
  | "needs_attention"
  | "off_by_you"
  | "off_gone"
  | "off_failing";

type Badge = Webhook["state"] | "paused";

/** The administrator's pause says more than how its receiver does; what is off anyway is simply off. */
const isPaused = ({ enabled, sending_paused }: Pick<Webhook, "enabled" | "sending_paused">) =>
  enabled && sending_paused;

export function badgeOf(webhook: Pick<Webhook, "state" | "enabled" | "sending_paused">): Badge {
  return isPaused(webhook) ? "paused" : webhook.state;
}

export const STATE_TONES: Readonly<Record<Badge, Tone>> = {
  ready: "calm",
  paused: "warn",
  not_set_up: "calm",
  working: "good",
  waiting: "warn",
  needs_attention: "bad",
  off_by_you: "calm",
  off_by_us: "bad",
};

/** The sentence, and the moment it speaks of where there is one. */
export function healthOf(webhook: Webhook): { sentence: HealthSentence; moment: string | null } {
  if (isPaused(webhook)) return { sentence: "paused", moment: null };
  switch (webhook.state) {
    case "waiting":
      return { sentence: webhook.address_answered ? "waiting" : "waiting_first", moment: null };
    case "working":
      return { sentence: "working", moment: webhook.last_delivered_at };
    case "needs_attention":
      return { sentence: "needs_attention", moment: webhook.last_failed_at };
    case "off_by_us":
      return { sentence: webhook.off_reason === "receiver_gone" ? "off_gone" : "off_failing", moment: null };
    default:
      return { sentence: webhook.state, moment: null };
  }
}

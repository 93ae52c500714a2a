/** The states in which a manager sees a webhook: the six of experience.md, and one for what has not shown yet that it works. Pure. */

export type WebhookState =
  | "not_set_up"
  | "ready"
  | "working"
  | "waiting"
  | "needs_attention"
  | "off_by_you"
  | "off_by_us";
export type OffReason = "you" | "receiver_gone" | "failing";

export interface StateInput {
  readonly draft: boolean;
  readonly enabled: boolean;
  readonly offReason: OffReason | null;
  readonly eventCount: number;
  readonly waitingCount: number;
  /** the address as it is now has answered 2xx, be it to a test */
  readonly addressAnswered: boolean;
  readonly lastDeliveredAt: Temporal.Instant | null;
  readonly lastFailedAt: Temporal.Instant | null;
}

/**
 * Derived from what is known, never stored. A webhook whose last attempt failed needs attention; one that failed and has
 * delivered since does not, however much it failed before. A quiet webhook is a working one, once something
 * has arrived at its address as it is now: until then it is ready, and nobody knows more than that, not even that its name exists.
 */
export function webhookState(input: StateInput): WebhookState {
  if (input.draft || input.eventCount === 0) return "not_set_up";
  if (!input.enabled) return input.offReason === "you" || input.offReason === null ? "off_by_you" : "off_by_us";
  if (lastAttemptFailed(input)) return "needs_attention";
  if (input.waitingCount > 0) return "waiting";
  return input.lastDeliveredAt !== null && input.addressAnswered ? "working" : "ready";
}

function lastAttemptFailed({ lastDeliveredAt, lastFailedAt }: StateInput): boolean {
  if (lastFailedAt === null) return false;
  return lastDeliveredAt === null || Temporal.Instant.compare(lastFailedAt, lastDeliveredAt) > 0;
}

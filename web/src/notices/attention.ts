// Which notices still ask for something. Pure.
import type { Notice, NoticeKind } from "../api/notices.ts";
import type { Webhook } from "../api-types.ts";

const OF_RECEIVER: ReadonlySet<NoticeKind> = new Set([
  "webhook.failing",
  "webhook.still_failing",
  "webhook.off_soon",
  "webhook.turned_off",
  "webhook.gone",
]);

/** They stand in the list and behind the bell; whoever made the change need not be told by a banner. */
const OF_CHANGES: ReadonlySet<NoticeKind> = new Set(["webhook.address_changed", "webhook.patient_data_on"]);

/** Whether the other system still has not heard of it. What is no longer kept is long past. */
function isStillLate({ delivery_state: state }: Notice): boolean {
  return state !== "delivered" && state !== null;
}

/**
 * The newest notice of each webhook that still is as the notice says, and whatever else nobody has read. A webhook that works
 * again, was turned off by a person or is gone asks for nothing, and neither does what was late and has arrived.
 *
 * @param notices newest first
 */
export function needingAttention(notices: readonly Notice[], webhooks: readonly Webhook[]): Notice[] {
  const states = new Map(webhooks.map(({ id, state }) => [Number(id), state]));
  const seen = new Set<number>();
  return notices.filter((notice) => {
    if (notice.webhook === null || notice.kind === "webhook.recovered" || OF_CHANGES.has(notice.kind)) return false;
    const { id } = notice.webhook;
    const state = states.get(id);
    if (state === undefined) return false;
    if (notice.kind === "delivery.late" && !isStillLate(notice)) return false;
    if (!OF_RECEIVER.has(notice.kind)) return notice.read_at === null;
    if (seen.has(id)) return false;
    seen.add(id);
    return state === "needs_attention" || state === "off_by_us";
  });
}

import { describe, expect, it } from "vitest";
import type { Notice, NoticeKind } from "../api/notices.ts";
import type { Webhook } from "../api-types.ts";
import { needingAttention } from "./attention.ts";

const webhook = (id: number, state: Webhook["state"]) => ({ id, state }) as Webhook;
const notice = (id: number, kind: NoticeKind, webhookId: number, read = false) =>
  ({
    id,
    kind,
    webhook: { id: webhookId, name: "x", deleted: false },
    delivery_state: kind === "delivery.late" ? "waiting" : null,
    read_at: read ? "2026-11-03T09:00:00Z" : null,
  }) as Notice;
const idsOf = (notices: Notice[]) => notices.map(({ id }) => id);

describe("what needs attention", () => {
  it("is the newest notice of each webhook that still fails or was turned off by us, read or not", () => {
    const notices = [
      notice(4, "webhook.still_failing", 1, true),
      notice(3, "webhook.failing", 1),
      notice(2, "webhook.gone", 2),
      notice(1, "webhook.failing", 3),
    ];
    const webhooks = [webhook(1, "needs_attention"), webhook(2, "off_by_us"), webhook(3, "working")];
    expect(idsOf(needingAttention(notices, webhooks))).toEqual([4, 2]);
  });

  it("is every late delivery that nobody has read", () => {
    const notices = [
      notice(3, "delivery.late", 1),
      notice(2, "delivery.late", 1, true),
      notice(1, "deliveries.expiring", 1),
    ];
    expect(idsOf(needingAttention(notices, [webhook(1, "working")]))).toEqual([3, 1]);
  });

  it("is a late delivery as long as it has not arrived, also where it never will", () => {
    const states = ["delivered", "waiting", "given_up", "cancelled", null] as const;
    const notices = states.map((delivery_state, id) => ({ ...notice(id, "delivery.late", 1), delivery_state }));
    expect(idsOf(needingAttention(notices, [webhook(1, "working")]))).toEqual([1, 2, 3]);
  });

  it("is nothing of a webhook that was deleted, turned off by a person, or has recovered", () => {
    const notices = [
      notice(3, "webhook.failing", 1),
      notice(2, "webhook.failing", 2),
      notice(1, "webhook.recovered", 3),
    ];
    expect(needingAttention(notices, [webhook(1, "off_by_you"), webhook(3, "needs_attention")])).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { deliveryFilters } from "./filters.ts";
import { cancelReason, resendObstacle } from "./state.ts";

describe("the filters in the address", () => {
  it("are read where they are filters, and left out where they are not", () => {
    expect(deliveryFilters({ state: "failed", webhook: "12", event: "consult.updated" })).toEqual({
      state: "failed",
      webhook: 12,
      event: "consult.updated",
    });
    const id = "msg_01a2b3c4d5e670008000000000000001_9";
    const day = { from: "2026-11-01", to: "2026-11-30", id: ` ${id} ` };
    expect(deliveryFilters(day)).toEqual({ ...day, id });
    expect(deliveryFilters({ from: "yesterday", to: "2026-02-30", id: "Jane Doe" })).toEqual({});
    expect(deliveryFilters({ state: "all", webhook: "", event: "toString", other: 1 })).toEqual({});
  });
});

describe("a delivery", () => {
  const ended = { test: false, state: "delivered", request: { body: "{}", veiled: false } } as const;

  it("can be sent again only once it has come to its end", () => {
    const obstacles = (["waiting", "sending", "delivered", "given_up", "cancelled"] as const).map((state) =>
      resendObstacle({ ...ended, state }, "on"),
    );
    expect(obstacles).toEqual(["unfinished", "unfinished", null, null, null]);
  });

  it("is not offered to be sent again where that would always be refused, and says why", () => {
    expect(resendObstacle(ended, "unknown")).toBeNull();
    expect(resendObstacle(ended, "off")).toBe("off");
    expect(resendObstacle(ended, "deleted")).toBe("deleted");
    expect(resendObstacle({ ...ended, request: { body: null, veiled: false } }, "on")).toBe("gone");
    // Hidden from the embedded page, yet kept.
    expect(resendObstacle({ ...ended, request: { body: null, veiled: true } }, "on")).toBeNull();
    // The draft of a test is gone with its dialog; nobody deleted a webhook.
    expect(resendObstacle({ ...ended, test: true }, "deleted")).toBe("test");
  });

  it("tells a reason that this page does not know as a plain one", () => {
    expect([cancelReason("off"), cancelReason("new reason"), cancelReason(null)]).toEqual(["off", "other", "other"]);
  });
});

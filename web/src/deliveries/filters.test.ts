import { describe, expect, it } from "vitest";
import { deliveryFilters } from "./filters.ts";
import { cancelReason, canResend } from "./state.ts";

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
  it("can be sent again only once it has come to its end", () => {
    expect((["waiting", "sending"] as const).some(canResend)).toBe(false);
    expect((["delivered", "given_up", "cancelled"] as const).every(canResend)).toBe(true);
  });

  it("tells a reason that this page does not know as a plain one", () => {
    expect([cancelReason("off"), cancelReason("new reason"), cancelReason(null)]).toEqual(["off", "other", "other"]);
  });
});

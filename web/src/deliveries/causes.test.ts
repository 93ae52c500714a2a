import { describe, expect, it } from "vitest";
import { causeOf, statusWords, toneOf } from "./causes.ts";
import { deliveryFilters } from "./filters.ts";
import { cancelReason, canResend } from "./state.ts";

describe("the cause of an attempt's end", () => {
  it.each([
    ["answered", 200, "accepted"],
    ["answered", 204, "accepted"],
    ["answered", 302, "moved"],
    ["answered", 400, "rejected"],
    ["answered", 401, "refused"],
    ["answered", 403, "refused"],
    ["answered", 404, "nothing_here"],
    ["answered", 410, "gone"],
    ["answered", 422, "rejected"],
    ["answered", 429, "busy"],
    ["answered", 503, "broken"],
    ["timed_out", null, "timeout"],
    ["name_not_found", null, "not_found"],
    ["connection_refused", null, "not_answering"],
    ["unreachable", null, "not_answering"],
    ["reset", null, "broke_off"],
    ["malformed_answer", null, "unreadable"],
    ["tls", null, "certificate"],
    ["refused_address", null, "blocked"],
    ["failed_here", null, "ours"],
    ["sending", null, "sending"],
    ["something new", null, "unknown"],
  ])("%s with %s is %s", (outcome, status, cause) => {
    expect(causeOf(outcome, status)).toBe(cause);
  });

  it("looks good only where the message was accepted", () => {
    expect(toneOf(causeOf("answered", 200))).toBe("good");
    expect(toneOf(causeOf("answered", 302))).toBe("bad");
    expect(toneOf("unknown")).toBe("warn");
    expect([statusWords(200), statusWords(418)]).toEqual(["200 OK", "418"]);
  });
});

describe("the filters in the address", () => {
  it("are read where they are filters, and left out where they are not", () => {
    expect(deliveryFilters({ state: "failed", webhook: "12", event: "consult.updated" })).toEqual({
      state: "failed",
      webhook: 12,
      event: "consult.updated",
    });
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

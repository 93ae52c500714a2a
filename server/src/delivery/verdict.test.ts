import { describe, expect, test } from "vitest";
import { OUTCOME_KINDS, type Outcome } from "../egress/outcome.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

function answered(status: number, { headers = {}, text = "" } = {}): Outcome {
  return { kind: "answered", answer: { status, headers, text, truncated: false }, durationMs: 1, bodySent: true };
}
const location = (url: string) => ({ headers: { location: url } });
const GOOGLE = "https://script.googleusercontent.com/macros/echo?user_content_key=x";

describe("the verdict on an answer", () => {
  test.each<[Verdict, number[]]>([
    ["delivered", [200, 201, 202, 204, 299]],
    ["gone", [410]],
    ["too_fast", [429, 502, 503, 504]],
    ["delivery_fails", [400, 413, 422]],
    ["receiver_fails", [300, 301, 302, 307, 308, 401, 402, 403, 404, 405, 409, 418, 499, 500, 501, 505, 599]],
  ])("is %s for %j", (verdict, statuses) => {
    expect(statuses.map((status) => verdictOf(answered(status), null))).toEqual(statuses.map(() => verdict));
  });

  test("where there is none: every failure is the receiver's but our own faults", () => {
    for (const kind of OUTCOME_KINDS.filter((other) => other !== "answered")) {
      const isOurs = kind === "failed_here" || kind === "unknown";
      const outcome: Outcome = { kind, detail: "x", durationMs: 1, bodySent: false };
      expect([kind, verdictOf(outcome, null)]).toEqual([kind, isOurs ? "ours" : "receiver_fails"]);
    }
  });
});

describe("known services", () => {
  test("Google Apps Script has run when it redirects to where its output lies", () => {
    expect(verdictOf(answered(302, location(GOOGLE)), "google_script")).toBe("delivered");
  });

  test.each([
    ["another service", GOOGLE, null, 302],
    ["another target", "https://accounts.google.com/signin", "google_script", 302],
    ["a target that only looks like it", "https://script.googleusercontent.com.example.test/", "google_script", 302],
    ["another status", GOOGLE, "google_script", 301],
    ["no target", "", "google_script", 302],
  ] as const)("%s that redirects has not", (_what, url, host, status) => {
    expect(verdictOf(answered(status, location(url)), host)).toBe("receiver_fails");
  });

  test("Make's full queue is told with a 400, and means 429", () => {
    const full = answered(400, { text: "Queue is full." });
    expect(verdictOf(full, "make")).toBe("too_fast");
    expect(verdictOf(full, null)).toBe("delivery_fails");
    expect(verdictOf(answered(400, { text: "Bad request" }), "make")).toBe("delivery_fails");
  });
});

import { describe, expect, it } from "vitest";
import { safeReturnPath } from "./redirect.ts";

describe("the way back after signing in", () => {
  it("is the page that was asked for", () => {
    expect(safeReturnPath("/deliveries?state=failed")).toBe("/deliveries?state=failed");
  });

  it("never leads to another site, nor round in circles", () => {
    for (const wanted of [
      undefined,
      7,
      "",
      "//evil.test",
      "/\\evil.test",
      "https://evil.test",
      "javascript:alert(1)",
      "/sign-in",
      "/a\\b",
    ]) {
      expect(safeReturnPath(wanted)).toBe("/schedule");
    }
  });
});

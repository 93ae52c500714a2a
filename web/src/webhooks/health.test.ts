import { describe, expect, test } from "vitest";
import type { Webhook } from "../api-types.ts";
import { badgeOf, healthOf } from "./health.ts";

const webhook = (facts: Partial<Webhook>): Webhook =>
  ({
    ...{ state: "waiting", enabled: true, sending_paused: false, address_answered: true, waiting_count: 2 },
    ...{ last_delivered_at: null, last_failed_at: null, off_reason: null },
    ...facts,
  }) as Webhook;

describe("a webhook's state in words", () => {
  test("says that the administrator paused it, whatever its receiver does", () => {
    for (const state of ["working", "waiting", "needs_attention"] as const) {
      const paused = webhook({ state, sending_paused: true });
      expect([badgeOf(paused), healthOf(paused).sentence]).toEqual(["paused", "paused"]);
    }
    const off = webhook({ state: "off_by_you", enabled: false, sending_paused: true });
    expect([badgeOf(off), healthOf(off).sentence]).toEqual(["off_by_you", "off_by_you"]);
  });

  test("claims nothing of an address at which nothing has arrived yet", () => {
    const ready = webhook({ state: "ready", waiting_count: 0 });
    expect([badgeOf(ready), healthOf(ready)]).toEqual(["ready", { sentence: "ready", moment: null }]);
  });

  test("says why what waits goes out slowly, until the address has answered once", () => {
    expect(healthOf(webhook({ address_answered: false })).sentence).toBe("waiting_first");
    expect(healthOf(webhook({ address_answered: true })).sentence).toBe("waiting");
  });
});

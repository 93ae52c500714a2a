import { describe, expect, test } from "vitest";
import type { Invoice } from "../api/billing.ts";
import type { Membership } from "../api/memberships.ts";
import { membershipFilters } from "./filters.ts";
import { actsOf } from "./state.ts";
import { timelineOf } from "./timeline.ts";

const TODAY = "2026-03-10";

const membership = (changes: Partial<Membership>): Membership => ({
  id: 1,
  plan: { id: 2, name: "Sample plan", type: "clinic_package_membership" },
  client: { id: 3, name: "Test Patient One", email: null },
  state: "active",
  recurrence_interval: "month",
  started_at: "2026-03-01T09:00:00-05:00",
  cancelled_at: null,
  cancel_reason: null,
  access_until: null,
  next_charge_on: "2026-04-01",
  payments_made: 1,
  number_of_payments: null,
  payment_source: "practice_card",
  last_charge: { on: "2026-03-01", outcome: "paid" },
  retry_on: null,
  invoices: [9],
  subject: "membership:1",
  ...changes,
});

describe("what can be done with a membership", () => {
  test.each<[string, Partial<Membership>, string[]]>([
    ["active", {}, ["pause", "switch", "source", "cancel"]],
    [
      "active with a declined charge",
      { last_charge: { on: TODAY, outcome: "declined" }, retry_on: "2026-03-11" },
      ["switch", "source", "cancel"],
    ],
    ["pending", { state: "pending", last_charge: { on: TODAY, outcome: "awaiting" } }, ["source", "cancel"]],
    ["paused", { state: "paused" }, ["resume", "switch", "source", "cancel"]],
    ["cancelled, with days left", { state: "cancelled", cancel_reason: "staff", access_until: "2026-03-11" }, ["undo"]],
    ["cancelled, its days over", { state: "cancelled", cancel_reason: "staff", access_until: TODAY }, []],
    ["switched", { state: "cancelled", cancel_reason: "switched", access_until: "2026-03-11" }, []],
    ["ended", { state: "ended" }, []],
  ])("that is %s", (_, changes, acts) => {
    expect(actsOf(membership(changes), TODAY)).toEqual(acts);
  });

  test("of the academy: its charges have no record, so they are marked as paid here", () => {
    const plan = { id: 2, name: "Sample academy", type: "academy_membership" } as const;
    const unpaid = { on: TODAY, outcome: "awaiting" } as const;
    expect(actsOf(membership({ plan, state: "pending", last_charge: unpaid }), TODAY)[0]).toBe("markPaid");
    expect(actsOf(membership({ plan }), TODAY)).not.toContain("markPaid");
  });
});

describe("the timeline", () => {
  const charge = (id: number, invoice_date: string) => ({ id, invoice_date }) as Invoice;

  test("tells charges, the start, the cancellation and what comes next in order of their days", () => {
    const shown = membership({
      started_at: "2026-02-01T09:00:00-05:00",
      cancelled_at: "2026-03-05T12:00:00-05:00",
      cancel_reason: "patient",
      access_until: "2026-04-01",
      next_charge_on: null,
    });
    const steps = timelineOf(shown, [charge(12, "2026-03-01"), charge(9, "2026-02-01")], TODAY);
    expect(steps.map(({ kind, day, isAhead }) => [kind, day, isAhead])).toEqual([
      ["charge", "2026-02-01", false],
      ["started", "2026-02-01", false],
      ["charge", "2026-03-01", false],
      ["cancelled", "2026-03-05", false],
      ["accessEnds", "2026-04-01", true],
    ]);
  });

  test("of a membership without records tells its latest charge", () => {
    const steps = timelineOf(membership({ invoices: [] }), [], TODAY);
    expect(steps.map(({ kind }) => kind)).toEqual(["lastCharge", "started", "nextCharge"]);
  });
});

test("an address gives the filters that it names, and nonsense still opens the whole list", () => {
  expect(membershipFilters({ state: "active", plan: "2", patient: 3 })).toEqual({
    state: "active",
    plan: 2,
    patient: 3,
  });
  expect(membershipFilters({ state: "x", plan: "-1", patient: "Zoé" })).toEqual({});
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { after, isAllowed, isRunning, type MembershipState, membershipEvent, type Transition } from "./states.ts";

const TRANSITIONS: readonly Transition[] = ["activate", "withdraw", "pause", "unpause", "cancel", "undo", "complete"];

describe("a membership's transitions", () => {
  test.each([
    ["pending", ["activate", "withdraw"]],
    ["active", ["pause", "cancel", "complete"]],
    ["paused", ["unpause", "cancel"]],
    ["cancelled", ["undo"]],
    ["ended", []],
  ] as [MembershipState, Transition[]][])("from %s are %s and no other", (state, allowed) => {
    expect(TRANSITIONS.filter((transition) => isAllowed(transition, state))).toEqual(allowed);
    for (const transition of TRANSITIONS.filter((one) => !allowed.includes(one))) {
      expect(() => after(transition, state)).toThrow(`${state} cannot ${transition}`);
    }
  });
});

describe("what one transaction tells of a membership", () => {
  const told = (before: MembershipState | null, now: MembershipState) => membershipEvent(before, now);

  test.each([
    ["it is assigned and paid at once", null, "active", "membership.started"],
    ["its first charge is paid", "pending", "active", "membership.started"],
    ["a cancellation is undone", "cancelled", "active", "membership.started"],
    ["it is cancelled", "active", "cancelled", "membership.cancelled"],
    ["it is cancelled during a pause", "paused", "cancelled", "membership.cancelled"],
    ["it is assigned and not paid", null, "pending", null],
    ["it begins and is cancelled at once", null, "cancelled", null],
    ["it is withdrawn before it began", "pending", "cancelled", null],
    ["it is paused", "active", "paused", null],
    ["it goes on after a pause", "paused", "active", null],
    ["its fixed term is over", "active", "ended", null],
    ["it renews, or a cancellation is made and undone in one transaction", "active", "active", null],
    ["it stays cancelled", "cancelled", "cancelled", null],
  ] as [string, MembershipState | null, MembershipState, string | null][])("when %s", (_, before, now, event) => {
    expect(told(before, now)).toBe(event);
  });

  test("keeps a receiver right who knows only the events, over any life cut into transactions anyhow", () => {
    const lives = fc.array(fc.tuple(fc.constantFrom(...TRANSITIONS), fc.boolean()), { maxLength: 40 });
    fc.assert(fc.property(lives, checkLife));
  });
});

/** Lives it, commits after some of the steps, and compares with what one who hears the events believes. */
function checkLife(steps: readonly (readonly [Transition, boolean])[]): void {
  let state: MembershipState = "pending";
  let committed: MembershipState | null = null;
  let believed: MembershipEvent | null = null;
  for (const [transition, commits] of steps) {
    if (isAllowed(transition, state)) state = after(transition, state);
    if (!commits) continue;
    const event = membershipEvent(committed, state);
    if (event !== null) expect(event).not.toBe(believed);
    believed = event ?? believed;
    committed = state;
    // What ended by itself was told as started, and rightly so: receivers hear nothing of the end.
    if (state !== "ended") expect(believed === "membership.started").toBe(isRunning(state));
  }
}

type MembershipEvent = ReturnType<typeof membershipEvent>;

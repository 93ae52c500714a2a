/**
 * The life of a membership: its states, and each way from one to another by name. Pure.
 *
 * Owns which change is allowed when, and what receivers are told of it (contract §1, §4). There is no other way to a new
 * state than a function of this file.
 *
 * ```mermaid
 * stateDiagram-v2
 *     [*] --> pending: assign
 *     pending --> active: activate (the first charge is paid): membership.started
 *     pending --> cancelled: withdraw (it never began): nothing to tell
 *     active --> paused: pause
 *     paused --> active: unpause
 *     active --> cancelled: cancel: membership.cancelled
 *     paused --> cancelled: cancel: membership.cancelled
 *     cancelled --> active: undo, while what was paid for lasts: membership.started
 *     active --> ended: complete (the last period of a fixed term is over)
 * ```
 *
 * The end of the time that was paid for, after a cancellation, is no new state: `cancelled` stays, access goes.
 */

export const MEMBERSHIP_STATES = ["pending", "active", "paused", "cancelled", "ended"] as const;
export type MembershipState = (typeof MEMBERSHIP_STATES)[number];

export const CANCEL_REASONS = ["staff", "patient", "payment_failed", "switched"] as const;
export type CancelReason = (typeof CANCEL_REASONS)[number];

/** The ways from one state to another. */
export type Transition = "activate" | "withdraw" | "pause" | "unpause" | "cancel" | "undo" | "complete";

const TRANSITIONS: Readonly<Record<Transition, { from: readonly MembershipState[]; to: MembershipState }>> = {
  activate: { from: ["pending"], to: "active" },
  withdraw: { from: ["pending"], to: "cancelled" },
  pause: { from: ["active"], to: "paused" },
  unpause: { from: ["paused"], to: "active" },
  cancel: { from: ["active", "paused"], to: "cancelled" },
  undo: { from: ["cancelled"], to: "active" },
  complete: { from: ["active"], to: "ended" },
};

/** Whether the transition begins at this state. */
export function isAllowed(transition: Transition, state: MembershipState): boolean {
  return TRANSITIONS[transition].from.includes(state);
}

/** The state that the transition leads to. @throws Error when it does not begin at `state`: a bug, to be asked before */
export function after(transition: Transition, state: MembershipState): MembershipState {
  if (!isAllowed(transition, state)) throw new Error(`a membership that is ${state} cannot ${transition}`);
  return TRANSITIONS[transition].to;
}

export type MembershipEvent = "membership.started" | "membership.cancelled";

/**
 * What one transaction tells of a membership, by its state before and after: at most one event.
 *
 * Begun or taken up again: started. Taken back while it ran: cancelled. What began and was cancelled in one transaction is
 * nothing, as is one that never began. Pause and natural end tell nothing (contract §1, §4).
 * @param before null when the membership came to exist in this transaction
 */
export function membershipEvent(before: MembershipState | null, now: MembershipState): MembershipEvent | null {
  const wasRunning = before !== null && isRunning(before);
  if (!wasRunning && isRunning(now)) return "membership.started";
  return wasRunning && now === "cancelled" ? "membership.cancelled" : null;
}

/** Begun, not cancelled, not over. A pause is part of it. */
export function isRunning(state: MembershipState): boolean {
  return state === "active" || state === "paused";
}

/**
 * The health of a webhook's receiver, attempt by attempt: when it is parked, when it is probed, when it is turned off, and of
 * what its clinic is told. Pure: no clock, no I/O; every time is in ms of one monotonic clock that the caller chooses.
 *
 * Source: contract §7. A webhook is parked after at least FAILURES_TO_PARK failures in a row over at least PARK_AFTER_MS, all
 * of the receiver itself. While it is parked nothing is sent but a probe now and then. After so many failures it is paced
 * until then: BACK_OFF_MS between two requests. Most of what waits for a receiver that is gone for less than a minute has then
 * not been tried in vain, and those that are well are not kept busy with it. A webhook to which nothing is sent has no
 * attempts, and so is never turned off: a quiet webhook is not a failing one.
 */
import type { Verdict } from "./verdict.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const FAILURES_TO_PARK = 5;
export const PARK_AFTER_MS = MINUTE_MS;
/** As long as a delivery waits after its first failure. */
export const BACK_OFF_MS = 5_000;
/** Waits before the 1st, 2nd, … probe of a parked webhook; the last one is repeated. */
export const PROBE_WAITS_MS: readonly number[] = [5 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS, 4 * HOUR_MS];
const PROBE_WAIT_LONGEST_MS = 4 * HOUR_MS;
export const STILL_FAILING_AFTER_MS = DAY_MS;
/** The warning comes at least this long before a webhook is turned off, even where no attempt was made in between. */
export const WARNED_BEFORE_OFF_MS = DAY_MS;
export const OFF_AFTER_MS = 5 * DAY_MS;

/** How far the clinic has been told: not at all, of the first sustained failure, of a day of it, that it will be turned off. */
export type Warned = 0 | 1 | 2 | 3;

export interface Health {
  /** of the receiver itself, in a row */
  readonly failures: number;
  /** when the first of them began; null when there is none */
  readonly failingSinceMs: number | null;
  readonly isParked: boolean;
  /** probes that were answered by anything but a success since it was parked */
  readonly probes: number;
  readonly warned: Warned;
  readonly warnedAtMs: number | null;
}

export const HEALTHY: Health = {
  failures: 0,
  failingSinceMs: null,
  isParked: false,
  probes: 0,
  warned: 0,
  warnedAtMs: null,
};

/** One attempt that was not a test: what it came to, and when it began and ended. */
export interface Observed {
  readonly verdict: Verdict;
  readonly beganMs: number;
  readonly endedMs: number;
}

/** The health after one more attempt. */
export function observe(before: Health, { verdict, beganMs, endedMs }: Observed): Health {
  if (verdict === "ours" || verdict === "gone") return before;
  if (verdict === "delivered") return { ...HEALTHY, warned: before.warned, warnedAtMs: before.warnedAtMs };
  const probes = before.isParked ? before.probes + 1 : 0;
  // The receiver lives: no failure of its own. A probe that came to this was no success either, and the next one has its wait.
  if (verdict === "delivery_fails") return { ...before, probes };
  const failures = before.failures + 1;
  const failingSinceMs = before.failingSinceMs ?? beganMs;
  const isParked = before.isParked || (failures >= FAILURES_TO_PARK && endedMs - failingSinceMs >= PARK_AFTER_MS);
  return { ...before, failures, failingSinceMs, isParked, probes };
}

/**
 * How long a webhook whose receiver fails is left alone after an attempt; where it is parked, probeWaitMs() is longer. Not
 * after one that says that the receiver lives, nor where it has asked for less: then its pace is lower (pace.ts).
 */
export function backOffMs({ failures }: Health, last: Verdict): number {
  const goesOn = last === "delivery_fails" || last === "too_fast";
  return failures >= FAILURES_TO_PARK && !goesOn ? BACK_OFF_MS : 0;
}

/** How long a parked webhook is left alone after its last attempt. */
export function probeWaitMs({ probes }: Health): number {
  return PROBE_WAITS_MS[probes] ?? PROBE_WAIT_LONGEST_MS;
}

/** What has to be done about a webhook besides settling its attempts. */
export type Measure = { readonly kind: "warn"; readonly warned: Warned } | { readonly kind: "turn_off" };

/**
 * What is due now, if anything: the next warning, turning it off, or telling that it has recovered (a warning of level 0).
 * Decided anew after every attempt from what is stored, so that one that was lost with its process is made up for.
 */
export function measureDue({ isParked, failingSinceMs, warned, warnedAtMs }: Health, nowMs: number): Measure | null {
  if (failingSinceMs === null) return warned === 0 ? null : { kind: "warn", warned: 0 };
  if (!isParked) return null;
  const failingMs = nowMs - failingSinceMs;
  if (warned === 3 && failingMs >= OFF_AFTER_MS && nowMs - (warnedAtMs ?? nowMs) >= WARNED_BEFORE_OFF_MS) {
    return { kind: "turn_off" };
  }
  const level = levelAfter(failingMs);
  return level > warned ? { kind: "warn", warned: level } : null;
}

function levelAfter(failingMs: number): Warned {
  if (failingMs >= OFF_AFTER_MS - WARNED_BEFORE_OFF_MS) return 3;
  return failingMs >= STILL_FAILING_AFTER_MS ? 2 : 1;
}

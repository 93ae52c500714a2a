/**
 * What becomes of a delivery after an attempt. Pure: the verdict, the attempt's number and a random number go in, a decision
 * comes out. What becomes of its webhook is in health.ts. Source of every rule: contract §7.
 */
import type { Outcome } from "../egress/outcome.ts";
import type { Verdict } from "./verdict.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Waits after the 1st, 2nd, … failed attempt of a schedule; the first attempt is at once. 75 h 35 min in all: a weekend. */
export const RETRY_WAITS_MS: readonly number[] = [
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
];
export const ATTEMPTS_PER_SCHEDULE = RETRY_WAITS_MS.length + 1;
const JITTER = 0.1;
const LONGEST_WAIT_MS = 24 * HOUR_MS;

export type Decision =
  | { do: "finish"; state: "delivered" }
  | { do: "finish"; state: "given_up"; reason: "schedule_ended" | "test_failed" }
  | { do: "retry"; inMs: number };

export interface DecisionInput {
  verdict: Verdict;
  /** 1 for the first attempt of this schedule */
  attemptOfSchedule: number;
  /** a test is never retried */
  test: boolean;
  /** what the receiver asked for, from askedWaitMs() */
  askedWaitMs: number;
  /** uniform in [0, 1): spreads retries by ±10 % */
  random: number;
}

/** Decides what becomes of a delivery after one attempt. */
export function decide({ verdict, attemptOfSchedule, test, askedWaitMs: asked, random }: DecisionInput): Decision {
  if (verdict === "delivered") return { do: "finish", state: "delivered" };
  if (test) return { do: "finish", state: "given_up", reason: "test_failed" };
  const wait = RETRY_WAITS_MS[attemptOfSchedule - 1];
  // 410 says "gone": the webhook is turned off, and what waits is kept, this delivery included (contract §6, §7).
  if (wait === undefined && verdict !== "gone") return { do: "finish", state: "given_up", reason: "schedule_ended" };
  const jittered = (wait ?? LONGEST_WAIT_MS) * (1 - JITTER + 2 * JITTER * random);
  return { do: "retry", inMs: Math.round(Math.max(jittered, asked)) };
}

/** The two forms of a date that name their zone (RFC 9110 §5.6.7); Date.parse alone would take "May 5" or "-5" for one. */
const HTTP_DATE =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*, \d{2}[ -][A-Z][a-z]{2}[ -](\d{2}|\d{4}) \d{2}:\d{2}:\d{2} GMT$/;
/** The third, which names none and means UTC. */
const ASCTIME_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/;

/**
 * How long a receiver that says "slower" asks to be left alone, in ms: Retry-After (RFC 9110 §10.2.3, seconds or a date), at
 * most the longest step. 0 where it does not ask. It may only lengthen a wait.
 */
export function askedWaitMs(outcome: Outcome, verdict: Verdict, now: Temporal.Instant): number {
  if (verdict !== "too_fast" || outcome.kind !== "answered") return 0;
  const value = outcome.answer.headers["retry-after"]?.trim();
  if (!value) return 0;
  if (/^\d+$/.test(value)) return Math.min(Number(value) * SECOND_MS, LONGEST_WAIT_MS);
  const date = ASCTIME_DATE.test(value) ? `${value} GMT` : HTTP_DATE.test(value) ? value : null;
  const ms = date === null ? 0 : Date.parse(date) - now.epochMilliseconds;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), LONGEST_WAIT_MS) : 0;
}

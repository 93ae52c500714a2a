/** Attempts: each POST left a row and each row tells the truth, numbers rise, waits are not shorter than the schedule (contract §7). */
import {
  type Arrival,
  attemptsBefore,
  CLOCK_GRAIN_MS,
  type Evidence,
  isInDoubt,
  type Trail,
  wasMoved,
} from "./evidence.ts";
import { type AttemptRow, isAccepted, type Span } from "./history.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
/** Contract §7, written down a second time on purpose. */
const WAITS_MS = [
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
] as const;
const JITTER = 0.1;
const LONGEST_WAIT_MS = 24 * HOUR_MS;
const SLOW_DOWN = new Set([429, 502, 503, 504]);

/** Every POST left an attempt row, or is the one that its delivery's row says was begun, and no number was used twice. */
export function* unlogged(evidence: Evidence): Generator<string> {
  for (const { id, row, arrivals, attempts } of evidence.trails.values()) {
    const logged = new Set(attempts.map(({ attempt }) => attempt));
    if (row?.begun) logged.add(row.attempts);
    const seen = new Set<number>();
    for (const { attempt } of arrivals) {
      if (!logged.has(attempt)) yield `${id} attempt ${attempt} left no attempt row`;
      if (seen.has(attempt)) yield `${id} attempt ${attempt} was sent twice`;
      seen.add(attempt);
    }
  }
}

/** An answer that a row speaks of was given. */
export function* invented(evidence: Evidence): Generator<string> {
  for (const { id, row, arrivals, attempts } of evidence.trails.values()) {
    if (row?.test) continue; // tests go to wherever the form says
    for (const { attempt, outcome, status } of attempts) {
      if (outcome !== "answered") continue;
      const answers = arrivals.filter((one) => one.attempt === attempt).map((one) => one.status);
      if (!answers.includes(status))
        yield `${id} attempt ${attempt} is said to have been answered ${status}, and was not`;
    }
  }
}

export function* notRising(evidence: Evidence): Generator<string> {
  for (const { id, arrivals } of evidence.trails.values()) {
    for (const [at, arrival] of arrivals.entries()) {
      const before = arrivals[at - 1];
      if (before && arrival.attempt < before.attempt)
        yield `${id} attempt ${arrival.attempt} arrived after attempt ${before.attempt}`;
    }
  }
}

/** After a failure the next attempt waits as long as the schedule and the receiver's Retry-After say. */
export function* tooEarly(evidence: Evidence): Generator<string> {
  for (const trail of evidence.trails.values()) {
    const numbers = [...new Set([...trail.arrivals, ...trail.attempts].map(({ attempt }) => attempt))].sort(
      (a, b) => a - b,
    );
    for (const attempt of numbers) {
      const waited = waitAfter(trail, attempt);
      if (waited === null) continue;
      const ms = waited.untilMs - waited.fromMs;
      if (ms >= waited.leastMs - CLOCK_GRAIN_MS || wasMoved(evidence, trail.id, waited)) continue;
      yield `${trail.id} attempt ${attempt + 1} came ${Math.round(ms)} ms after a failure, before ${Math.round(waited.leastMs)} ms`;
    }
  }
}

/** Null where there is no next attempt, or nothing had to be waited for: a fault, a resend, a success. */
function waitAfter(trail: Trail, attempt: number): (Span & { leastMs: number }) | null {
  const [row, nextRow] = [attempt, attempt + 1].map((n) => trail.attempts.find((one) => one.attempt === n));
  const [got, next] = [attempt, attempt + 1].map((n) => trail.arrivals.find((one) => one.attempt === n));
  const fromMs = got?.atMs ?? endOf(row);
  const untilMs = next?.atMs ?? nextRow?.startedMs;
  if (fromMs === undefined || untilMs === undefined || row === undefined || isInDoubt(row)) return null;
  if (trail.resent.some((one) => one.fromMs <= untilMs && one.fromMs >= fromMs - MINUTE_MS)) return null;
  if (got && isAccepted(got)) return null;
  const begun = trail.resent.filter(({ untilMs }) => untilMs <= row.startedMs).at(-1);
  const wait = WAITS_MS[attempt - attemptsBefore(trail, begun) - 1] ?? 0;
  return { fromMs, untilMs, leastMs: Math.max(wait * (1 - JITTER), askedMs(got)) };
}

function endOf(row: AttemptRow | undefined): number | undefined {
  return row && row.startedMs + (row.durationMs ?? 0);
}

function askedMs(got: Arrival | undefined): number {
  if (!got || got.retryAfterSeconds === null || !SLOW_DOWN.has(got.status ?? 0)) return 0;
  return Math.min(got.retryAfterSeconds * SECOND_MS, LONGEST_WAIT_MS);
}

/**
 * How fast one webhook, or one host, may be sent to: a token bucket over monotonic time. Pure but for its own count.
 *
 * Below the configured pace there may be a lower limit for a while: after a receiver said "slower", and after it has come
 * back. It doubles every RISE_EVERY_MS until the configured pace is reached (contract §7: it drains at a rising rate).
 */

const BURST_SECONDS = 0.2;
/** Sums of fractions fall short by rounding; without this a request would wait for its token twice. */
const ROUNDING = 1e-6;
export const RISE_EVERY_MS = 5_000;
/** Where a receiver that has come back begins. */
export const FIRST_PER_SECOND = 1;
/** However often it says "slower": one in ten seconds, so that we notice when it is well again. */
const SLOWEST_PER_SECOND = 0.1;
/** Answers to requests that were under way together count as one "slower". */
const SLOWER_AT_MOST_EVERY_MS = 1_000;
/** The longest for which one Retry-After holds up the webhook's other deliveries. */
const PAUSE_MAX_MS = 60_000;

export class Pace {
  #configured: number;
  #limit: { perSecond: number; sinceMs: number } | null = null;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #tokens: number;
  #countedAtMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.#configured = perSecond;
    this.#tokens = burstOf(perSecond);
    this.#countedAtMs = nowMs;
  }

  /** A changed pace holds from now on. */
  set(perSecond: number, nowMs: number): void {
    if (perSecond === this.#configured) return;
    this.#refill(nowMs);
    this.#configured = perSecond;
    this.#tokens = Math.min(this.#tokens, burstOf(this.perSecond(nowMs)));
  }

  /** The pace that holds at this moment. */
  perSecond(nowMs: number): number {
    if (this.#limit === null) return this.#configured;
    const risen = this.#limit.perSecond * 2 ** Math.max(0, (nowMs - this.#limit.sinceMs) / RISE_EVERY_MS);
    if (risen >= this.#configured) this.#limit = null;
    return Math.min(risen, this.#configured);
  }

  /** The receiver has been back since `sinceMs`: from then on its pace rises. */
  riseFrom(sinceMs: number, nowMs: number): void {
    this.#refill(nowMs);
    const risen = FIRST_PER_SECOND * 2 ** Math.max(0, (nowMs - sinceMs) / RISE_EVERY_MS);
    if (risen >= this.perSecond(nowMs)) return; // it is held to less already
    this.#limit = { perSecond: FIRST_PER_SECOND, sinceMs };
    this.#tokens = Math.min(this.#tokens, burstOf(this.perSecond(nowMs)));
  }

  /** The receiver says "slower": half the pace of now, rising again; and nothing at all for `pauseMs`, within limits. */
  slowDown(pauseMs: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, nowMs + Math.min(pauseMs, PAUSE_MAX_MS));
    if (this.#limit !== null && nowMs - this.#limit.sinceMs < SLOWER_AT_MOST_EVERY_MS) return;
    this.#limit = { perSecond: Math.max(SLOWEST_PER_SECOND, this.perSecond(nowMs) / 2), sinceMs: nowMs };
    this.#tokens = Math.min(this.#tokens, burstOf(this.#limit.perSecond));
  }

  /** How many requests may start now. */
  available(nowMs: number): number {
    this.#refill(nowMs);
    return nowMs < this.#pausedUntilMs ? 0 : Math.max(0, Math.floor(this.#tokens + ROUNDING));
  }

  /** Counts requests that start; it may go below zero, and then the next ones wait longer. */
  spend(requests: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#tokens -= requests;
  }

  /** ms until at least one request may start. */
  msUntilNext(nowMs: number): number {
    this.#refill(nowMs);
    const missing = 1 - ROUNDING - this.#tokens;
    const wait = missing <= 0 ? 0 : Math.ceil((missing / this.perSecond(nowMs)) * 1000);
    return Math.max(wait, this.#pausedUntilMs - nowMs, 0);
  }

  #refill(nowMs: number): void {
    if (nowMs <= this.#countedAtMs) return;
    const perSecond = this.perSecond(nowMs);
    const elapsedSeconds = (nowMs - this.#countedAtMs) / 1000;
    this.#tokens = Math.min(burstOf(perSecond), this.#tokens + elapsedSeconds * perSecond);
    this.#countedAtMs = nowMs;
  }
}

function burstOf(perSecond: number): number {
  return Math.max(1, perSecond * BURST_SECONDS);
}

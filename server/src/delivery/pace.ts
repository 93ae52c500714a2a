/** How fast one webhook may be sent to: a token bucket over monotonic time. Pure but for its own count. */

const BURST_SECONDS = 0.2;
/** Sums of fractions fall short by rounding; without this a request would wait for its token twice. */
const ROUNDING = 1e-6;

export class Pace {
  #perSecond: number;
  #tokens: number;
  #countedAtMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#tokens = this.#burst();
    this.#countedAtMs = nowMs;
  }

  /** A changed pace holds from now on. */
  set(perSecond: number, nowMs: number): void {
    if (perSecond === this.#perSecond) return;
    this.#refill(nowMs);
    this.#perSecond = perSecond;
    this.#tokens = Math.min(this.#tokens, this.#burst());
  }

  /** How many requests may start now. */
  available(nowMs: number): number {
    this.#refill(nowMs);
    return Math.max(0, Math.floor(this.#tokens + ROUNDING));
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
    return missing <= 0 ? 0 : Math.ceil((missing / this.#perSecond) * 1000);
  }

  #burst(): number {
    return Math.max(1, this.#perSecond * BURST_SECONDS);
  }

  #refill(nowMs: number): void {
    const elapsedSeconds = Math.max(0, nowMs - this.#countedAtMs) / 1000;
    this.#tokens = Math.min(this.#burst(), this.#tokens + elapsedSeconds * this.#perSecond);
    this.#countedAtMs = Math.max(this.#countedAtMs, nowMs);
  }
}

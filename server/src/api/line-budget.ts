/** How many lines a busy route may write: beyond that they are counted, and the next line says how many there were. */

export class LineBudget {
  readonly #linesPerSecondMax: number;
  readonly #monotonicMs: () => number;
  #second = Number.NEGATIVE_INFINITY;
  #written = 0;
  #leftOut = 0;

  constructor(linesPerSecondMax: number, monotonicMs: () => number) {
    this.#linesPerSecondMax = linesPerSecondMax;
    this.#monotonicMs = monotonicMs;
  }

  /** Null when the line is to be left out; otherwise how many were left out before it. */
  take(): number | null {
    const second = Math.floor(this.#monotonicMs() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#written = 0;
    }
    if (this.#written >= this.#linesPerSecondMax) {
      this.#leftOut += 1;
      return null;
    }
    this.#written += 1;
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    return leftOut;
  }
}

/** A clock for tests: time passes when they say so. */
import type { Clock } from "./clock.ts";

export class HandClock implements Clock {
  #nowMs = 0;
  #waiting: { readonly atMs: number; readonly run: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  after(milliseconds: number, run: () => void): () => void {
    const one = { atMs: this.#nowMs + milliseconds, run };
    this.#waiting.push(one);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== one);
    };
  }

  /** In how many milliseconds each thing runs that is waited for. */
  get waits(): number[] {
    return this.#waiting.map(({ atMs }) => atMs - this.#nowMs);
  }

  pass(milliseconds: number): void {
    this.#nowMs += milliseconds;
    const due = this.#waiting.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#waiting = this.#waiting.filter(({ atMs }) => atMs > this.#nowMs);
    for (const { run } of due) run();
  }
}

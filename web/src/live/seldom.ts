// What costs the server more than a list is not read anew with each news: at once where it was quiet, and while news keep
// coming only every so often. The last news is never left out.
import type { Clock } from "./clock.ts";

export class Seldom {
  readonly #milliseconds: number;
  readonly #run: () => void;
  readonly #clock: Clock;
  #lastMs: number;
  #prevent: (() => void) | null = null;

  /** The first run is so far away from now, too: whoever begins has just read what there is. */
  constructor(milliseconds: number, run: () => void, clock: Clock) {
    this.#milliseconds = milliseconds;
    this.#run = run;
    this.#clock = clock;
    this.#lastMs = clock.nowMs();
  }

  /** Runs it now, or as soon as it may. */
  ask(): void {
    if (this.#prevent !== null) return;
    const waitMs = this.#lastMs + this.#milliseconds - this.#clock.nowMs();
    if (waitMs <= 0) this.#go();
    else this.#prevent = this.#clock.after(waitMs, () => this.#go());
  }

  /** What was asked for and has not run does not run any more. */
  stop(): void {
    this.#prevent?.();
    this.#prevent = null;
  }

  #go(): void {
    this.#prevent = null;
    this.#lastMs = this.#clock.nowMs();
    this.#run();
  }
}

import type { Clock } from "../clock.ts";

/** A bell inside the process: whoever waits is woken once, and a ring while nobody waits is not lost. */
export class Wake {
  readonly #clock: Clock;
  #rung = false;
  #woken: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    this.#rung = true;
    this.#woken?.();
  }

  /** Returns at once if it rang since the last wait, otherwise at the next ring or after `atMostMs`. */
  async wait(atMostMs: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((fulfil) => {
        const callOff = this.#clock.after(atMostMs, fulfil);
        this.#woken = () => {
          callOff();
          fulfil();
        };
      });
      this.#woken = null;
    }
    this.#rung = false;
  }
}

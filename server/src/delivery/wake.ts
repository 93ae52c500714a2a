/** A bell inside the process: whoever waits is woken once, and a ring while nobody waits is not lost. */
export class Wake {
  #rung = false;
  #woken: (() => void) | null = null;

  ring(): void {
    this.#rung = true;
    this.#woken?.();
  }

  /** Returns at once if it rang since the last wait, otherwise at the next ring or after `atMostMs`. */
  async wait(atMostMs: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((fulfil) => {
        const timer = setTimeout(fulfil, atMostMs);
        this.#woken = () => {
          clearTimeout(timer);
          fulfil();
        };
      });
      this.#woken = null;
    }
    this.#rung = false;
  }
}

const POLL_SOONEST_MS = 8;
export const POLL_MS = 1_000;

/**
 * When to look again although nobody rang: soon after something was found, since more often follows, then half as often each
 * time, down to once a second. A steady stream from other processes so waits neither for its word nor for the next second.
 */
export class Poll {
  readonly #mostMs: number;
  #waitMs: number;

  constructor(mostMs: number = POLL_MS) {
    this.#mostMs = mostMs;
    this.#waitMs = mostMs;
  }

  /** The wait after a look that did or did not find something, in ms. */
  after(found: boolean): number {
    this.#waitMs = found ? POLL_SOONEST_MS : Math.min(this.#waitMs * 2, this.#mostMs);
    return this.#waitMs;
  }
}

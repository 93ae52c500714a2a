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

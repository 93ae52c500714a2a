/** Does one thing again and again until it is told to stop; what fails is logged and waits longer each time. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Log, logEvent } from "../log.ts";

const LONGEST_WAIT_MS = 60_000;
const FAILURES_COUNTED_MAX = 10;

export interface LoopOptions {
  /** as the log names it */
  readonly name: string;
  readonly everyMs: number;
  readonly log: Log;
  /** One turn. Aborted when the process stops: it then begins nothing new. */
  turn(signal: AbortSignal): Promise<unknown>;
}

export class Loop {
  readonly #options: LoopOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | null = null;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#work();
  }

  /** Waits for the turn that is running. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #work(): Promise<void> {
    const { name, everyMs, log, turn } = this.#options;
    const { signal } = this.#stopping;
    let failures = 0;
    while (!signal.aborted) {
      try {
        await turn(signal);
        failures = 0;
      } catch (err) {
        failures = Math.min(failures + 1, FAILURES_COUNTED_MAX);
        logEvent(log, "notices.turn_failed", { reason: name, count: failures, err }, "error");
      }
      const waitMs = failures === 0 ? everyMs : Math.min(everyMs * 2 ** failures, LONGEST_WAIT_MS);
      // An abort ends the wait, and is no failure.
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }
}

// One stream, taken up again by the id of what was heard last. It owns when to ask again: soon after a stream that stood, ever
// later where there is none, and much later after a refusal. It knows neither what is said nor who asks (stream.ts does).
import { ProblemError } from "../api/call.ts";
import type { Clock } from "./clock.ts";
import { readServerEvents, type ServerEvent } from "./server-events.ts";

/** Until the server says otherwise. */
const RETRY_MILLISECONDS = 3_000;
/** After a refusal, and the longest wait of all. */
const AGAIN_MILLISECONDS = 60_000;

export interface Source {
  /** Asks for the stream. @throws ProblemError where it is refused, and where nobody answers */
  readonly open: (lastId: string | undefined, signal: AbortSignal) => Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
  readonly onEvent: (event: ServerEvent) => void;
  /** There is no stream for now; not called where it was stopped. */
  readonly onEnd: () => void;
}

export class Resuming {
  readonly #source: Source;
  readonly #clock: Clock;
  #lastId: string | undefined;
  #retryMs = RETRY_MILLISECONDS;
  /** In a row. */
  #failures = 0;

  constructor(source: Source, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /** Listens until `signal` says to stop, and may be called again after that. */
  async listen(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const ended = await this.#once(signal);
      if (signal.aborted) return;
      this.#source.onEnd();
      await this.#pause(ended === "refused" ? AGAIN_MILLISECONDS : this.#waitMs(), signal);
    }
  }

  /** Why a stream failed is of no use here: the lists ask by themselves then, and say what is wrong. */
  async #once(signal: AbortSignal): Promise<"ended" | "refused"> {
    this.#failures += 1;
    const onEvent = (event: ServerEvent) => {
      if (signal.aborted) return;
      this.#source.onEvent(event);
      this.#lastId = event.id ?? this.#lastId;
      this.#failures = 0;
    };
    try {
      const body = await this.#source.open(this.#lastId, signal);
      await readServerEvents(body, { onEvent, onRetry: (retryMs) => this.#retry(retryMs) });
      return "ended";
    } catch (error) {
      return error instanceof ProblemError && error.status >= 400 ? "refused" : "ended";
    }
  }

  #retry(milliseconds: number): void {
    this.#retryMs = milliseconds;
  }

  #waitMs(): number {
    return Math.min(AGAIN_MILLISECONDS, this.#retryMs * 2 ** Math.max(0, this.#failures - 1));
  }

  #pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const prevent = this.#clock.after(milliseconds, resolve);
    const stop = () => {
      prevent();
      resolve();
    };
    signal.addEventListener("abort", stop);
    return promise.finally(() => signal.removeEventListener("abort", stop));
  }
}

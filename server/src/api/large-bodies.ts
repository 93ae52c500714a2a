/**
 * How many large requests one process holds in memory at once.
 *
 * Owns the count. Promises that a request beyond the limit is refused before its body is read, and that a place is given back
 * when the answer has left or the caller has gone, and the work on it has ended too.
 */
import type { ServerResponse } from "node:http";
import { ProblemError } from "../errors.ts";

const RETRY_AFTER_SECONDS = 5;

export class LargeBodies {
  readonly #max: number;
  readonly #inFlight = new Map<ServerResponse, { isWorking: boolean; isClosed: boolean }>();

  /** @param max requests at once */
  constructor(max: number) {
    this.#max = max;
  }

  /** Takes a place, before the body is read. @throws ProblemError 503 when there is none */
  enter(response: ServerResponse): void {
    if (this.#inFlight.size >= this.#max) {
      throw new ProblemError({
        status: 503,
        code: "busy",
        title: "Several large files are coming in at this moment. Send yours again in a few seconds.",
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      });
    }
    const place = { isWorking: false, isClosed: false };
    this.#inFlight.set(response, place);
    const close = () => {
      place.isClosed = true;
      if (!place.isWorking) this.#inFlight.delete(response);
    };
    response.once("finish", close).once("close", close);
  }

  /** Does the work on a body; whoever sent it may be gone before it ends. */
  async during<Result>(response: ServerResponse, work: () => Promise<Result>): Promise<Result> {
    const place = this.#inFlight.get(response);
    if (place === undefined) return work();
    place.isWorking = true;
    try {
      return await work();
    } finally {
      place.isWorking = false;
      if (place.isClosed) this.#inFlight.delete(response);
    }
  }
}

/**
 * From where a change comes: the address of the request and the name of whoever sent it, for the entries it causes.
 *
 * It follows the request through whatever it calls (an AsyncLocalStorage), so that no command has to hand on what only the
 * audit trail wants to know. Work that the program does by itself has none.
 */
import { AsyncLocalStorage } from "node:async_hooks";

export interface Origin {
  /** The client's IP address. */
  readonly address: string;
  /** The person's or the API key's name, as it is now. */
  readonly actorName: string;
}

const origins = new AsyncLocalStorage<Origin>();

/** Runs `work`, and all that it starts, as coming from there. */
export function runFrom<Result>(origin: Origin, work: () => Result): Result {
  return origins.run(origin, work);
}

/** Where the running change comes from; null for the program's own work. */
export function originNow(): Origin | null {
  return origins.getStore() ?? null;
}

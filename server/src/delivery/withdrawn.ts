/**
 * What was begun and of which nothing has left, until the database knows that it is not begun after all.
 *
 * Owns: deliveries that the pace held back for too long, that were held when the lease was lost or this node began to stop,
 * and that the sender did not send (their webhook is gone, the lease no longer reaches). Promises: none of them is doubted
 * later as "outcome unknown" while the database can be told in time; each keeps its place in its run until then, so that its
 * run is not put to sleep, and nobody else begins it, before it is told. A statement that fails is repeated under the same
 * fence and attempt. The dispatcher drops its lease at any failure and takes nothing before the repetition has succeeded:
 * else the repetition could meet the same attempt, begun anew by this node.
 */
import type { EngineStore } from "./engine-store.ts";
import type { Unsent } from "./paced.ts";

interface Withdrawal extends Unsent {
  /** what its run is told once it is done */
  whenTold: () => void;
}

export class Withdrawn {
  readonly #store: Pick<EngineStore, "unbegin">;
  #waiting: Withdrawal[] = [];

  constructor(store: Pick<EngineStore, "unbegin">) {
    this.#store = store;
  }

  /** Deliveries that are still begun as far as the database knows. */
  get count(): number {
    return this.#waiting.length;
  }

  /** Not for this run to send any more: its webhook or our lease is gone, or this node stops. */
  abandon(unsent: readonly Unsent[]): void {
    for (const { run, begun } of unsent) {
      this.#waiting.push({ run, begun, whenTold: () => run.abandon(begun.orderKey) });
    }
  }

  /** To be begun anew by its run at a later time, in monotonic ms, which is asked for when it has been withdrawn. */
  putOff(unsent: readonly Unsent[], untilMs: (of: Unsent) => number): void {
    for (const { run, begun } of unsent) {
      this.#waiting.push({ run, begun, whenTold: () => run.putOff(begun.orderKey, untilMs({ run, begun })) });
    }
  }

  /** Tells the database of all of them, in one statement. Throws what the statement fails with; then they still wait. */
  async tell(): Promise<void> {
    const told = [...this.#waiting];
    if (told.length === 0) return;
    await this.#store.unbegin(told.map(({ begun }) => begun));
    this.#waiting = this.#waiting.slice(told.length);
    for (const { whenTold } of told) whenTold();
  }
}

/** The first deliveries of subjects whose retry is due later: until when each waits, as far as that is kept in mind. No I/O. */

const KEPT_MAX = 2_000;
const NOTHING_DUE: Due = { keys: [], untracked: false };

interface Due {
  keys: readonly string[];
  /** some of those are due that are not kept in mind */
  untracked: boolean;
}

export class WaitingHeads {
  /** by order key, in monotonic ms */
  readonly #dueMs = new Map<string, number>();
  /** the earliest due time among heads beyond KEPT_MAX */
  #untrackedDueMs = Number.POSITIVE_INFINITY;

  add(orderKey: string, dueMs: number): void {
    if (this.#dueMs.size < KEPT_MAX || this.#dueMs.has(orderKey)) this.#dueMs.set(orderKey, dueMs);
    else this.#untrackedDueMs = Math.min(this.#untrackedDueMs, dueMs);
  }

  delete(orderKey: string): void {
    this.#dueMs.delete(orderKey);
  }

  keys(): Iterable<string> {
    return this.#dueMs.keys();
  }

  /** A scan from the start begins: it finds those that are not kept in mind. */
  forgetUntracked(): void {
    this.#untrackedDueMs = Number.POSITIVE_INFINITY;
  }

  /** ms until the next retry is due, or null when nothing waits. */
  nextDueInMs(nowMs: number): number | null {
    let due = this.#untrackedDueMs;
    for (const dueMs of this.#dueMs.values()) due = Math.min(due, dueMs);
    return due === Number.POSITIVE_INFINITY ? null : Math.max(0, due - nowMs);
  }

  /** Takes out what is due. It is asked of every held run at every turn, and costs next to nothing where nothing waits. */
  takeDue(nowMs: number): Due {
    if (this.#dueMs.size === 0 && this.#untrackedDueMs > nowMs) return NOTHING_DUE;
    const untracked = this.#untrackedDueMs <= nowMs;
    const keys: string[] = [];
    for (const [key, dueMs] of this.#dueMs) if (dueMs <= nowMs) keys.push(key);
    for (const key of keys) this.#dueMs.delete(key);
    if (untracked) this.forgetUntracked();
    return { keys, untracked };
  }
}

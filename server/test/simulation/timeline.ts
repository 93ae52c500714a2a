/**
 * Simulated time: a queue of what is to happen, and nothing happens but what is in it.
 *
 * Between two happenings all promises that can go on do so (the microtask queue is emptied), so a history depends on the
 * seed alone. No real time passes and no real timer is used. Vitest's fake timers would move all nodes' timers at once: a
 * node that stands still, or is killed, needs timers of its own.
 */
import { createHash } from "node:crypto";

interface Happening {
  readonly atMs: number;
  readonly order: number;
  readonly happen: () => void;
  isOff: boolean;
}

const TRACE_LINES_KEPT = 100_000;

export class Timeline {
  #nowMs = 0;
  #order = 0;
  #heap: Happening[] = [];
  readonly #hash = createHash("sha256");
  readonly lines: string[] = [];
  #failure: { error: unknown } | null = null;

  /** ms since the beginning */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Lets something happen later; the function returned calls it off. */
  after(ms: number, happen: () => void): () => void {
    const one: Happening = { atMs: this.#nowMs + Math.max(0, ms), order: this.#order++, happen, isOff: false };
    this.#push(one);
    return () => {
      one.isOff = true;
    };
  }

  /** A line of the history. */
  trace(line: string): void {
    const text = `${this.#nowMs.toFixed(3)} ${line}`;
    this.#hash.update(`${text}\n`);
    if (this.lines.length < TRACE_LINES_KEPT) this.lines.push(text);
  }

  /** Something that can never happen has happened: the run ends with it. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** What tells this history from every other. */
  fingerprint(): string {
    return this.#hash.copy().digest("hex");
  }

  /** Lets everything happen up to a moment. */
  async runUntil(atMs: number): Promise<void> {
    for (;;) {
      const next = this.#heap[0];
      if (!next || next.atMs > atMs) break;
      await this.#step();
    }
    this.#nowMs = Math.max(this.#nowMs, atMs);
  }

  /** Lets things happen until a promise is kept; throws when nothing is left that could, or after so many ms. */
  async runUntilKept<Value>(promise: Promise<Value>, atMostMs: number): Promise<Value> {
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    promise.then(over, over);
    const giveUpAtMs = this.#nowMs + atMostMs;
    await emptyMicrotasks();
    while (!isOver) {
      if (this.#heap.length === 0 || this.#nowMs > giveUpAtMs) throw new Error("waited in vain in simulated time");
      await this.#step();
    }
    return promise;
  }

  /** Moves the time on with nothing happening: only when nothing is left to happen before. */
  jumpTo(atMs: number): void {
    const next = this.#heap.find((one) => !one.isOff && one.atMs < atMs);
    if (next) throw new Error("something was still to happen before that moment");
    this.#heap = this.#heap.filter((one) => !one.isOff);
    this.#heap.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
    this.#nowMs = Math.max(this.#nowMs, atMs);
  }

  async #step(): Promise<void> {
    const next = this.#pop();
    if (!next || next.isOff) return;
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    next.happen();
    await emptyMicrotasks();
    if (this.#failure) throw this.#failure.error;
  }

  #push(one: Happening): void {
    const heap = this.#heap;
    let at = heap.push(one) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(one, heap[parent] as Happening)) break;
      heap[at] = heap[parent] as Happening;
      at = parent;
    }
    heap[at] = one;
  }

  #pop(): Happening | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Happening, heap[child] as Happening)) child++;
      if (!isBefore(heap[child] as Happening, last)) break;
      heap[at] = heap[child] as Happening;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** The immediate comes after every promise that could go on. */
function emptyMicrotasks(): Promise<void> {
  return new Promise((fulfil) => setImmediate(fulfil));
}

/**
 * What has been begun and waits for its webhook's pace: TAKE begins deliveries without knowing how many were sent to the
 * address just before, by a run that has slept meanwhile. No I/O.
 */
import { Pace } from "./pace.ts";
import type { Run } from "./run.ts";
import type { Begun } from "./store.ts";

const PACES_KEPT_MAX = 50_000;

export interface Unsent {
  run: Run;
  begun: Begun;
}

export class Paced {
  readonly #paces = new Map<string, Pace>();
  #unsent: Unsent[] = [];

  get count(): number {
    return this.#unsent.length;
  }

  add(unsent: Unsent): void {
    this.#unsent.push(unsent);
  }

  /** Takes out what may be sent now, the oldest of each webhook first, and counts it against the pace. */
  ready(nowMs: number): Unsent[] {
    const ready = this.#unsent.filter(({ run }) => {
      const pace = this.of(run, nowMs);
      const isReady = pace.available(nowMs) >= 1;
      if (isReady) pace.spend(1, nowMs);
      return isReady;
    });
    if (ready.length > 0) this.#unsent = this.#unsent.filter((one) => !ready.includes(one));
    return ready;
  }

  /** ms until the first may be sent; infinite when nothing waits. */
  msUntilNext(nowMs: number): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.#unsent.map(({ run }) => this.of(run, nowMs).msUntilNext(nowMs)));
  }

  /** Takes out all that waits, because the lease under which it was begun is lost or this node is stopping. */
  drop(): Unsent[] {
    return this.#unsent.splice(0);
  }

  /** The pace of a webhook; a changed rate holds at once. Beyond PACES_KEPT_MAX the oldest is forgotten. */
  of(run: Run, nowMs: number): Pace {
    const name = `${run.clinicId}/${run.webhookId}`;
    const known = this.#paces.get(name);
    if (known) {
      known.set(run.pacePerSecond, nowMs);
      return known;
    }
    const oldest = this.#paces.size >= PACES_KEPT_MAX ? this.#paces.keys().next().value : undefined;
    if (oldest !== undefined) this.#paces.delete(oldest);
    const pace = new Pace(run.pacePerSecond, nowMs);
    this.#paces.set(name, pace);
    return pace;
  }
}

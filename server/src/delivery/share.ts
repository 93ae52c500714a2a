/**
 * How many webhooks this node holds beside others: each about its share. No I/O.
 *
 * At each heartbeat a node learns how many webhooks are held in all and how many nodes take some. One that holds more than
 * its share and a little gives the surplus up: nothing more of it is begun, and when nothing of it is in flight it is released,
 * for others to take. Only what was held at the beat before, too, is given up: webhooks that have little to do come and go,
 * and are no burden. What was given up is taken by those who have less than their share, so that it is not passed around;
 * after a few seconds by anybody, so that nothing waits for a node that does not come. Nothing else is ever left untaken for
 * the sake of fairness.
 */

/** So much more than its share a node may hold; with many nodes less, so that nobody is left with less than 0.8 of his. */
const TOLERANCE_MAX = 0.1;
const MISSING_MAX = 0.2;

/** What is needed of a run. */
export interface Held {
  /** nothing more of it is begun */
  gone: boolean;
}

export class Share<Run extends Held> {
  /** webhooks that each node would hold if all held the same; endless until the first beat, and without others */
  #fair = Number.POSITIVE_INFINITY;
  #heldAtLastBeat = new WeakSet<Run>();
  readonly #yielded = new WeakSet<Run>();

  /** Learns what the heartbeat said, and gives up what is too much. Returns how many. */
  beat({ held, othersTaking }: { held: number; othersTaking: number }, runs: Iterable<Run>): number {
    this.#fair = othersTaking === 0 ? Number.POSITIVE_INFINITY : Math.ceil(held / (othersTaking + 1));
    const kept = [...runs].filter((run) => !run.gone);
    const tolerance = Math.min(TOLERANCE_MAX, MISSING_MAX / Math.max(1, othersTaking));
    const surplus = kept.length > this.#fair * (1 + tolerance) ? kept.length - this.#fair : 0;
    // The first are those that have waited longest for a place here (held.ts moves whoever had its turn to the end).
    const given = kept.filter((run) => this.#heldAtLastBeat.has(run)).slice(0, surplus);
    for (const run of given) {
      run.gone = true;
      this.#yielded.add(run);
    }
    this.#heldAtLastBeat = new WeakSet(kept);
    return given.length;
  }

  /** How many more webhooks it may hold before it has its share; none where it has more. */
  room(held: number): number {
    return Math.max(0, this.#fair - held);
  }

  /** Whether it was given up for others. */
  isYielded(run: Run): boolean {
    return this.#yielded.has(run);
  }
}

/**
 * Places for requests in flight, in two pools, so that receivers that hang cannot hold what the healthy ones need. No I/O.
 *
 * A request of a webhook whose receiver is in doubt takes a place among the suspects. One of a healthy webhook moves there
 * when its answer takes longer than SLOW_AFTER_MS: a slow receiver costs the healthy ones a place for that long at most.
 */

/** Requests in flight that are expected to be answered soon. */
export const HEALTHY_PLACES_MAX = 256;
/** Requests in flight whose receivers fail, are slow, or have never answered. */
export const SUSPECT_PLACES_MAX = 1_024;
export const SLOW_AFTER_MS = 1_000;

export type Pool = "healthy" | "suspect";

/** One request in flight. */
export interface Place {
  pool: Pool;
  readonly beganMs: number;
  /** called when it moves to the suspects */
  readonly onSlow: () => void;
}

export class Places {
  /** in the order in which they began */
  readonly #healthy = new Set<Place>();
  #suspectCount = 0;

  get inFlight(): number {
    return this.#healthy.size + this.#suspectCount;
  }

  /** How many more requests a pool takes. */
  free(pool: Pool): number {
    return pool === "healthy"
      ? Math.max(0, HEALTHY_PLACES_MAX - this.#healthy.size)
      : Math.max(0, SUSPECT_PLACES_MAX - this.#suspectCount);
  }

  take(place: Place): Place {
    if (place.pool === "healthy") this.#healthy.add(place);
    else this.#suspectCount++;
    return place;
  }

  leave(place: Place): void {
    if (place.pool === "healthy") this.#healthy.delete(place);
    else this.#suspectCount--;
  }

  /** Moves what has been in flight for too long to the suspects. */
  moveSlow(nowMs: number): void {
    for (const place of this.#healthy) {
      if (nowMs - place.beganMs < SLOW_AFTER_MS) return;
      this.#healthy.delete(place);
      place.pool = "suspect";
      this.#suspectCount++;
      place.onSlow();
    }
  }

  /** ms until the next one could count as slow; infinite when none is in flight. */
  msUntilSlow(nowMs: number): number {
    for (const place of this.#healthy) return Math.max(0, place.beganMs + SLOW_AFTER_MS - nowMs);
    return Number.POSITIVE_INFINITY;
  }
}

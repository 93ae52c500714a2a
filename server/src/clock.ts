/**
 * The only door to the time of day for the program's own decisions. Policy takes time as a parameter; whoever calls it
 * asks a `Clock`. Times written by the engine's SQL are the database's own and do not come from here.
 */

export interface Clock {
  /** The wall clock. It may jump; never subtract two of these to learn how long something took. */
  now(): Temporal.Instant;
  /** Milliseconds since some fixed moment of this process; never runs backwards. For deadlines and durations. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  now: () => Temporal.Now.instant(),
  monotonicMs: () => performance.now(),
};

export interface FixedClock extends Clock {
  /** Moves both the wall clock and the monotonic clock; only units of fixed length (weeks and days are of 24 hours). */
  advance(by: Temporal.DurationLike): void;
}

/** A clock that stands still until it is told to move, for tests. */
export function fixedClock(at: Temporal.Instant | string): FixedClock {
  let now = Temporal.Instant.from(at);
  let elapsedMs = 0;
  return {
    now: () => now,
    monotonicMs: () => elapsedMs,
    advance(by) {
      const duration = Temporal.Duration.from(by);
      const { weeks, days } = duration;
      const inHours = duration.with({ weeks: 0, days: 0 }).add({ hours: (weeks * 7 + days) * 24 });
      now = now.add(inHours);
      elapsedMs += inHours.total("milliseconds");
    },
  };
}

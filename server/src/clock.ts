/**
 * The only door to the time of day for the program's own decisions. Policy takes time as a parameter; whoever calls it
 * asks a `Clock`. Times written by the engine's SQL are the database's own and do not come from here.
 */

export interface Clock {
  /** The wall clock. It may jump; never subtract two of these to learn how long something took. */
  now(): Temporal.Instant;
  /** Milliseconds since some fixed moment of this process; never runs backwards. For deadlines and durations. */
  monotonicMs(): number;
  /** Calls `then` once, when so many ms have passed on the monotonic clock; the function returned calls it off. */
  after(ms: number, then: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Temporal.Now.instant(),
  monotonicMs: () => performance.now(),
  after(ms, then) {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
};

export interface FixedClock extends Clock {
  /** Moves both hands and calls what has come due; only units of fixed length (weeks and days are of 24 hours). */
  advance(by: Temporal.DurationLike): void;
}

/** A clock that stands still until it is told to move, for tests. */
export function fixedClock(at: Temporal.Instant | string): FixedClock {
  let now = Temporal.Instant.from(at);
  let elapsedMs = 0;
  const pending = new Set<{ atMs: number; then: () => void }>();
  return {
    now: () => now,
    monotonicMs: () => elapsedMs,
    after(ms, then) {
      const one = { atMs: elapsedMs + ms, then };
      pending.add(one);
      return () => pending.delete(one);
    },
    advance(by) {
      const duration = Temporal.Duration.from(by);
      const { weeks, days } = duration;
      const inHours = duration.with({ weeks: 0, days: 0 }).add({ hours: (weeks * 7 + days) * 24 });
      now = now.add(inHours);
      elapsedMs += inHours.total("milliseconds");
      const due = [...pending].filter(({ atMs }) => atMs <= elapsedMs).sort((a, b) => a.atMs - b.atMs);
      for (const one of due) if (pending.delete(one)) one.then();
    },
  };
}

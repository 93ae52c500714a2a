/** Chance that can be repeated, and the machine's time with its fractions. */

/** mulberry32: numbers in [0, 1), the same again from their seed. */
export function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Milliseconds since 1970, with their fractions; the same for all processes of a machine but for what NTP does. */
export const nowMs = (): number => performance.timeOrigin + performance.now();

/** Time, as far as the stream needs it; tests bring their own. */
export interface Clock {
  /** Since any moment. */
  nowMs(): number;
  /** Runs something once, later; returns how to prevent it. */
  after(milliseconds: number, run: () => void): () => void;
}

export const browserClock: Clock = {
  nowMs: () => performance.now(),
  after: (milliseconds, run) => {
    const timer = window.setTimeout(run, milliseconds);
    return () => window.clearTimeout(timer);
  },
};

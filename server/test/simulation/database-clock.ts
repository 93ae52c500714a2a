/** The clock of the simulated database: simulated time, but for the jumps that somebody makes it take. */
import { EPOCH_MS } from "./process.ts";
import type { Timeline } from "./timeline.ts";

export class SimulatedDatabaseClock {
  /** what somebody set it by, and when, in ms of simulated time */
  readonly jumps: { atMs: number; byMs: number }[] = [];
  readonly #timeline: Timeline;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** as epoch ms */
  get nowMs(): number {
    return this.at(this.#timeline.nowMs);
  }

  /** What it showed at a moment of simulated time. */
  at(ms: number): number {
    const past = this.jumps.filter(({ atMs }) => atMs <= ms);
    return EPOCH_MS + ms + past.reduce((sum, { byMs }) => sum + byMs, 0);
  }

  jump(byMs: number): void {
    this.#timeline.trace(`the database's clock jumps by ${byMs.toFixed(0)} ms`);
    this.jumps.push({ atMs: this.#timeline.nowMs, byMs });
  }

  /** Whether it went on steadily between two moments of simulated time: what was set by it then came when it should. */
  isSteady(fromMs: number, untilMs: number): boolean {
    return !this.jumps.some(({ atMs }) => atMs >= fromMs && atMs <= untilMs);
  }

  /** Whatever is told by it may be wrong by so much. */
  get movedMs(): number {
    return this.jumps.reduce((sum, { byMs }) => sum + Math.abs(byMs), 0);
  }
}

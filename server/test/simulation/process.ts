/**
 * A process of the simulation: a clock of its own, and a door through which everything reaches it. While it stands still
 * (a collection of garbage, a machine put to sleep) nothing comes through, and all of it at once afterwards; once it is
 * killed, nothing ever does.
 */
import type { Clock } from "../../src/clock.ts";
import type { Timeline } from "./timeline.ts";

/** 2026-06-01T12:00:00Z: where the wall clocks begin */
export const EPOCH_MS = 1_780_315_200_000;

export class Process {
  readonly name: string;
  readonly #timeline: Timeline;
  readonly #bornMs: number;
  #wallAheadMs = 0;
  /** ms of simulated time at which it was killed */
  #endMs = Number.POSITIVE_INFINITY;
  #stillUntilMs = 0;
  /** ms for which it has stood still in all */
  stoodStillMs = 0;
  #waiting: (() => void)[] = [];

  constructor(name: string, timeline: Timeline) {
    this.name = name;
    this.#timeline = timeline;
    this.#bornMs = timeline.nowMs;
  }

  get isDead(): boolean {
    return this.#endMs < Number.POSITIVE_INFINITY;
  }

  get endMs(): number {
    return this.#endMs;
  }

  get stillForMs(): number {
    return Math.max(0, this.#stillUntilMs - this.#timeline.nowMs);
  }

  readonly clock: Clock = {
    now: () => Temporal.Instant.fromEpochMilliseconds(Math.floor(EPOCH_MS + this.#timeline.nowMs + this.#wallAheadMs)),
    monotonicMs: () => this.#timeline.nowMs - this.#bornMs,
    after: (ms, then) => {
      let isOff = false;
      const callOff = this.#timeline.after(ms, () => this.reach(() => !isOff && then()));
      return () => {
        isOff = true;
        callOff();
      };
    },
  };

  /** Whatever comes from outside comes through here: timers, answers of the database and of receivers. */
  reach(happen: () => void): void {
    if (this.isDead) return;
    if (this.stillForMs === 0 && this.#waiting.length === 0) {
      happen();
      return;
    }
    this.#waiting.push(happen);
    if (this.#waiting.length === 1) this.#timeline.after(this.stillForMs, () => this.#letIn());
  }

  /** One at a time, as an event loop does: what the first sets off comes before the second. */
  #letIn(): void {
    if (this.isDead) return;
    if (this.stillForMs > 0) {
      this.#timeline.after(this.stillForMs, () => this.#letIn());
      return;
    }
    const next = this.#waiting.shift();
    if (this.#waiting.length > 0) this.#timeline.after(0, () => this.#letIn());
    next?.();
  }

  standStill(ms: number): void {
    this.#timeline.trace(`${this.name} stands still for ${ms.toFixed(0)} ms`);
    const { nowMs } = this.#timeline;
    const untilMs = Math.max(this.#stillUntilMs, nowMs + ms);
    this.stoodStillMs += untilMs - Math.max(this.#stillUntilMs, nowMs);
    this.#stillUntilMs = untilMs;
  }

  /** The wall clock jumps; the monotonic one does not. */
  jumpWall(ms: number): void {
    this.#timeline.trace(`${this.name}'s wall clock jumps by ${ms.toFixed(0)} ms`);
    this.#wallAheadMs += ms;
  }

  kill(): void {
    this.#timeline.trace(`${this.name} is killed`);
    this.#endMs = this.#timeline.nowMs;
    this.#waiting = [];
  }
}

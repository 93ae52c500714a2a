/**
 * When one pool's next TAKE is due, and where it goes on among the bells. No I/O.
 *
 * A round looks at all webhooks with bells once, in several TAKEs where there are many. While it finds work the next TAKE
 * follows as soon as it may; a long round that found nothing (bells of webhooks that others hold) is not begun again at every nudge.
 */
import type { RunKey } from "./engine-store.ts";
import { Poll } from "./wake.ts";

const AFTER_LONG_VAIN_ROUND_MS = 100;

/** What a TAKE found. */
export interface Found {
  /** webhooks were leased */
  hasTaken: boolean;
  /** held ones have bells that were not heard of otherwise */
  isNew: boolean;
  /** it took as many as it might */
  isFull: boolean;
  /** where it goes on among the bells; null where it has come to their end */
  upTo: RunKey | null;
}

export class Round {
  /** the webhook whose bells were looked at last; undefined at the start of a round */
  after: RunKey | undefined;
  readonly #everyMs: number;
  readonly #poll: Poll;
  #isNudged = true;
  #pollMs = Number.POSITIVE_INFINITY;
  /** the first of what comes due by its time: a TAKE that was made for another reason before does not forget it */
  #dueMs = Number.POSITIVE_INFINITY;
  /** not before, whatever nudges */
  #restsUntilMs = Number.NEGATIVE_INFINITY;
  #takes = 0;
  #hasTaken = false;

  /**
   * @param everyMs least time between a TAKE and the next, but for those of a round that go on past what there was nothing to
   * take of; @param idleMs between two where nobody nudges and nothing was found
   */
  constructor(everyMs: number, idleMs: number) {
    this.#everyMs = everyMs;
    this.#poll = new Poll(idleMs);
  }

  /** ms until the next TAKE is due; 0 when it is. */
  msUntilDue(nowMs: number): number {
    const due = this.#isNudged ? nowMs : Math.min(this.#pollMs, this.#dueMs);
    return Math.max(0, Math.max(due, this.#restsUntilMs) - nowMs);
  }

  /** Something may be due: the next TAKE comes as soon as it may. */
  nudge(): void {
    this.#isNudged = true;
  }

  /** Something comes due at this time. */
  dueAt(atMs: number): void {
    this.#dueMs = Math.min(this.#dueMs, atMs);
  }

  /** A TAKE begins: what nudges from now on calls for another one. */
  began(nowMs: number): void {
    this.#isNudged = false;
    this.#pollMs = Number.POSITIVE_INFINITY;
    if (this.#dueMs <= nowMs) this.#dueMs = Number.POSITIVE_INFINITY;
    this.#takes++;
  }

  ended({ hasTaken, isNew, isFull, upTo }: Found, nowMs: number): void {
    this.#pollMs = nowMs + this.#poll.after(hasTaken || isNew);
    if (hasTaken || upTo === null) this.#restsUntilMs = nowMs + this.#everyMs;
    this.#hasTaken ||= hasTaken;
    this.after = upTo ?? undefined;
    if (upTo !== null || isFull) this.nudge();
    if (upTo !== null) return;
    // Several TAKEs make a round during which bells may have come behind its back.
    if (this.#takes > 1 && this.#hasTaken) this.nudge();
    else if (this.#takes > 1) this.#restsUntilMs = nowMs + AFTER_LONG_VAIN_ROUND_MS;
    this.#takes = 0;
    this.#hasTaken = false;
  }
}

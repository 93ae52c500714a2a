/**
 * The work of recoveries: a batch at a time, finished deliveries come back into the hot table (contract §7, Recover).
 *
 * Owns the loop and its statement (sql/recover.sql). Promises: a batch and the cursor behind it are one statement, so that a
 * crash at any point neither loses nor repeats a delivery, on any number of nodes; the pace, by the database's clock, is
 * never above half of the webhook's own, and no new batch comes while the last one still waits for its first attempt, so that
 * live events are not starved; while its webhook is off or parked a recovery stands still, and goes on by itself; it ends
 * with its webhook. Does not send: it rings the webhook's bell, and the dispatcher does the rest, as for a resend.
 * What people do with recoveries is in recoveries.ts.
 */
import type pg from "pg";
import { type Log, logEvent } from "../log.ts";
import { UNPROVED_PER_SECOND } from "./run.ts";
import { sqlFile } from "./sql-file.ts";
import { Wake } from "./wake.ts";

/** Recovered deliveries of one webhook that may be unfinished at the same time: those that failed wait for their retries. */
export const RECOVERED_WAITING_MAX = 1_000;
const RECOVERIES_PER_TURN_MAX = 16;
const BATCH_SECONDS = 1;
const ROWS_LOOKED_AT_MAX = 1_000;
/** How long a node that found nothing to do does not look: a recovery starts that much later at most. */
const POLL_MS = 2_000;
const AFTER_FAILURE_MS = 2_000;
const RECOVER = sqlFile("recover");

export interface RecovererOptions {
  /** Runs as hookwell_dispatch. */
  readonly pool: pg.Pool;
  readonly log: Log;
  /** Wakes the dispatcher; called after a batch. */
  readonly nudge: () => void;
}

interface Advanced {
  readonly clinic_id: number;
  readonly webhook_id: number;
  readonly id: number;
  readonly state: "running" | "done" | "cancelled";
  readonly queued: number;
  readonly moved: number;
  readonly next_in_ms: number;
}

export class Recoverer {
  readonly #options: RecovererOptions;
  readonly #wake = new Wake();
  #stopping = false;
  #loop: Promise<void> | null = null;

  constructor(options: RecovererOptions) {
    this.#options = options;
  }

  /** Begins to look for recoveries that are due. */
  start(): void {
    this.#loop ??= this.#work();
  }

  /** Lets the batch that is running end, and no other begin. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake.ring();
    await this.#loop;
  }

  /** One batch of each recovery that is due now. Returns the ms until there may be more to do. */
  async runOnce(): Promise<number> {
    const advanced = await this.#advance();
    if (advanced.some(({ moved }) => moved > 0)) this.#options.nudge();
    for (const { clinic_id, webhook_id, id: job_id, state, queued: count } of advanced) {
      if (state !== "running")
        logEvent(this.#options.log, "recovery.ended", { clinic_id, webhook_id, job_id, state, count });
    }
    // A full turn may have left some that are due as well.
    if (advanced.length === RECOVERIES_PER_TURN_MAX) return 0;
    const running = advanced.filter(({ state }) => state === "running");
    return Math.max(0, Math.min(POLL_MS, ...running.map(({ next_in_ms }) => next_in_ms)));
  }

  async #advance(): Promise<Advanced[]> {
    const values = [RECOVERIES_PER_TURN_MAX, BATCH_SECONDS, RECOVERED_WAITING_MAX];
    const { rows } = await this.#options.pool.query<Advanced>({
      name: "engine_recover",
      text: RECOVER,
      values: [...values, ROWS_LOOKED_AT_MAX, UNPROVED_PER_SECOND],
    });
    return rows;
  }

  async #work(): Promise<void> {
    while (!this.#stopping) {
      let waitMs = AFTER_FAILURE_MS;
      try {
        waitMs = await this.runOnce();
      } catch (err) {
        // Whether the batch was committed is not known, and need not be: its cursor went with it.
        logEvent(this.#options.log, "recovery.turn_failed", { err }, "error");
      }
      await this.#wake.wait(waitMs);
    }
  }
}

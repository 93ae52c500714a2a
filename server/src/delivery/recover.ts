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
const POLL_MS = 5_000;
const AFTER_FAILURE_MS = 2_000;
/** By name, as the engine's own (store.ts): the recoveries that are due, and one batch of one of them. */
export const RECOVERER_STATEMENTS = { due: sqlFile("due_recoveries"), recover: sqlFile("recover") } as const;

export interface RecovererOptions {
  /** Runs as hookwell_dispatch. */
  readonly pool: pg.Pool;
  readonly log: Log;
  /** Wakes the dispatcher; called after a batch, for the clinic whose deliveries came back. */
  readonly nudge: (clinicId: number) => void;
}

/** A recovery as it was read, before its row is locked. */
interface Due {
  readonly clinic_id: number;
  readonly webhook_id: number;
  readonly id: number;
  readonly states: readonly string[];
  readonly cursor_event_id: string;
  readonly cursor_part: number;
  readonly until_event_id: string;
  readonly created_at: string;
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
    const { pool } = this.#options;
    const which = { name: "engine_due", text: RECOVERER_STATEMENTS.due, values: [RECOVERIES_PER_TURN_MAX] };
    const { rows: due } = await pool.query<Due>(which);
    // A full turn may have left some that are due as well.
    let waitMs = due.length === RECOVERIES_PER_TURN_MAX ? 0 : POLL_MS;
    for (const one of due) {
      if (this.#stopping) return 0;
      // None: another node was faster, or a person; what is left is due for whoever looks next.
      const [advanced] = (await pool.query<Advanced>({ name: "engine_recover", ...batchOf(one) })).rows;
      if (advanced === undefined) continue;
      this.#note(advanced);
      if (advanced.state === "running") waitMs = Math.min(waitMs, Math.max(0, advanced.next_in_ms));
    }
    return waitMs;
  }

  #note({ clinic_id, webhook_id, id: job_id, state, queued: count, moved }: Advanced): void {
    const { nudge, log } = this.#options;
    if (moved > 0) nudge(clinic_id);
    if (state !== "running") logEvent(log, "recovery.ended", { clinic_id, webhook_id, job_id, state, count });
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

/** The statement of one batch; exported for the test that loses a worker in the middle of it. */
export function batchOf(due: Due): { text: string; values: unknown[] } {
  const range = [due.cursor_event_id, due.cursor_part, due.until_event_id, due.created_at];
  const limits = [BATCH_SECONDS, RECOVERED_WAITING_MAX, ROWS_LOOKED_AT_MAX, UNPROVED_PER_SECOND];
  return {
    text: RECOVERER_STATEMENTS.recover,
    values: [due.clinic_id, due.webhook_id, due.states, ...range, due.id, ...limits],
  };
}

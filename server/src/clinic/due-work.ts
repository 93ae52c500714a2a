/**
 * What the scheduler asks of a room that has something to do by itself when time passes.
 *
 * Owns the words of that conversation only. A room exports its `DueWork`; app.ts hands all of them to the scheduler.
 */
import type { Tx } from "../db/schema.ts";
import type { Log } from "../log.ts";
import type { ClinicContext } from "./clinics.ts";

/** For whom the work acts; its outbox's clock stands at the `now` of the run. */
export interface DueContext extends ClinicContext {
  readonly log: Log;
  /** Aborted when the process stops. Work that takes long throws its reason then: it is rolled back, and stays due. */
  readonly signal: AbortSignal;
}

export interface DueWork {
  /** One of the words that the database's function `due_clinics` knows. */
  readonly name: string;
  /**
   * Does what is due at `now` in one clinic, at most `limit` rows of it, in the given transaction, and returns how many it
   * looked after; 0 when nothing is due, or others have it in hand. Rows that another node holds are passed over.
   * @throws DueRowFailed where one row is to blame; the transaction is rolled back and that row postponed
   */
  runDue(tx: Tx, context: DueContext, now: Temporal.Instant, limit: number): Promise<number>;
  /** Makes a row that failed wait before it is tried again, longer each time. Returns how often it has failed in a row. */
  postpone?(
    tx: Tx,
    context: DueContext,
    failed: { readonly rowId: number; readonly now: Temporal.Instant },
  ): Promise<number>;
}

/** One row could not be worked on: a bug, or data that nobody thought of. The others go on. */
export class DueRowFailed extends Error {
  override readonly name = "DueRowFailed";
  readonly rowId: number;

  constructor(rowId: number, cause: unknown) {
    super(`row ${rowId} could not be worked on`, { cause });
    this.rowId = rowId;
  }
}

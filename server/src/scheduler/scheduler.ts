/**
 * The scheduler: has done, when its time has come, what the clinic does by itself.
 *
 * Owns the loop: which clinics have work due, one short transaction after another in each, what happens to work that
 * fails. Promises: time is the database's, so that nodes whose clocks differ agree; several nodes share the work without
 * doing any of it twice (rows are locked and passed over, see the rooms' `DueWork`); a row that fails waits, longer each
 * time, and holds up no other; work that fails as a whole rests, in that clinic alone; nothing is lost by a stop or a
 * crash, since each transaction is whole; a stop waits for the transaction that is running and no further, and work that
 * takes long is told of it, so that it can give up.
 * Does not know what the work is, and sends nothing: after a run it wakes the dispatcher.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { type DueContext, DueRowFailed, type DueWork } from "../clinic/due-work.ts";
import { inClinic } from "../db/pool.ts";
import type { Db, Tx } from "../db/schema.ts";
import { type Log, logEvent } from "../log.ts";
import type { OutboxContext } from "../outbox/emit.ts";

const POLL_MS = 1_000;
/** Between turns that fail, as while the database is away. */
const TURN_WAIT_LONGEST_MS = 30_000;
const CLINICS_PER_TURN_MAX = 100;
/** Transactions in one clinic before the next one has its turn. */
const RUNS_PER_CLINIC_MAX = 50;
const ROWS_PER_RUN_MAX = 50;
const REST_FIRST_MS = 1_000;
const REST_LONGEST_MS = 300_000;
/** Doublings after which a rest is as long as it gets. */
const FAILURES_COUNTED_MAX = 10;

export interface SchedulerOptions {
  /** Runs as hookwell_app. */
  readonly db: Db;
  readonly outbox: OutboxContext;
  readonly log: Log;
  /** What rooms have to do, in the order in which a turn asks them. */
  readonly works: readonly DueWork[];
  /** Wakes the dispatcher; called after work that may have emitted. */
  readonly nudge: () => void;
  /** The time by which work is due; the database's where absent. */
  readonly now?: (db: Db) => Promise<Temporal.Instant>;
}

interface Resting {
  readonly failures: number;
  readonly untilMs: number;
}

export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #stopping = new AbortController();
  /** Work that failed as a whole, by work and clinic. */
  readonly #resting = new Map<string, Resting>();
  #loop: Promise<void> | null = null;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** Begins to look once a second. */
  start(): void {
    this.#loop ??= this.#work();
  }

  /** Lets the transaction that is running end, or give up, and no other begin. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  /** Does what is due now, in turns over the clinics, until nothing is left that can be done. Returns how many rows. */
  async runOnce(): Promise<number> {
    let rows = 0;
    for (;;) {
      const done = await this.#turn();
      rows += done;
      if (done === 0 || this.#stopping.signal.aborted) return rows;
    }
  }

  async #work(): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    while (!signal.aborted) {
      try {
        await this.runOnce();
        failures = 0;
      } catch (err) {
        failures = Math.min(failures + 1, FAILURES_COUNTED_MAX);
        logEvent(this.#options.log, "scheduler.turn_failed", { count: failures, err }, "error");
      }
      const waitMs = Math.min(POLL_MS * 2 ** failures, TURN_WAIT_LONGEST_MS);
      // An abort ends the wait, and is no failure.
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async #turn(): Promise<number> {
    const { db, works, nudge } = this.#options;
    const now = await (this.#options.now ?? databaseNow)(db);
    let rows = 0;
    for (const work of works) {
      for (const clinicId of await this.#clinicsWith(work, now)) {
        if (this.#stopping.signal.aborted) break;
        rows += await this.#inClinic(work, clinicId, now);
      }
    }
    if (rows > 0) nudge();
    return rows;
  }

  /** Those that rest are asked for besides, since they are overdue for longest and would crowd out the others. */
  async #clinicsWith(work: DueWork, now: Temporal.Instant): Promise<number[]> {
    const limit = CLINICS_PER_TURN_MAX + this.#restingFrom(work);
    const { rows } = await sql<{ clinic_id: number }>`
      select clinic_id from due_clinics(${work.name}, ${now}::timestamptz, ${limit})`.execute(this.#options.db);
    const awake = rows.map(({ clinic_id }) => clinic_id).filter((clinicId) => !this.#isResting(work, clinicId));
    return awake.slice(0, CLINICS_PER_TURN_MAX);
  }

  /** Clinics that rest from this work. */
  #restingFrom({ name }: DueWork): number {
    const nowMs = this.#monotonicMs();
    return [...this.#resting].filter(([key, { untilMs }]) => key.startsWith(`${name} `) && untilMs > nowMs).length;
  }

  /** Work that gave up because of the stop has not failed. */
  #isStop(error: unknown): boolean {
    const { aborted, reason } = this.#stopping.signal;
    return aborted && (error instanceof DueRowFailed ? error.cause : error) === reason;
  }

  /** One clinic's turn. Whatever fails in it is logged and put off; other clinics go on. */
  async #inClinic(work: DueWork, clinicId: number, now: Temporal.Instant): Promise<number> {
    const context = this.#contextOf(clinicId, now);
    let rows = 0;
    for (let runs = 0; runs < RUNS_PER_CLINIC_MAX && !this.#stopping.signal.aborted; runs += 1) {
      try {
        const done = await this.#run(clinicId, (tx) => work.runDue(tx, context, now, ROWS_PER_RUN_MAX));
        this.#resting.delete(keyOf(work, clinicId));
        if (done === 0) break;
        rows += done;
      } catch (error) {
        if (this.#isStop(error)) break;
        // A postponed row counts as looked after: what is due behind it has its turn.
        if (!(await this.#postponed(work, context, { error, now }))) break;
        rows += 1;
      }
    }
    return rows;
  }

  #run<Result>(clinicId: number, work: (tx: Tx) => Promise<Result>): Promise<Result> {
    return inClinic(this.#options.db, clinicId, work);
  }

  /** Returns whether one row was to blame and has been put off. */
  async #postponed(
    work: DueWork,
    context: DueContext,
    { error, now }: { readonly error: unknown; readonly now: Temporal.Instant },
  ): Promise<boolean> {
    const { log } = this.#options;
    const { clinicId } = context;
    try {
      if (!(error instanceof DueRowFailed) || work.postpone === undefined) throw error;
      const { rowId, cause } = error;
      const count = await this.#run(clinicId, async (tx) => work.postpone?.(tx, context, { rowId, now }) ?? 0);
      logEvent(log, "scheduler.row_failed", { clinic_id: clinicId, reason: work.name, count, err: cause }, "error");
      // 0: it could not be put off, since it is not due any more; to look again at once would be to turn in a circle.
      return count > 0;
    } catch (err) {
      const failures = this.#rest(work, clinicId);
      const fields = { clinic_id: clinicId, reason: work.name, count: failures, err };
      logEvent(log, "scheduler.work_failed", fields, "error");
      return false;
    }
  }

  #rest(work: DueWork, clinicId: number): number {
    const before = this.#resting.get(keyOf(work, clinicId))?.failures ?? 0;
    const restMs = Math.min(REST_LONGEST_MS, REST_FIRST_MS * 2 ** before);
    const failures = Math.min(before + 1, FAILURES_COUNTED_MAX);
    this.#resting.set(keyOf(work, clinicId), { failures, untilMs: this.#monotonicMs() + restMs });
    return failures;
  }

  #isResting(work: DueWork, clinicId: number): boolean {
    return (this.#resting.get(keyOf(work, clinicId))?.untilMs ?? Number.NEGATIVE_INFINITY) > this.#monotonicMs();
  }

  #monotonicMs(): number {
    return this.#options.outbox.clock.monotonicMs();
  }

  /** What is done now is dated by the time for which it is done. */
  #contextOf(clinicId: number, now: Temporal.Instant): DueContext {
    const { outbox, log } = this.#options;
    const clock = { ...outbox.clock, now: () => now };
    return { clinicId, outbox: { ...outbox, clock }, log, signal: this.#stopping.signal };
  }
}

function keyOf({ name }: DueWork, clinicId: number): string {
  return `${name} ${clinicId}`;
}

/** The database's own time. */
async function databaseNow(db: Db): Promise<Temporal.Instant> {
  const { rows } = await sql<{ now: Temporal.Instant }>`select now()`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error("the database did not say what time it is");
  return row.now;
}

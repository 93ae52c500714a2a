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
  /** Wakes the dispatcher; called after work that may have emitted, for the clinic in which it was done. */
  readonly nudge: (clinicId: number) => void;
  /** Between two looks when nothing is due; a second where absent. */
  readonly pollMs?: number;
  /** The time by which work is due; the database's where absent. */
  readonly now?: (db: Db) => Promise<Temporal.Instant>;
}

interface DueRow {
  readonly now: Temporal.Instant;
  /** of the work */
  readonly name: string;
  /** null where nothing is due */
  readonly clinic_id: number | null;
}

interface Due {
  readonly now: Temporal.Instant;
  readonly clinics: readonly DueRow[];
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

  /** Begins to look, again and again. */
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
      const { pollMs = POLL_MS } = this.#options;
      const waitMs = Math.min(pollMs * 2 ** failures, TURN_WAIT_LONGEST_MS);
      // An abort ends the wait, and is no failure.
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async #turn(): Promise<number> {
    const { works, nudge } = this.#options;
    const { now, clinics } = await this.#due();
    let rows = 0;
    for (const work of works) {
      for (const clinicId of this.#awake(work, clinics)) {
        if (this.#stopping.signal.aborted) break;
        const done = await this.#inClinic(work, clinicId, now);
        if (done > 0) nudge(clinicId);
        rows += done;
      }
    }
    return rows;
  }

  /**
   * What time it is, and which clinics have work due, in one statement: it is asked every second or two for ever. Those that rest
   * are asked for besides, since they are overdue for longest and would crowd out the others.
   */
  async #due(): Promise<Due> {
    const { db, works } = this.#options;
    const given = (await this.#options.now?.(db)) ?? null;
    const names = works.map(({ name }) => name);
    const limits = works.map((work) => CLINICS_PER_TURN_MAX + this.#restingFrom(work));
    const { rows } = await sql<DueRow>`
      select t.now, w.name, d.clinic_id
      from (select coalesce(${given}::timestamptz, now()) as now) t
        cross join unnest(${names}::text[], ${limits}::integer[]) as w (name, clinics_max)
        left join lateral due_clinics(w.name, t.now, w.clinics_max) with ordinality as d (clinic_id, place) on true
      order by w.name, d.place`.execute(db);
    const [first] = rows;
    if (first === undefined) throw new Error("the database did not say what time it is");
    return { now: first.now, clinics: rows };
  }

  #awake(work: DueWork, due: readonly DueRow[]): number[] {
    const awake = due.flatMap(({ name, clinic_id }) =>
      name === work.name && clinic_id !== null && !this.#isResting(work, clinic_id) ? [clinic_id] : [],
    );
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

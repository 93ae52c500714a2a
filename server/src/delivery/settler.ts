/**
 * What came back, until it is written down: results in batches, one statement after another, beside the dispatcher's loop.
 *
 * Owns: results that are not settled yet. Promises: each result counts once for the health of its receiver and is written
 * until a statement has succeeded; then its run is told, its webhook's pace is adjusted, and whatever the health of the
 * receiver calls for is done. Does not: begin or send anything.
 */
import type { Clock } from "../clock.ts";
import type { EngineStore, NoticeDetails, RunKey } from "./engine-store.ts";
import { type Measure, measureDue } from "./health.ts";
import type { Paced } from "./paced.ts";
import type { Run } from "./run.ts";
import type { Attempted } from "./sender.ts";

/**
 * What a receiver in doubt has failed with waits so long for company: one by one, as they run into their deadlines, they would
 * cost those that are well a few statements each.
 */
const COMPANY_AWAITED_MS = 50;

/** An attempt that was written down, for whoever counts. */
export interface Settled {
  readonly outcome: Attempted["settled"]["outcome"];
  readonly status: number | null;
  readonly durationMs: number;
  /** how the delivery ended by it; null where it is tried again, or where the result came too late to count */
  readonly ended: "delivered" | "given_up" | "cancelled" | null;
}

/** The notice by which a clinic is told, by how far it has then been told. */
const WARNINGS = {
  0: "webhook.recovered",
  1: "webhook.failing",
  2: "webhook.still_failing",
  3: "webhook.off_soon",
} as const;

interface Result extends Attempted {
  run: Run;
  /** its outcome has been counted for its receiver's health; a statement that fails is tried again with the same result */
  isObserved: boolean;
  /** it was a probe */
  wasParked: boolean;
}

export interface SettlerOptions {
  store: EngineStore;
  clock: Clock;
  paced: Paced;
  nodeId: () => number;
  /** what waited for company is to be settled, or a batch has ended, well or not */
  onDue: () => void;
  /** nothing is in a hurry: this node goes on, and its lease is its own */
  mayWait: () => boolean;
  onSettled?: ((settled: Settled) => void) | undefined;
}

export class Settler {
  readonly #options: SettlerOptions;
  #results: Result[] = [];
  #settling: Promise<void> | null = null;
  /** some of them wait for nothing */
  #isUrgent = false;
  /** until the others have waited for company long enough; null when none waits */
  #callOff: (() => void) | null = null;
  #failure: { error: unknown } | null = null;

  constructor(options: SettlerOptions) {
    this.#options = options;
  }

  /** Nothing waits to be written, and nothing is being written. */
  get isIdle(): boolean {
    return this.#results.length === 0 && this.#settling === null;
  }

  /** There is something that settle() would begin with. */
  get isWanted(): boolean {
    return this.#results.length > 0 && this.#settling === null && this.#isUrgent;
  }

  /**
   * A result, to be written down at the next turn or, where only a receiver in doubt has failed again, a little later: then
   * true, and that turn need not come sooner for it.
   */
  add(run: Run, attempted: Attempted): boolean {
    this.#results.push({ ...attempted, run, isObserved: false, wasParked: run.health.isParked });
    const mayWait = run.isInDoubt && attempted.verdict !== "delivered" && this.#options.mayWait();
    if (!mayWait) this.hurry();
    else this.#callOff ??= this.#options.clock.after(COMPANY_AWAITED_MS, () => this.#haveWaited());
    return mayWait;
  }

  #haveWaited(): void {
    this.hurry();
    this.#options.onDue();
  }

  /** What has come back waits for company no more; whoever says so sees to it that settle() is called. */
  hurry(): void {
    this.#isUrgent = true;
  }

  /** Begins to settle what has come back, unless that is under way. Throws what the last batch failed with, once. */
  settle(): void {
    const failure = this.#failure;
    this.#failure = null;
    if (failure !== null) throw failure.error;
    if (!this.isWanted) return;
    this.#isUrgent = false;
    this.#callOff?.();
    this.#callOff = null;
    this.#settling = this.#settleBatch()
      .catch((error: unknown) => {
        this.#failure = { error };
        this.#isUrgent = true; // what it has not written down is there still
      })
      .finally(() => {
        this.#settling = null;
        this.#options.onDue();
      });
  }

  async #settleBatch(): Promise<void> {
    const { store, nodeId } = this.#options;
    const batch = [...this.#results];
    const now = this.#now();
    const runs = observeAll(batch);
    const restarts = new Map(runs.map((run) => [run, run.restarts]));
    const rows = batch.map((r) => ({ ...r.settled, startedMsAgo: now - r.startedMs }));
    const counted = await store.settle(rows, { owner: nodeId(), health: runs.map((run) => run.healthRow(now)) });
    // Only now: had the statement failed, the same results would be settled again at the next turn.
    this.#results = this.#results.slice(batch.length);
    const hasNext = new Map(counted.map((c) => [nameOf(c, c.id), c.hasNext]));
    const tell = ({ run, settled: { begun, next }, endedMs }: Result) => {
      // A scan from the start that was under way meanwhile heard a bell for what this statement could not see, and passed it over.
      const mayHaveNext = hasNext.get(nameOf(begun, begun.id)) ?? true;
      const isToLookUp = mayHaveNext || run.restarts !== restarts.get(run);
      run.settled(begun.orderKey, next.do === "retry" ? endedMs + next.inMs : null, isToLookUp);
    };
    for (const { settled } of batch) this.#options.onSettled?.(told(settled, hasNext));
    for (const result of batch) this.#adjustPace(result);
    // The others need not wait for what these call for.
    const byCall = Map.groupBy(batch, (result) => this.#callsForMore(result));
    for (const result of byCall.get(false) ?? []) tell(result);
    for (const result of byCall.get(true) ?? []) {
      // Held while it is done: a run that sleeps is not this node's any more to speak for.
      await this.#takeMeasures(result);
      tell(result);
    }
  }

  #callsForMore({ run, settled, verdict }: Result): boolean {
    return verdict === "gone" || (settled.version === run.version && measureDue(run.health, this.#now()) !== null);
  }

  #adjustPace({ run, verdict, askedWaitMs, wasParked }: Result): void {
    const now = this.#now();
    if (verdict === "too_fast") this.#options.paced.of(run, now).slowDown(askedWaitMs, now);
    else if (verdict === "delivered" && wasParked) this.#options.paced.of(run, now).riseFrom(now, now);
  }

  /** What an attempt calls for beyond itself: its clinic is told, or its webhook is turned off. */
  async #takeMeasures({ run, settled, verdict }: Result): Promise<void> {
    const { version } = settled;
    const details = { outcome: settled.outcome, status: settled.status };
    if (verdict === "gone") {
      await this.#options.store.turnOff(run, { version, reason: "receiver_gone", details });
      return;
    }
    if (version !== run.version) return; // it was changed meanwhile: what is known is of what it was before
    const measure = measureDue(run.health, this.#now());
    if (measure !== null) await this.#measure(run, measure, details);
  }

  async #measure(run: Run, measure: Measure, details: NoticeDetails): Promise<void> {
    const { store, nodeId } = this.#options;
    if (measure.kind === "turn_off") return store.turnOff(run, { version: run.version, reason: "failing", details });
    const { warned } = measure;
    await store.warn(nodeId(), { run, kind: WARNINGS[warned], warned, details });
    run.health = { ...run.health, warned, warnedAtMs: warned === 0 ? null : this.#now() };
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }
}

/** Counts each result once for the health of its receiver, in the order in which they ended. Returns the runs of the batch. */
function observeAll(batch: readonly Result[]): Run[] {
  for (const result of batch.toSorted((a, b) => a.endedMs - b.endedMs)) {
    const { run, verdict, startedMs: beganMs, endedMs } = result;
    if (!result.isObserved) run.observed([{ verdict, beganMs, endedMs }]);
    result.isObserved = true;
  }
  return [...new Set(batch.map(({ run }) => run))];
}

/** @param counted the names of the deliveries whose results counted */
function told(settled: Attempted["settled"], counted: ReadonlyMap<string, boolean>): Settled {
  const { begun, next, outcome, status, durationMs } = settled;
  const isOver = next.do === "finish" && counted.has(nameOf(begun, begun.id));
  return { outcome, status, durationMs, ended: isOver ? next.state : null };
}

function nameOf(key: RunKey, id: number): string {
  return `${key.clinicId}/${key.webhookId}/${id}`;
}

/**
 * The runs that this node holds, in the order of their turns. No I/O.
 *
 * Promises: where places are few, whoever was asked for last comes last, so that no webhook is left out.
 */
import { nameOf, type RunKey, type RunScan } from "./engine-store.ts";
import type { Pool } from "./places.ts";
import type { Refill, Run } from "./run.ts";

export interface RefillLimits {
  /** how many more requests each pool takes */
  places: Record<Pool, number>;
  /** how many more requests a webhook may have in flight */
  placesOf: (run: Run) => number;
  nowMs: number;
}

export class Held {
  readonly #runs = new Map<string, Run>();

  get size(): number {
    return this.#runs.size;
  }

  get(key: RunKey): Run | undefined {
    return this.#runs.get(nameOf(key));
  }

  /** In the order of their turns. */
  all(): Iterable<Run> {
    return this.#runs.values();
  }

  add(run: Run): void {
    this.#runs.set(run.name, run);
  }

  remove(runs: readonly Run[]): void {
    for (const { name } of runs) this.#runs.delete(name);
  }

  clear(): void {
    this.#runs.clear();
  }

  /** These clinics have committed something: their webhooks may have bells. */
  hear(clinics: ReadonlySet<number>): void {
    if (clinics.size === 0) return;
    for (const run of this.#runs.values()) if (clinics.has(run.clinicId)) run.rung();
  }

  /** This process has committed something for these webhooks, by their names. Returns whether all of them are held. */
  hearAll(names: ReadonlySet<string>, nowMs: number): boolean {
    let areHeld = true;
    for (const name of names) {
      const run = this.#runs.get(name);
      run?.told(nowMs);
      areHeld &&= run !== undefined;
    }
    return areHeld;
  }

  /** What to ask for next, by the names of the runs, as far as there are places. */
  nextRefills({ places, placesOf, nowMs }: RefillLimits): Map<string, Refill> {
    const left = { ...places };
    const asked = new Map<string, Refill>();
    for (const run of this.#runs.values()) {
      const free = left[run.pool];
      if (free <= 0 || !run.wantsRefill(nowMs)) continue;
      const refill = run.nextRefill(Math.min(free, placesOf(run)), nowMs);
      if (!refill) continue;
      asked.set(run.name, refill);
      left[run.pool] -= refill.request.want + refill.request.freed.length;
    }
    for (const name of asked.keys()) this.#moveToEnd(name);
    return asked;
  }

  /** What a refill found; a run that it says nothing of is ours no more. */
  noteRefilled(asked: ReadonlyMap<string, Refill>, scans: readonly RunScan[]): void {
    const answered = new Map(scans.map((scan) => [nameOf(scan), scan]));
    for (const [name, refill] of asked) {
      const scan = answered.get(name);
      const run = this.#runs.get(name);
      if (!run) continue;
      if (scan) run.refilled(scan, refill.scans);
      else run.gone = true;
    }
  }

  #moveToEnd(name: string): void {
    const run = this.#runs.get(name);
    if (!run) return;
    this.#runs.delete(name);
    this.#runs.set(name, run);
  }
}

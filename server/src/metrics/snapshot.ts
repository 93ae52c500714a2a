/**
 * What the database says, read for a scrape: at most every KEPT_MS, never twice at once, and given up after ANSWER_MS, so that
 * a scrape is answered while the database hangs and scrapes do not add to its load.
 */
import { setTimeout as pause } from "node:timers/promises";
import type pg from "pg";
import { type Ages, readAges } from "../delivery/ages.ts";
import { type Log, logEvent } from "../log.ts";
import { type DatabaseFigures, readDatabaseFigures } from "./database-figures.ts";

const KEPT_MS = 2_000;
const ANSWER_MS = 3_000;

export interface Snapshot {
  readonly ages: Ages;
  readonly figures: DatabaseFigures;
}

export class Snapshots {
  readonly #parts: { readonly owner: pg.Pool; readonly log: Log; readonly monotonicMs: () => number };
  #kept: { readonly snapshot: Snapshot; readonly atMs: number } | null = null;
  #reading: Promise<Snapshot | null> | null = null;

  constructor(parts: { readonly owner: pg.Pool; readonly log: Log; readonly monotonicMs: () => number }) {
    this.#parts = parts;
  }

  /** Null where the database does not answer in time. */
  async read(): Promise<Snapshot | null> {
    const { monotonicMs } = this.#parts;
    if (this.#kept !== null && monotonicMs() - this.#kept.atMs < KEPT_MS) return this.#kept.snapshot;
    this.#reading ??= this.#ask().finally(() => {
      this.#reading = null;
    });
    return Promise.race([this.#reading, pause(ANSWER_MS, null, { ref: false })]);
  }

  async #ask(): Promise<Snapshot | null> {
    const { owner, log, monotonicMs } = this.#parts;
    try {
      const [ages, figures] = [await readAges(owner), await readDatabaseFigures(owner)];
      const snapshot = { ages, figures };
      this.#kept = { snapshot, atMs: monotonicMs() };
      return snapshot;
    } catch (err) {
      logEvent(log, "metrics.failed", { err }, "warn");
      return null;
    }
  }
}

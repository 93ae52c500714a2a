/**
 * One run over the rows of a file, for the check and for the import alike: the check is the import, undone at its end.
 *
 * Promises that every row is tried, so that all that is wrong is told at once, and that nothing stays where anything was
 * wrong (all or nothing). What a refused row has half done is undone with everything else.
 */

import type { Tx } from "../../db/schema.ts";
import { type FieldCode, ProblemError } from "../../errors.ts";
import type { ClinicContext } from "../clinics.ts";
import type { Row } from "./csv.ts";

/** What is kept of all that is wrong; the rest is counted. */
export const ERRORS_MAX = 1_000;

export interface LineError {
  readonly line: number;
  /** The column's name; null where it is the line as a whole. */
  readonly column: string | null;
  readonly message: string;
  readonly code: FieldCode | string | null;
}

/** What a kind of file needs to make its records. */
export interface ImportJob {
  readonly tx: Tx;
  /** Silent, unless sending was asked for (contract §3 rule 8). */
  readonly context: ClinicContext;
  readonly run: ImportRun;
}

/** Thrown through a unit of work so that nothing of it stays and nothing is sent. */
export class Undone extends Error {}

/** Where a field of a command was read from: the column, and the row where the record has several. */
export type PlaceOf = (field: string) => { readonly column: string | null; readonly row?: Row | undefined };

interface RunOptions {
  /** Is told how many rows are done. */
  readonly tell: (done: number) => Promise<void>;
  /** Aborted when the process stops. */
  readonly signal: AbortSignal;
}

export class ImportRun {
  readonly errors: LineError[] = [];
  errorsCount = 0;
  records = 0;
  events = 0;
  readonly #isCheck: boolean;
  readonly #options: RunOptions;
  #done = 0;

  constructor(isCheck: boolean, options: RunOptions) {
    this.#isCheck = isCheck;
    this.#options = options;
  }

  /** Makes what rows ask for, one record each. */
  async each(rows: AsyncIterable<Row>, make: (row: Row) => Promise<{ events: number }>, place: PlaceOf): Promise<void> {
    for await (const row of rows) {
      await this.try(row, () => make(row), place);
      await this.advance(1);
    }
  }

  /** One record. What is refused is noted, and the run goes on. */
  async try(row: Row, make: () => Promise<{ events: number }>, place: PlaceOf): Promise<void> {
    try {
      if (row.problem !== null) throw row.problem;
      const { events } = await make();
      this.records += 1;
      this.events += events;
    } catch (error) {
      this.#note(row, error, place);
    }
  }

  /** What one row of several says; null, and noted, where it is refused. */
  read<Value>(row: Row, read: () => Value): Value | null {
    try {
      if (row.problem !== null) throw row.problem;
      return read();
    } catch (error) {
      this.#note(row, error, (field) => ({ column: field || null }));
      return null;
    }
  }

  /** @throws the signal's reason where the process stops */
  async advance(rows: number): Promise<void> {
    const { signal, tell } = this.#options;
    signal.throwIfAborted();
    this.#done += rows;
    await tell(this.#done);
  }

  /** To be called inside the unit of work, when all rows have been tried. @throws Undone where nothing may stay */
  end(): void {
    if (this.#isCheck || this.errorsCount > 0) throw new Undone();
  }

  #note(tried: Row, error: unknown, place: PlaceOf): void {
    if (!(error instanceof ProblemError)) throw error;
    const fields = error.fields.length > 0 ? error.fields : [{ field: "", message: error.title }];
    for (const { field, message, ...rest } of fields) {
      this.errorsCount += 1;
      if (this.errors.length >= ERRORS_MAX) continue;
      const code = "code" in rest && rest.code !== undefined ? rest.code : error.code;
      const { column, row = tried } = tried.problem === error ? { column: null } : place(field);
      this.errors.push({ line: row.line, column, message, code });
    }
  }
}

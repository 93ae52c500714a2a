/**
 * A CSV file as rows by the names of their columns.
 *
 * Owns what a file may look like: UTF-8, with or without a byte order mark, comma or semicolon, quotes, any line ends.
 * Promises that each row knows the line on which it begins; that a file with an unknown, a missing or a doubled column, or
 * with a quote that is not closed, is refused as a whole before any of it is read; and that rows are read one after another,
 * so that a large file does not hold up whatever else the process does. Does not know what a value means.
 */
import { Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { parse as parseNow } from "csv-parse/sync";
import { invalid, type ProblemError } from "../../errors.ts";

export const FILE_MAX_BYTES: number = 5 * 1024 * 1024;
export const LINES_MAX = 20_000;
const HEADER_MAX_CHARACTERS = 5_000;
const FIELD_MAX_CHARACTERS = 20_000;
const CHUNK_CHARACTERS = 65_536;

export interface Column {
  readonly name: string;
  readonly isNeeded: boolean;
  /** For the template. */
  readonly example: string;
}

export interface Row {
  /** The file's line on which it begins; the header is line 1. */
  readonly line: number;
  /** What is wrong with the row as a whole; its values are then of no use. */
  readonly problem: ProblemError | null;
  /** Trimmed; "" where the cell is empty or its column is not in the file. */
  value(column: string): string;
}

/**
 * How many rows there are, blank ones and the header not counted. What is wrong with the file as a whole is refused here.
 * @throws ProblemError naming `csv`
 */
export function checkFile(text: string, columns: readonly Column[]): number {
  if (Buffer.byteLength(text) > FILE_MAX_BYTES) {
    throw invalid("csv", `A file has at most ${FILE_MAX_BYTES / 1024 / 1024} MiB. Split it.`, "too_big");
  }
  const file = withPlainLines(text);
  const lines = countRecords(file);
  if (lines === null) throw unreadable("a quote is not closed");
  if (lines < 2) {
    throw invalid("csv", "The file has no lines besides its header. Add some, or see the template.", "empty");
  }
  if (lines - 1 > LINES_MAX) throw invalid("csv", `A file has at most ${LINES_MAX} lines. Split it.`, "too_many");
  refuseHeader(headerOf(file), columns);
  return lines - 1;
}

/** The rows of a file that was found good. One that cannot be read comes some rows too late; its line is right. */
export async function* readRows(text: string): AsyncGenerator<Row> {
  const file = withPlainLines(text);
  const names = headerOf(file);
  const places = new Map(names.map((name, place) => [name, place]));
  const unreadableRows: Row[] = [];
  const lines = new Set<number>();
  const options = {
    ...optionsFor(file),
    from: 2,
    skip_records_with_error: true,
    // Told for each thing that is wrong with a line.
    on_skip: (error?: CsvError): undefined => {
      const line = typeof error?.lines === "number" ? error.lines : 0;
      if (!lines.has(line)) unreadableRows.push(unreadableRow(line));
      lines.add(line);
    },
  };
  const parser = Readable.from(chunksOf(file)).pipe(parse(options));
  for await (const { info, record } of parser as AsyncIterable<{ info: { lines: number }; record: string[] }>) {
    yield* unreadableRows.splice(0);
    yield {
      // `lines` counts to the end of a record; a quoted cell may go over several.
      line: info.lines - breaksIn(record),
      problem: record.length === names.length ? null : wrongCells(record.length, names.length),
      value: (column) => (record[places.get(column) ?? -1] ?? "").trim(),
    };
  }
  yield* unreadableRows;
}

function unreadableRow(line: number): Row {
  const message =
    "This line cannot be read: a quote stands in the middle of a cell, or a cell is too long. Correct it.";
  return { line, problem: invalid("", message, "invalid"), value: () => "" };
}

function withPlainLines(text: string): string {
  return text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
}

function* chunksOf(text: string): Generator<string> {
  for (let from = 0; from < text.length; from += CHUNK_CHARACTERS) yield text.slice(from, from + CHUNK_CHARACTERS);
}

function optionsFor(file: string) {
  const [firstLine = ""] = file.split("\n", 1);
  const delimiter = count(firstLine, ";") > count(firstLine, ",") ? ";" : ",";
  return {
    delimiter,
    record_delimiter: "\n",
    info: true as const,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: FIELD_MAX_CHARACTERS,
  };
}

/** Lines that are not blank, those within quotes not counted; null where a quote is not closed. */
function countRecords(file: string): number | null {
  let isQuoted = false;
  let isBlank = true;
  let records = 0;
  for (let at = 0; at < file.length; at += 1) {
    const character = file[at];
    if (character === '"') isQuoted = !isQuoted;
    if (character !== "\n" || isQuoted) isBlank = false;
    else {
      if (!isBlank) records += 1;
      isBlank = true;
    }
  }
  if (isQuoted) return null;
  return isBlank ? records : records + 1;
}

function headerOf(file: string): string[] {
  try {
    const options = { ...optionsFor(file), to: 1, info: false as const };
    const [header = []] = parseNow(file.slice(0, HEADER_MAX_CHARACTERS), options) as string[][];
    return header.map((name) => name.trim().toLowerCase());
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw unreadable("a quote stands in the middle of a cell of the first line");
  }
}

function breaksIn(cells: readonly string[]): number {
  return cells.reduce((sum, cell) => sum + count(cell, "\n"), 0);
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}

function unreadable(why: string): ProblemError {
  return invalid("csv", `The file cannot be read: ${why}. Correct it, or save the file anew as CSV.`, "invalid");
}

function wrongCells(cells: number, columns: number): ProblemError {
  const message = `Cells in this line: ${cells}, in the first line: ${columns}. Give it as many.`;
  return invalid("", message, "cell_count");
}

function refuseHeader(names: readonly string[], columns: readonly Column[]): void {
  const known = new Set(columns.map(({ name }) => name));
  const unknown = names.find((name) => !known.has(name));
  if (unknown !== undefined) {
    const list = columns.map(({ name }) => name).join(", ");
    throw invalid(
      "csv",
      `A column is not known. The columns are: ${list}. Rename or remove the others.`,
      "unknown_field",
    );
  }
  if (new Set(names).size < names.length) {
    throw invalid("csv", "A column stands twice in the header. Remove one of the two.", "twice");
  }
  const missing = columns.find(({ name, isNeeded }) => isNeeded && !names.includes(name));
  if (missing !== undefined) {
    throw invalid("csv", `The column ${missing.name} is missing. Add it, or start from the template.`, "missing");
  }
}

/** A file with nothing but its header and one example, to start from. */
export function templateOf(columns: readonly Column[]): string {
  return csvFile([columns.map(({ name }) => name), columns.map(({ example }) => example)], ",");
}

/**
 * A file that a spreadsheet may open: it begins with a byte order mark, without which accents are lost, and a cell that could
 * be taken for a formula is made plain text.
 */
export function csvFile(rows: readonly (readonly (string | number)[])[], delimiter: "," | ";"): string {
  return `\uFEFF${rows.map((cells) => `${cells.map(csvCell).join(delimiter)}\r\n`).join("")}`;
}

function csvCell(cell: string | number): string {
  const text = typeof cell === "string" && /^[=+\-@\t\r\n]/.test(cell) ? `'${cell}` : String(cell);
  return /[",;\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

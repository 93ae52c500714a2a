/**
 * A CSV file as rows by the names of their columns.
 *
 * Owns what a file may look like: UTF-8, with or without a byte order mark, comma or semicolon, quotes, any line ends.
 * Promises that each row knows the line on which it begins, and that a file with an unknown, a missing or a doubled column
 * is refused as a whole. Does not know what a value means.
 */
import { CsvError, parse } from "csv-parse/sync";
import { invalid } from "../../errors.ts";

export const FILE_MAX_BYTES: number = 5 * 1024 * 1024;
export const LINES_MAX = 20_000;
const FIELD_MAX_CHARACTERS = 20_000;

export interface Column {
  readonly name: string;
  readonly isNeeded: boolean;
  /** For the template. */
  readonly example: string;
}

export interface Row {
  /** The file's line on which it begins; the header is line 1. */
  readonly line: number;
  /** Trimmed; "" where the cell is empty or its column is not in the file. */
  value(column: string): string;
}

/** @throws ProblemError naming `csv` */
export function readCsv(text: string, columns: readonly Column[]): Row[] {
  if (Buffer.byteLength(text) > FILE_MAX_BYTES) {
    throw invalid("csv", `A file has at most ${FILE_MAX_BYTES / 1024 / 1024} MiB. Split it.`, "too_big");
  }
  const [header, ...records] = parseRecords(text);
  if (header === undefined || records.length === 0) {
    throw invalid("csv", "The file has no lines besides its header. Add some, or see the template.", "empty");
  }
  if (records.length > LINES_MAX) {
    throw invalid("csv", `A file has at most ${LINES_MAX} lines. Split it.`, "too_many");
  }
  const names = header.cells.map((name) => name.trim().toLowerCase());
  refuseHeader(names, columns);
  const places = new Map(names.map((name, place) => [name, place]));
  return records.map(({ line, cells }) => ({
    line,
    value: (column) => (cells[places.get(column) ?? -1] ?? "").trim(),
  }));
}

interface Record {
  readonly line: number;
  readonly cells: readonly string[];
}

function parseRecords(text: string): Record[] {
  const [firstLine = ""] = text.split(/\r?\n|\r/, 1);
  const delimiter = count(firstLine, ";") > count(firstLine, ",") ? ";" : ",";
  const options = { bom: true, delimiter, info: true, skip_empty_lines: true, max_record_size: FIELD_MAX_CHARACTERS };
  try {
    // `lines` counts to the end of a record; a quoted cell may go over several.
    const parsed = parse(text, options) as unknown as { info: { lines: number }; record: string[] }[];
    return parsed.map(({ info, record }) => ({ line: info.lines - breaksIn(record), cells: record }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const where = typeof error.lines === "number" ? ` near line ${error.lines}` : "";
    throw invalid(
      "csv",
      `The file cannot be read${where}: every line needs as many cells as the header, and quotes must be closed.`,
      "invalid",
    );
  }
}

function breaksIn(cells: readonly string[]): number {
  return cells.reduce((sum, cell) => sum + count(cell.replaceAll("\r\n", "\n"), "\n"), 0);
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
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
    throw invalid("csv", "A column stands twice in the header. Remove one of the two.", "invalid");
  }
  const missing = columns.find(({ name, isNeeded }) => isNeeded && !names.includes(name));
  if (missing !== undefined) {
    throw invalid("csv", `The column ${missing.name} is missing. Add it, or start from the template.`, "missing");
  }
}

/** A file with nothing but its header and one example, to start from. */
export function templateOf(columns: readonly Column[]): string {
  return `${[columns.map(({ name }) => name), columns.map(({ example }) => example)].map(csvLine).join("\r\n")}\r\n`;
}

/** One line of a file that a spreadsheet may open: a cell that could be taken for a formula is made plain text. */
export function csvLine(cells: readonly (string | number)[]): string {
  return cells
    .map((cell) => {
      const text = typeof cell === "string" && /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : String(cell);
      return /[",;\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    })
    .join(",");
}

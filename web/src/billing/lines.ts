// The lines of an invoice as they are typed. Pure.
import { UNITS_MAX } from "@hookwell/sdk";
import type { LineInput, LineItem } from "../api/billing.ts";
import { type Amounts, lineAmounts } from "./amounts.ts";
import {
  type AmountMistake,
  majorOf,
  minorOf,
  ratePercent,
  rateThousandths,
  readAmount,
  readRate,
  typedAmount,
  withMark,
} from "./money.ts";

/** The server's limit, in characters. */
export const DESCRIPTION_MAX = 2_000;

export interface TypedLine {
  /** Tells the lines apart on the page; nothing else. */
  key: number;
  /** Of a line that is on the invoice already. */
  id?: number;
  description: string;
  unitPrice: string;
  units: string;
  discount: string;
  /** Percent. */
  taxRate: string;
}

type LineField = "description" | "unit_price" | "units" | "discount" | "tax_rate";
export type LineMistake = AmountMistake | "description" | "units" | "discount" | "rate";

export const emptyLine = (key: number): TypedLine => ({
  key,
  description: "",
  unitPrice: "",
  units: "1",
  discount: "",
  taxRate: "",
});

/** A line of the server, to be typed over. */
export function typedLine(line: LineItem, exponent: number, locale: string): TypedLine {
  const amount = (major: number) => (major === 0 ? "" : typedAmount(minorOf(major, exponent), exponent, locale));
  return {
    key: line.id,
    id: line.id,
    description: line.description,
    unitPrice: typedAmount(minorOf(line.unit_price, exponent), exponent, locale),
    units: String(line.units),
    discount: amount(line.discount),
    taxRate: line.tax_rate === 0 ? "" : withMark(String(line.tax_rate), locale),
  };
}

interface ReadLine {
  mistakes: Partial<Record<LineField, LineMistake>>;
  /** Undefined where something is wrong. */
  input?: LineInput;
  amounts?: Amounts;
}

const isMistake = (read: number | AmountMistake): read is AmountMistake => typeof read === "string";
const orZero = (text: string): string => (text.trim() === "" ? "0" : text);

/** What a typed line means, or what is wrong with it. An empty discount or tax rate is none. */
export function readLine(line: TypedLine, exponent: number): ReadLine {
  const mistakes: ReadLine["mistakes"] = {};
  const unitPrice = readAmount(line.unitPrice, exponent);
  const discount = readAmount(orZero(line.discount), exponent);
  const rate = readRate(orZero(line.taxRate));
  const units = Number(line.units.trim() === "" ? Number.NaN : line.units);
  if (line.description.trim() === "") mistakes.description = "description";
  if (isMistake(unitPrice)) mistakes.unit_price = unitPrice;
  if (isMistake(discount)) mistakes.discount = discount;
  if (!Number.isInteger(units) || units < 1 || units > UNITS_MAX) mistakes.units = "units";
  if (rate === null) mistakes.tax_rate = "rate";
  if (isMistake(unitPrice) || isMistake(discount) || rate === null || mistakes.units !== undefined) return { mistakes };
  if (BigInt(discount) > BigInt(unitPrice) * BigInt(units)) return { mistakes: { ...mistakes, discount: "discount" } };
  const amounts = lineAmounts({ unitPrice, units, discount, rate });
  if (mistakes.description !== undefined) return { mistakes, amounts };
  const input = {
    ...(line.id === undefined ? {} : { id: line.id }),
    description: line.description.trim(),
    unit_price: majorOf(unitPrice, exponent),
    units,
    discount: majorOf(discount, exponent),
    tax_rate: ratePercent(rate),
  };
  return { mistakes, input, amounts };
}

/** By the server's own paths, so that its refusals and ours stand at the same fields. */
export function lineMistakes(lines: readonly TypedLine[], exponent: number): Record<string, LineMistake> {
  const all = lines.flatMap((line, at) =>
    Object.entries(readLine(line, exponent).mistakes).map(([field, mistake]) => [`line_items.${at}.${field}`, mistake]),
  );
  return Object.fromEntries(all) as Record<string, LineMistake>;
}

/** As the server takes them. To be asked once nothing is wrong with any. */
export function lineInputs(lines: readonly TypedLine[], exponent: number): LineInput[] {
  return lines.flatMap((line) => readLine(line, exponent).input ?? []);
}

/** Whether what is typed differs from what the invoice has. */
export function linesDiffer(lines: readonly TypedLine[], items: readonly LineItem[], exponent: number): boolean {
  const before = items.map(({ id, description, unit_price, units, discount, tax_rate }) => {
    return { id, description, unit_price, units, discount, tax_rate: ratePercent(rateThousandths(tax_rate)) };
  });
  return JSON.stringify(lineInputs(lines, exponent)) !== JSON.stringify(before);
}

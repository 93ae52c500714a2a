// What can be told of an amount before the server is asked. Pure.
import type { Mistakes } from "./form.ts";
import { readAmount } from "./money.ts";

/** Above zero; a typed field that must hold one. */
export function amountAt(field: string, typed: string, exponent: number): Mistakes {
  const minor = readAmount(typed, exponent);
  if (typeof minor === "string") return { [field]: minor };
  return minor === 0 ? { [field]: "zero" } : {};
}

/** The same under `total`, and no more than there is. */
export function partOf(typed: string, mostMinor: number, exponent: number): Mistakes {
  const mistakes = amountAt("total", typed, exponent);
  if (mistakes.total !== undefined) return mistakes;
  return Number(readAmount(typed, exponent)) > mostMinor ? { total: "tooMuch" } : {};
}

/**
 * Between amounts as people and JSON write them and integers of the currency's smallest unit (contract §5).
 *
 * Owns the exponents of ISO 4217 and both conversions; nothing else in the project turns one form into the other.
 * Promises: both ways go through the decimal text, so that no amount ever comes from float arithmetic; an amount with more
 * decimals than its currency has is refused, never rounded. Does not add or divide amounts: amounts.ts does.
 */
import * as currencies from "dinero.js/currencies";
import { invalid } from "../../errors.ts";

/**
 * The largest amount, sum or balance, in the currency's smallest unit. In whole yen this is the most that a body may carry,
 * and with it every sum stays far below 2^53.
 */
export const AMOUNT_MAX_MINOR = 999_999_999_999;
/** Thousandths of a percent in 100 %. */
export const TAX_RATE_MAX_THOUSANDTHS = 100_000;
const TAX_RATE_DECIMALS = 3;

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

/** ISO 4217 counts the ariary and the ouguiya in hundredths on paper; the library gives their real fifths. */
const EXPONENT_OF_FIFTHS = 2;

const EXPONENTS: ReadonlyMap<string, number> = new Map(
  Object.values(currencies).map(({ code, base, exponent }) => [
    code.toLowerCase(),
    base === 10 ? exponent : EXPONENT_OF_FIFTHS,
  ]),
);

/** How many decimals the currency's amounts have: cad 2, jpy 0, kwd 3. @throws ProblemError naming `currency` */
export function currencyExponent(currency: string): number {
  const exponent = EXPONENTS.get(currency);
  if (exponent === undefined) {
    throw invalid("currency", "This currency is not known. Write a lower-case ISO 4217 code like cad.", "currency");
  }
  return exponent;
}

/**
 * An amount of zero or more in major units as an integer of the smallest unit: 25.06 cad → 2506.
 * @throws ProblemError naming `field` when it is below zero, too large or has more decimals than the currency
 */
export function toMinor(field: string, amount: number, currency: string): number {
  const exponent = currencyExponent(currency);
  const minor = scaled(amount, exponent);
  if (minor === "decimals") {
    const remedy = exponent === 0 ? "Write a whole number." : `Write at most ${exponent} decimals.`;
    throw invalid(field, `This amount has more decimals than its currency. ${remedy}`, "amount_decimals");
  }
  if (minor < 0) throw invalid(field, "An amount cannot be below zero. Write zero or more.", "too_small");
  return checkAmount(field, minor);
}

/** The same amount. @throws ProblemError naming `field` when it is larger than any amount may be */
export function checkAmount(field: string, minor: number): number {
  if (minor <= AMOUNT_MAX_MINOR) return minor;
  throw invalid(field, "This amount is too large. Check the price, the units and the decimals.", "too_big");
}

/** An integer of the smallest unit as the JSON number that is sent: 2506 cad → 25.06, 1250 kwd → 1.25. */
export function toMajor(minor: number, currency: string): number {
  if (!Number.isSafeInteger(minor)) throw new RangeError("an amount is not an exact integer of the smallest unit");
  const exponent = currencyExponent(currency);
  const digits = String(Math.abs(minor)).padStart(exponent + 1, "0");
  const whole = digits.slice(0, digits.length - exponent);
  return Number(`${minor < 0 ? "-" : ""}${whole}.${digits.slice(digits.length - exponent)}`);
}

/** A tax rate in percent as thousandths of a percent: 13.5 → 13500. @throws ProblemError naming `field` */
export function readTaxRate(field: string, percent: number): number {
  const rate = scaled(percent, TAX_RATE_DECIMALS);
  if (rate === "decimals") {
    throw invalid(field, `A tax rate has at most ${TAX_RATE_DECIMALS} decimals. Shorten it.`, "rate_decimals");
  }
  if (rate < 0) throw invalid(field, "A tax rate is from 0 to 100 percent. Write zero or more.", "too_small");
  if (rate > TAX_RATE_MAX_THOUSANDTHS) {
    throw invalid(field, "A tax rate is from 0 to 100 percent. Write 13 for 13 %.", "too_big");
  }
  return rate;
}

/** Thousandths of a percent in percent: 13500 → 13.5. */
export function taxRatePercent(thousandths: number): number {
  const digits = String(thousandths).padStart(TAX_RATE_DECIMALS + 1, "0");
  return Number(`${digits.slice(0, -TAX_RATE_DECIMALS)}.${digits.slice(-TAX_RATE_DECIMALS)}`);
}

/** The amount in another currency whose major units read the same. @throws ProblemError naming `currency` when it cannot */
export function sameMajor(minor: number, from: string, to: string): number {
  return toMinor("currency", toMajor(minor, from), to);
}

/** The number's decimal text, with the point moved; "decimals" when digits would be left behind it. */
function scaled(amount: number, decimals: number): number | "decimals" {
  // Beyond 10^21 a number is written with an exponent; it is too large in any case. Below 10^-6 it has too many decimals.
  const [, sign = "", whole = "", fraction = ""] = DECIMAL.exec(String(amount)) ?? [];
  if (whole === "") return Math.abs(amount) < 1 ? "decimals" : amount < 0 ? -1 : Number.POSITIVE_INFINITY;
  if (fraction.length > decimals) return "decimals";
  const value = Number(`${whole}${fraction.padEnd(decimals, "0")}`);
  return sign === "-" && value > 0 ? -value : value;
}

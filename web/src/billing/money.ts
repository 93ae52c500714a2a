// Amounts between what a person types, what the server tells in major units, and whole numbers of the smallest unit, in
// which the page reckons. Pure. Owns every conversion; promises that none of them goes through float arithmetic: the
// decimal point is moved in the text.

/** The server's limit, in the currency's smallest unit. */
const AMOUNT_MAX_MINOR = 999_999_999_999;
const RATE_DECIMALS = 3;
const RATE_MAX_THOUSANDTHS = 100_000;

/** What is wrong with something typed; the words stand in the dictionaries under `billing.mistake`. */
export type AmountMistake = "amount" | "decimals" | "wholeAmount" | "tooLarge";

export interface Currency {
  /** Lower-case ISO 4217. */
  code: string;
  /** How many decimals its amounts have: cad 2, jpy 0, kwd 3. */
  exponent: number;
}

/** Those that ISO 4217 gives more decimals than browsers do, which go by what is in use. */
const DECIMALS_OF_ISO: ReadonlyMap<string, number> = new Map([
  ...["afn", "all", "cop", "huf", "idr", "irr", "kpw", "lak"].map((code) => [code, 2] as const),
  ...["lbp", "mga", "mmk", "pkr", "sos", "syp", "yer"].map((code) => [code, 2] as const),
  ["iqd", 3],
]);

/** The currency's decimals, for records that are not in the clinic's own; that one's are told by the server. */
export function decimalsOf(code: string): number {
  const format = new Intl.NumberFormat("en", { style: "currency", currency: code });
  return DECIMALS_OF_ISO.get(code) ?? format.resolvedOptions().maximumFractionDigits ?? 2;
}

/** Digits with the point `decimals` places from the right, as a whole number; null where digits would be left behind it. */
function scaled(text: string, decimals: number): number | null {
  const [, sign = "", whole = "", fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  const kept = fraction.replace(/0+$/, "");
  if (whole === "" || kept.length > decimals) return null;
  return Number(`${sign}${whole}${kept.padEnd(decimals, "0")}`);
}

/** A whole number of the smallest unit as decimal text: 2506 cad is "25.06". */
function decimalText(minor: number, decimals: number): string {
  const digits = String(Math.abs(minor)).padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals);
  return `${minor < 0 ? "-" : ""}${whole}${decimals === 0 ? "" : `.${fraction}`}`;
}

/** An amount of the server in the smallest unit. @throws RangeError where it does not fit the currency: a bug of one side */
export function minorOf(amount: number, exponent: number): number {
  const minor = scaled(String(amount), exponent);
  if (minor === null) throw new RangeError("An amount has more decimals than its currency.");
  return minor;
}

/** The number that the server takes. */
export function majorOf(minor: number, exponent: number): number {
  return Number(decimalText(minor, exponent));
}

/**
 * Reads what a person typed: "25.06", "25,06", "1 234,50", "1,234.50". The last point or comma is the decimal mark, unless
 * it comes more than once.
 */
function readDecimal(typed: string): string | null {
  const text = typed.replace(/[\s'’$€£]/g, "");
  const marks = [...text.matchAll(/[.,]/g)].map(({ 0: mark, index }) => ({ mark, index }));
  const last = marks.at(-1);
  if (last === undefined) return /^\d+$/.test(text) ? text : null;
  const repeats = marks.filter(({ mark }) => mark === last.mark).length > 1;
  const whole = repeats ? text : text.slice(0, last.index);
  const fraction = repeats ? "" : text.slice(last.index + 1);
  const grouped = /^\d{1,3}([.,])\d{3}(?:\1\d{3})*$/.test(whole);
  if (!(grouped || /^\d*$/.test(whole)) || !/^\d*$/.test(fraction) || text.length === marks.length) return null;
  return `${whole.replace(/[.,]/g, "") || "0"}${fraction === "" ? "" : `.${fraction}`}`;
}

/** Three digits after the only mark: thousands to some people, decimals to others. "0.290" can only be meant in one way. */
const THOUSANDS_OR_DECIMALS = /^\D*[1-9]\d{0,2}[.,]\d{3}\D*$/;

/**
 * What was typed, in the smallest unit, or what is wrong with it. "1,000" is refused where the currency has not three
 * decimals: it would be one or a thousand, depending on who wrote it.
 */
export function readAmount(typed: string, exponent: number): number | AmountMistake {
  const text = readDecimal(typed);
  if (text === null) return "amount";
  if (exponent < 3 && THOUSANDS_OR_DECIMALS.test(typed)) return exponent === 0 ? "wholeAmount" : "decimals";
  const minor = scaled(text, exponent);
  if (minor === null) return exponent === 0 ? "wholeAmount" : "decimals";
  return minor > AMOUNT_MAX_MINOR ? "tooLarge" : minor;
}

/** A tax rate typed in percent, in thousandths of a percent; null where it is none from 0 to 100 with three decimals. */
export function readRate(typed: string): number | null {
  const text = readDecimal(typed.replace("%", ""));
  const rate = text === null ? null : scaled(text, RATE_DECIMALS);
  return rate === null || rate > RATE_MAX_THOUSANDTHS ? null : rate;
}

/** A rate as the server tells it, in thousandths of a percent. */
export const rateThousandths = (percent: number): number => minorOf(percent, RATE_DECIMALS);
export const ratePercent = (thousandths: number): number => majorOf(thousandths, RATE_DECIMALS);

/** How an amount stands in a field to be typed over: "25.06", in French "25,06". */
export function typedAmount(minor: number, exponent: number, locale: string): string {
  return withMark(decimalText(minor, exponent), locale);
}

/** The same of a rate or another plain number: "9.975", in French "9,975". */
export function withMark(text: string, locale: string): string {
  return locale.startsWith("fr") ? text.replace(".", ",") : text;
}

/** "$25.06", in French "25,06 $". */
export function formatMinor(minor: number, { code, exponent }: Currency, locale: string): string {
  const format = new Intl.NumberFormat(locale, {
    style: "currency",
    currency: code,
    minimumFractionDigits: exponent,
    maximumFractionDigits: exponent,
  });
  return format.format(decimalText(minor, exponent) as Intl.StringNumericLiteral);
}

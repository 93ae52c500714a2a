// Amounts as people read and type them. Pure. The server's amounts are numbers in major units (25.06); what is computed
// here is computed in whole numbers of the currency's smallest unit, read from the number's digits, never by multiplying.

/** How the page writes amounts of one currency. */
export interface MoneyFormat {
  locale: string;
  /** Lower-case ISO 4217. */
  currency: string;
  /** Decimals of the currency: cad 2, jpy 0, kwd 3. */
  exponent: number;
}

/** Why a typed amount cannot be taken; the dictionaries have the words under `shell.money`. */
export type MoneyMistake = "amount" | "decimals" | "tooLarge";

/** What was typed, in the smallest unit, or what is wrong with it. */
export type TypedMoney = { minor: number } | { mistake: MoneyMistake };

/** The server's limit on one amount, in the smallest unit. */
const AMOUNT_MAX_MINOR = 999_999_999_999;

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;
const SPACES_AND_SYMBOLS = /[\s\u00a0\u202f'\p{Sc}]/gu;
/** Commas that part thousands, as English writes them. */
const GROUPED = /^\d{1,3}(,\d{3})+(\.\d*)?$/;
const PLAIN = /^(\d*)(?:\.(\d*))?$/;

/** "$25.06", "25,06 $", "¥5,000"; the sign of the currency is the local one. */
export function formatMoney(amount: number, { locale, currency, exponent }: MoneyFormat): string {
  return new Intl.NumberFormat(locale, {
    style: "currency",
    currency: currency.toUpperCase(),
    minimumFractionDigits: exponent,
    maximumFractionDigits: exponent,
  }).format(amount);
}

/** The amount as it stands in a field to be changed: "25.06", in French "25,06". */
export function editableMoney(amount: number, { locale, exponent }: Omit<MoneyFormat, "currency">): string {
  const digits = String(Math.abs(minorOf(amount, exponent))).padStart(exponent + 1, "0");
  const whole = digits.slice(0, digits.length - exponent);
  const point = isFrench(locale) ? "," : ".";
  return `${amount < 0 ? "-" : ""}${whole}${exponent === 0 ? "" : `${point}${digits.slice(-exponent)}`}`;
}

/** Reads what was typed: "25.06", "$1,234.50"; in French "25,06", "25.06" and "1 234,50 $". */
export function readMoney(text: string, { locale, exponent }: Omit<MoneyFormat, "currency">): TypedMoney {
  const bare = text.replace(SPACES_AND_SYMBOLS, "");
  const [, whole = "", fraction = ""] = PLAIN.exec(pointed(bare, locale)) ?? [];
  if (whole === "" && fraction === "") return { mistake: "amount" };
  if (fraction.length > exponent) return { mistake: "decimals" };
  const minor = Number(`${whole}${fraction.padEnd(exponent, "0")}`);
  return minor > AMOUNT_MAX_MINOR ? { mistake: "tooLarge" } : { minor };
}

/** With a point before the decimals and nothing between the thousands; what is neither is left to be refused. */
function pointed(bare: string, locale: string): string {
  if (isFrench(locale)) return bare.replace(",", ".");
  return GROUPED.test(bare) ? bare.replaceAll(",", "") : bare;
}

function isFrench(locale: string): boolean {
  return locale.toLowerCase().startsWith("fr");
}

/** The server's amount in the smallest unit. @throws RangeError when it has more decimals than its currency */
export function minorOf(amount: number, exponent: number): number {
  const [, sign = "", whole = "", fraction = ""] = DECIMAL.exec(String(amount)) ?? [];
  if (whole === "" || fraction.length > exponent) throw new RangeError("an amount has more decimals than its currency");
  const minor = Number(`${whole}${fraction.padEnd(exponent, "0")}`);
  return sign === "-" && minor > 0 ? -minor : minor;
}

/** An amount in the smallest unit as the number that the server takes: 2506 → 25.06. */
export function majorOf(minor: number, exponent: number): number {
  const digits = String(Math.abs(minor)).padStart(exponent + 1, "0");
  const whole = digits.slice(0, digits.length - exponent);
  return Number(`${minor < 0 ? "-" : ""}${whole}.${digits.slice(digits.length - exponent)}`);
}

/** How many decimals a currency has, where the server has not said so. */
export function usualExponent(currency: string): number {
  const format = new Intl.NumberFormat("en", { style: "currency", currency: currency.toUpperCase() });
  return format.resolvedOptions().maximumFractionDigits ?? 2;
}

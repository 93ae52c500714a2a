// How moments and calendar days are written: in the clinic's zone and the page's language. Pure.
// Calendar days are handled as "YYYY-MM-DD" text; the API gives every time with the clinic's own offset, so the first
// ten characters of a time are the clinic's day and the next five its wall clock.

export interface TimeFormat {
  locale: string;
  timeZone: string;
}

/** Made once for each way of writing: a list writes many times, and making one takes longer than writing with it. */
const formats = new Map<string, Intl.DateTimeFormat>();

function dateFormat(locale: string, options: Intl.DateTimeFormatOptions & { timeZone: string }): Intl.DateTimeFormat {
  const key = `${locale} ${JSON.stringify(options)}`;
  const format = formats.get(key) ?? new Intl.DateTimeFormat(locale, options);
  formats.set(key, format);
  return format;
}

/** Written 14:02, not 2:02 p.m.: shorter, and no full stop to meet the one of a sentence. */
const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;

/**
 * One moment. In French the first of a month is said so ("1er mars"), and neither "3 mars" nor "18 h 48" may be torn apart at
 * the end of a line.
 */
function write(at: Date, locale: string, options: Intl.DateTimeFormatOptions & { timeZone: string }): string {
  const text = dateFormat(locale, options).format(at);
  if (!locale.startsWith("fr")) return text;
  return text
    .replaceAll(/(\d+)\s(?=\p{L}{3})/gu, (_whole, number: string) => `${number === "1" ? "1er" : number}\u00a0`)
    .replaceAll(/(\d) (h|min) (?=\d)/g, "$1\u00a0$2\u00a0")
    .replace(/(\d) s$/, "$1\u00a0s");
}

export const dayOf = (time: string): string => time.slice(0, 10);
/** "YYYY-MM-DDTHH:MM", the form that a date and time field holds. */
export const localMinute = (time: string): string => time.slice(0, 16);

function utcOf(day: string): Date {
  return new Date(`${day}T00:00:00Z`);
}

/** The calendar day `days` after (or before) another. */
export function addDays(day: string, days: number): string {
  const date = utcOf(day);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}

/** The Monday of the week in which a day lies. */
export function mondayOf(day: string): string {
  const sinceMonday = (utcOf(day).getUTCDay() + 6) % 7;
  return addDays(day, -sinceMonday);
}

/** True for a real calendar day written as "YYYY-MM-DD". */
export function isDay(value: unknown): value is string {
  if (typeof value !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const date = utcOf(value);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value);
}

/** A day that was typed to its end: while its year is being typed, a date field tells the years 2, 20 and 202. */
export function isWholeDay(typed: string): boolean {
  return isDay(typed) && typed >= "1000";
}

/** The clinic's calendar day at an instant. */
export function dayInZone(instant: Date, timeZone: string): string {
  return dateFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" }).format(instant);
}

/** "Monday, November 2, 2026" */
export function formatDay(day: string, locale: string): string {
  const options = { weekday: "long", month: "long", day: "numeric", year: "numeric", timeZone: "UTC" } as const;
  return write(utcOf(day), locale, options);
}

/** "Mon" */
export function formatWeekday(day: string, locale: string): string {
  return write(utcOf(day), locale, { weekday: "short", timeZone: "UTC" });
}

/** "Nov 2" */
export function formatDate(day: string, locale: string): string {
  return write(utcOf(day), locale, { month: "short", day: "numeric", timeZone: "UTC" });
}

/** "Nov 2 – 8, 2026" */
export function formatDays(first: string, last: string, locale: string): string {
  return dateFormat(locale, {
    year: "numeric",
    month: "long",
    day: "numeric",
    timeZone: "UTC",
  }).formatRange(utcOf(first), utcOf(last));
}

/** "09:00" in the clinic's zone. */
export function formatTime(time: string, { locale, timeZone }: TimeFormat): string {
  return write(new Date(time), locale, { timeZone, ...CLOCK });
}

/** "Nov 2, 2026, 09:00:05" in the clinic's zone. */
export function formatMoment(time: string, { locale, timeZone }: TimeFormat, seconds = true): string {
  const day = { timeZone, year: "numeric", month: "short", day: "numeric" } as const;
  return write(new Date(time), locale, { ...day, ...CLOCK, ...(seconds ? { second: "2-digit" } : {}) });
}

/** "March 3, 2026 at 14:05", in French "3 mars 2026 à 14 h 05": for the middle of a sentence. */
export function formatSpokenMoment(time: string, { locale, timeZone }: TimeFormat): string {
  return write(new Date(time), locale, { timeZone, year: "numeric", month: "long", day: "numeric", ...CLOCK });
}

/** "Nov 2, 2026": the clinic's day at an instant. */
export function formatCalendarDate(time: string, { locale, timeZone }: TimeFormat): string {
  return write(new Date(time), locale, { timeZone, year: "numeric", month: "short", day: "numeric" });
}

/** "Tuesday 14:00", for what is less than a week away. */
export function formatWeekdayTime(time: string, { locale, timeZone }: TimeFormat): string {
  const weekday = write(new Date(time), locale, { timeZone, weekday: "long" });
  return `${weekday} ${formatTime(time, { locale, timeZone })}`;
}

/** "0.18 s"; an attempt's time is told with two decimals below ten seconds and one above. */
export function formatSeconds(milliseconds: number, locale: string): string {
  const seconds = milliseconds / 1000;
  const digits = seconds < 10 ? 2 : 1;
  const number = new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  // The symbol of the unit is the same in every language; browsers write "secs" for some of them.
  return `${number.format(seconds)}\u00a0s`;
}

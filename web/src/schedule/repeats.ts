// How a consult repeats, as it is typed, and on which days that puts it. Pure.
import type { Repeats } from "../api.ts";
import { addDays, isDay } from "../ui/time.ts";

/** The server's limits. */
export const OCCURRENCES_MAX = 104;
export const INTERVAL_MAX = 52;

export interface TypedRepeats {
  /** Null: only once. */
  every: Repeats["every"] | null;
  /** Numbers as typed. */
  interval: string;
  ends: "count" | "until";
  count: string;
  /** "YYYY-MM-DD". */
  until: string;
}

export const ONCE: TypedRepeats = { every: null, interval: "1", ends: "count", count: "8", until: "" };

type RepeatsMistakes = Partial<Record<"interval" | "count" | "until", "interval" | "count" | "until" | "tooLong">>;

/** What can be told before the server is asked. `firstDay` is empty while the start is not complete. */
export function repeatsMistakes(typed: TypedRepeats, firstDay: string): RepeatsMistakes {
  const mistakes: RepeatsMistakes = {};
  if (typed.every === null) return mistakes;
  if (!isWhole(typed.interval, INTERVAL_MAX)) return { interval: "interval" };
  if (typed.ends === "count" && !isWhole(typed.count, OCCURRENCES_MAX)) mistakes.count = "count";
  if (typed.ends === "until") {
    if (!isDay(typed.until) || typed.until < firstDay) mistakes.until = "until";
    else if (isDay(firstDay) && daysOf(typed, firstDay).length > OCCURRENCES_MAX) mistakes.until = "tooLong";
  }
  return mistakes;
}

function isWhole(text: string, max: number): boolean {
  const number = Number(text);
  return Number.isInteger(number) && number >= 1 && number <= max;
}

/** As the server takes it; undefined for a consult that does not repeat. */
export function repeatsOf({ every, interval, ends, count, until }: TypedRepeats): Repeats | undefined {
  if (every === null) return undefined;
  return { every, interval: Number(interval), ...(ends === "count" ? { count: Number(count) } : { until }) };
}

/** The days of all of them, for telling them before they are made; empty where something is not typed yet. */
export function repeatDays(typed: TypedRepeats, firstDay: string): string[] {
  if (typed.every === null || !isDay(firstDay) || Object.keys(repeatsMistakes(typed, firstDay)).length > 0) return [];
  return daysOf(typed, firstDay);
}

/** One more than the most there may be, at most. */
function daysOf(typed: TypedRepeats, firstDay: string): string[] {
  const days: string[] = [];
  const most = typed.ends === "count" ? Number(typed.count) : OCCURRENCES_MAX + 1;
  while (days.length < most) {
    const day = dayAfter(firstDay, typed.every, days.length * Number(typed.interval));
    if (typed.ends === "until" && day > typed.until) break;
    days.push(day);
  }
  return days;
}

function dayAfter(day: string, every: TypedRepeats["every"], steps: number): string {
  return every === "month" ? addMonths(day, steps) : addDays(day, every === "week" ? steps * 7 : steps);
}

/** The same day of a later month, or its last one where it is too short. */
function addMonths(day: string, months: number): string {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  const last = new Date(Date.UTC(year, month + months, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 + months, Math.min(date, last))).toISOString().slice(0, 10);
}

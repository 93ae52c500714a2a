// The part of the schedule that is shown, as it stands in the page's address. Pure.
import type { Consult } from "../api-types.ts";
import { addDays, dayOf, isDay, mondayOf } from "../ui/time.ts";

export const DAYS_OF_WEEK = 7;

/** `day`: any day of the week to show; without it, the current week. The others narrow what is shown of it. */
export interface ScheduleSearch {
  day?: string;
  view?: "list";
  practitioner?: number;
  service?: number;
}

/** Reads an address; nonsense shows the current week, whole. */
export function scheduleSearch(search: Record<string, unknown>): ScheduleSearch {
  return {
    ...(isDay(search.day) ? { day: search.day } : {}),
    ...(search.view === "list" ? { view: "list" } : {}),
    ...(isId(search.practitioner) ? { practitioner: search.practitioner } : {}),
    ...(isId(search.service) ? { service: search.service } : {}),
  };
}

function isId(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}

/** The seven days, Monday first, of the week in which `day` lies. */
export function daysOfWeek(day: string): string[] {
  const monday = mondayOf(day);
  return Array.from({ length: DAYS_OF_WEEK }, (_, offset) => addDays(monday, offset));
}

/** The consults of one clinic day, in the order of their start. */
export function consultsOfDay(consults: readonly Consult[], day: string): Consult[] {
  return consults
    .filter((consult) => dayOf(consult.start_time) === day)
    .sort((a, b) => Date.parse(a.start_time) - Date.parse(b.start_time) || a.id - b.id);
}

/** Those of the chosen practitioner and service. */
export function matching(consults: readonly Consult[], { practitioner, service }: ScheduleSearch): Consult[] {
  return consults.filter(
    (consult) =>
      (practitioner === undefined || consult.practitioner.id === practitioner) &&
      (service === undefined || consult.service.id === service),
  );
}

// How calendar days of invoices and memberships are written. Pure.
import { formatCalendarDate } from "../ui/time.ts";

/** "Nov 2, 2026" of "2026-11-02". */
export function formatDate(day: string, locale: string): string {
  return formatCalendarDate(`${day}T00:00:00Z`, { locale, timeZone: "UTC" });
}

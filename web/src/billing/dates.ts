// How calendar days of invoices and memberships are written. Pure.

/** "Nov 2, 2026" of "2026-11-02". */
export function formatDate(day: string, locale: string): string {
  const format = new Intl.DateTimeFormat(locale, { year: "numeric", month: "short", day: "numeric", timeZone: "UTC" });
  return format.format(new Date(`${day}T00:00:00Z`));
}

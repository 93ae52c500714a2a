// The pages of the list as they were read, kept up to date without reading all of them again. Rows go by event, webhook and
// part, the newest first; what is read anew takes the place of what it reaches over, and leaves what is older. Pure.
import type { Page } from "../api-types.ts";

/** What is needed of a row: its id, and where it stands. */
export interface Row {
  readonly id: string;
  readonly event_id: string | number;
  readonly webhook: { readonly id: number | string };
  readonly part: number;
}

/** Pages as TanStack Query keeps them. */
export interface Pages<R extends Row> {
  readonly pages: Page<R>[];
  readonly pageParams: unknown[];
}

const placeOf = (param: unknown): string | null => (typeof param === "string" ? param : null);

/** Less than 0 where `a` stands above `b`. */
function order(a: Row, b: Row): number {
  if (a.event_id !== b.event_id) return String(a.event_id) > String(b.event_id) ? -1 : 1;
  return Number(b.webhook.id) - Number(a.webhook.id) || b.part - a.part;
}

/** A page that was read again from the same place: rows may have come in, or no longer fit the filter. */
export function reread<R extends Row>(before: Page<R>, now: Page<R>): Page<R> {
  const last = now.data.at(-1);
  if (last === undefined || now.next_cursor === null) return now;
  const below = before.data.filter((row) => order(last, row) < 0);
  return below.length === 0 ? now : { data: [...now.data, ...below], next_cursor: before.next_cursor };
}

function reaches<R extends Row>(now: Page<R>, row: R | undefined): boolean {
  const last = now.data.at(-1);
  return now.next_cursor === null || row === undefined || last === undefined || order(last, row) >= 0;
}

/** Whether nothing is missing between what was read from the top now and what was read before. */
export function isJoined<R extends Row>(before: Page<R>, now: Page<R>): boolean {
  return reaches(now, before.data[0]);
}

/** Whether what was read from the top now is joined, and holds all that is in sight of what was read before. */
export function coversShown<R extends Row>(before: Page<R>, now: Page<R>, ids: readonly string[]): boolean {
  const wanted = new Set(ids);
  return reaches(now, before.data.findLast(({ id }) => wanted.has(id)) ?? before.data[0]);
}

/** All rows in order, each once: what a page has reached over may stand in the next one, too. */
export function rowsOf<R extends Row>(pages: readonly Page<R>[]): R[] {
  const rows = new Map<string, R>();
  for (const page of pages) for (const row of page.data) if (!rows.has(row.id)) rows.set(row.id, row);
  return [...rows.values()];
}

/** The places of the pages in which the shown rows stand, without the first one. */
export function shownPages<R extends Row>({ pages, pageParams }: Pages<R>, ids: readonly string[]): string[] {
  const wanted = new Set(ids);
  return pages.flatMap((page, index) => {
    const place = placeOf(pageParams[index]);
    return place !== null && page.data.some(({ id }) => wanted.has(id)) ? [place] : [];
  });
}

/** Puts what was read again in its places; a place that is no longer there is left out. */
export function withReread<R extends Row>(before: Pages<R>, now: ReadonlyMap<string | null, Page<R>>): Pages<R> {
  const pages = before.pages.map((page, index) => {
    const again = now.get(placeOf(before.pageParams[index]));
    return again === undefined ? page : reread(page, again);
  });
  return { ...before, pages };
}

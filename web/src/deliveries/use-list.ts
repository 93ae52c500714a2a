// The list of deliveries on the page: read on as far as somebody scrolls, and kept up to date where it is looked at. A
// change reads the newest anew, and the pages in sight, never all that were read so far.
import { type QueryClient, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useRef } from "react";
import { deliveries } from "../api.ts";
import type { Delivery, Page } from "../api-types.ts";
import type { DeliveryFilters } from "./filters.ts";
import { coversShown, isJoined, rowsOf, shownPages, withReread } from "./pages.ts";
import { deliveriesQuery, freshly } from "./queries.ts";

/** When more has come meanwhile than fits so many pages, the list begins anew. So far at most it is read for what is in sight. */
const CATCH_UP_MAX_PAGES = 10;

interface Looking {
  readonly filters: DeliveryFilters;
  /** The rows in sight. */
  readonly shown: readonly string[];
  readonly signal: AbortSignal;
}

/** From the top down to what is known and in sight, which new rows may have pushed far down, unless that is too far. */
async function readNewest({ filters, shown, signal }: Looking, known: Page<Delivery>): Promise<Page<Delivery>> {
  let newest = await deliveries.list(filters, signal);
  for (let read = 1; read < CATCH_UP_MAX_PAGES && !coversShown(known, newest, shown); read++) {
    const next = await deliveries.list({ ...filters, cursor: newest.next_cursor ?? undefined }, signal);
    newest = { data: [...newest.data, ...next.data], next_cursor: next.next_cursor };
  }
  return newest;
}

async function refresh(client: QueryClient, looking: Looking): Promise<void> {
  const { filters, shown, signal } = looking;
  const { queryKey } = deliveriesQuery(filters);
  const before = client.getQueryData(queryKey);
  const [top] = before?.pages ?? [];
  if (before === undefined || top === undefined) return;
  const newest = await readNewest(looking, top);
  if (!isJoined(top, newest)) {
    client.setQueryData(queryKey, { pages: [newest], pageParams: [null] });
    return;
  }
  const places = shownPages(before, shown);
  const pages = await Promise.all(places.map((cursor) => deliveries.list({ ...filters, cursor }, signal)));
  const again = new Map<string | null, Page<Delivery>>([[null, newest]]);
  for (const [index, page] of pages.entries()) again.set(places[index] ?? null, page);
  client.setQueryData(queryKey, (now) => now && withReread(now, again));
}

/** The rows read so far, how to read on, and where to say which rows are in sight. */
export function useDeliveryList(filters: DeliveryFilters) {
  const client = useQueryClient();
  const shown = useRef<readonly string[]>([]);
  const query = useInfiniteQuery(deliveriesQuery(filters));
  useQuery({
    ...freshly(filters, (signal) => refresh(client, { filters, shown: shown.current, signal })),
    enabled: query.data !== undefined,
  });
  const pages = query.data?.pages;
  const rows = useMemo(() => pages && rowsOf(pages), [pages]);
  return { query, rows, shown };
}

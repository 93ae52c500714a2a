import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { type RecoverRange, recoveries } from "../api/recoveries.ts";
import { deliveries } from "../api.ts";
import { unlessLive } from "../live/stream.ts";
import type { DeliveryFilters } from "./filters.ts";

/** While the page is looked at and no stream says when; TanStack Query stops in a hidden tab. */
const REFRESH_MILLISECONDS = 4_000;

/** The list, newest first, page by page. It is never read anew as a whole: see use-list.ts. */
export const deliveriesQuery = (filters: DeliveryFilters) =>
  infiniteQueryOptions({
    queryKey: ["delivery-pages", filters],
    queryFn: ({ pageParam, signal }) => deliveries.list({ ...filters, cursor: pageParam ?? undefined }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    staleTime: Number.POSITIVE_INFINITY,
  });

/** Runs `refresh` whenever deliveries have changed, and from time to time where nobody says so. */
export const freshly = (filters: DeliveryFilters, refresh: (signal: AbortSignal) => Promise<void>) =>
  queryOptions({
    queryKey: ["deliveries", filters],
    queryFn: async ({ signal }) => {
      await refresh(signal);
      return null;
    },
    gcTime: 0,
    refetchInterval: unlessLive(REFRESH_MILLISECONDS),
  });

export const deliveryQuery = (id: string) =>
  queryOptions({
    queryKey: ["delivery", id],
    queryFn: ({ signal }) => deliveries.get(id, signal),
    refetchInterval: unlessLive(REFRESH_MILLISECONDS),
  });

/** What is being sent again of a webhook, or was last. */
export const recoveryQuery = (webhook: number) =>
  queryOptions({
    queryKey: ["recovery", webhook],
    queryFn: ({ signal }) => recoveries.last(webhook, signal),
    refetchInterval: unlessLive(REFRESH_MILLISECONDS),
  });

/** How many deliveries would be sent again; null while what is typed is no range. */
export const recoverCountQuery = (webhook: number, range: RecoverRange | null) =>
  queryOptions({
    // Not under "recovery": it would be counted again with every change to a delivery.
    queryKey: ["recover-count", webhook, range],
    queryFn: ({ signal }) => (range === null ? null : recoveries.count(webhook, range, signal)),
    retry: false,
    gcTime: 0,
  });

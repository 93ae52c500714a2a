// All keys begin alike, so that an act brings everything up to date that it may have changed.
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { type CheckoutState, checkouts, type ItemKey, items } from "../api/academy.ts";

export const ACADEMY = ["academy"] as const;

/** Courses first, then webinars. */
export const itemsQuery = queryOptions({
  queryKey: [...ACADEMY, "items"],
  queryFn: ({ signal }) => items.list(signal),
});

export const placesQuery = (key: ItemKey) =>
  queryOptions({ queryKey: [...ACADEMY, "places", key.id], queryFn: ({ signal }) => items.places(key, signal) });

/** The newest first, page by page. */
export const checkoutsQuery = (state: CheckoutState | undefined) =>
  infiniteQueryOptions({
    queryKey: [...ACADEMY, "checkouts", state],
    queryFn: ({ pageParam, signal }) => checkouts.list({ state, cursor: pageParam ?? undefined }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });

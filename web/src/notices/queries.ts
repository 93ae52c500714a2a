import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { notices } from "../api/notices.ts";
import { unlessLive } from "../live/stream.ts";

const REFRESH_MILLISECONDS = 60_000;

/** How many nobody has read, for the navigation. */
export const unreadQuery = queryOptions({
  queryKey: ["notices", "unread"],
  queryFn: ({ signal }) => notices.unreadCount(signal),
  refetchInterval: unlessLive(REFRESH_MILLISECONDS),
});

/** The list, newest first, page by page. */
export const noticesQuery = infiniteQueryOptions({
  queryKey: ["notices", "list"],
  queryFn: ({ pageParam, signal }) => notices.list(pageParam ?? undefined, signal),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.next_cursor,
});

/** The newest ones, for the banner of the webhooks' page. */
export const newestQuery = queryOptions({
  queryKey: ["notices", "newest"],
  queryFn: async ({ signal }) => (await notices.list(undefined, signal)).data,
  refetchInterval: unlessLive(REFRESH_MILLISECONDS),
});

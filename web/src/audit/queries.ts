import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { type AuditFilters, audit } from "../api/audit.ts";

/** The entries that fit, newest first, page by page. */
export const entriesQuery = (filters: AuditFilters) =>
  infiniteQueryOptions({
    queryKey: ["audit", "list", filters],
    queryFn: ({ pageParam, signal }) => audit.list(filters, pageParam ?? undefined, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });

/** Who stands in the history, for the filter. */
export const actorsQuery = queryOptions({
  queryKey: ["audit", "actors"],
  queryFn: ({ signal }) => audit.actors(signal),
});

/** Whether anything was changed or taken out. */
export const checkQuery = queryOptions({
  queryKey: ["audit", "check"],
  queryFn: ({ signal }) => audit.check(signal),
});

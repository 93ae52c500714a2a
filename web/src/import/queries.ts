import { queryOptions } from "@tanstack/react-query";
import { type ImportState, imports } from "../api/imports.ts";

const POLL_MILLISECONDS = 700;

export const IMPORTS = ["imports"] as const;

/** While the server works on it. */
export const isRunning = (state: ImportState): boolean => state === "checking" || state === "importing";

export const recentQuery = queryOptions({
  queryKey: [...IMPORTS, "recent"],
  queryFn: ({ signal }) => imports.recent(signal),
});

/** One import, asked for again and again while the server works on it. */
export const importQuery = (id: number) =>
  queryOptions({
    queryKey: [...IMPORTS, id],
    queryFn: ({ signal }) => imports.get(id, signal),
    refetchInterval: ({ state: { data } }) => (data !== undefined && isRunning(data.state) ? POLL_MILLISECONDS : false),
  });

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { patients } from "../api/patients.ts";

/** Begins every key of what is known of patients, the pickers' lists included. */
export const PATIENTS = ["patients"] as const;

/** By name, page by page; without a name, all. */
export const patientListQuery = (name: string) =>
  infiniteQueryOptions({
    queryKey: [...PATIENTS, "list", name],
    queryFn: ({ pageParam, signal }) => patients.list({ name, cursor: pageParam ?? undefined }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });

export const patientQuery = (id: number) =>
  queryOptions({ queryKey: [...PATIENTS, "one", id], queryFn: ({ signal }) => patients.get(id, signal) });

/** Of the clinic days from `from` up to, not including, `to`. */
export const consultsOfQuery = (id: number, { from, to }: { from: string; to: string }) =>
  queryOptions({
    queryKey: ["consults", "of", id, from, to],
    queryFn: ({ signal }) => patients.consults({ id, from, to }, signal),
  });

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { clinic } from "../api.ts";

const SETTINGS_STALE_MILLISECONDS = 60_000;

/** The consults of the clinic days from `from` up to, not including, `to`. */
export const consultsQuery = (from: string, to: string) =>
  queryOptions({
    queryKey: ["consults", from, to],
    queryFn: ({ signal }) => clinic.consults(from, to, signal),
    placeholderData: keepPreviousData,
  });

export const servicesQuery = queryOptions({
  queryKey: ["services"],
  queryFn: ({ signal }) => clinic.services(signal),
  staleTime: SETTINGS_STALE_MILLISECONDS,
});

export const practitionersQuery = queryOptions({
  queryKey: ["practitioners"],
  queryFn: ({ signal }) => clinic.practitioners(signal),
  staleTime: SETTINGS_STALE_MILLISECONDS,
});

/** Patients whose name holds the text; without text, the first ones. */
export const patientsQuery = (name: string) =>
  queryOptions({
    queryKey: ["patients", name],
    queryFn: async ({ signal }) => (await clinic.patients(name, signal)).data,
    placeholderData: keepPreviousData,
  });

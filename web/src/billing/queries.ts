// All keys begin alike, so that an act brings everything up to date that money may have changed.
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { credits, giftCertificates, type InvoiceQuery, invoices, packages } from "../api/billing.ts";

export const BILLING = ["billing"] as const;

/** The newest first, page by page. */
export const invoicesQuery = (filters: Omit<InvoiceQuery, "cursor">) =>
  infiniteQueryOptions({
    queryKey: [...BILLING, "invoices", filters],
    queryFn: ({ pageParam, signal }) => invoices.list({ ...filters, cursor: pageParam ?? undefined }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });

export const invoiceQuery = (id: number) =>
  queryOptions({ queryKey: [...BILLING, "invoice", id], queryFn: ({ signal }) => invoices.get(id, signal) });

/** What a patient can pay with; what would be used first comes first. */
export const creditsQuery = (patientId: number) =>
  queryOptions({
    queryKey: [...BILLING, "credits", patientId],
    queryFn: async ({ signal }) => (await credits.of(patientId, signal)).data,
  });

export const packagesQuery = queryOptions({
  queryKey: [...BILLING, "packages"],
  queryFn: ({ signal }) => packages.list(signal),
});

export const giftCertificatesQuery = infiniteQueryOptions({
  queryKey: [...BILLING, "gift-certificates"],
  queryFn: ({ pageParam, signal }) => giftCertificates.list(pageParam ?? undefined, signal),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.next_cursor,
});

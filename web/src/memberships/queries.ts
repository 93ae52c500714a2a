// The keys begin as billing's do: a payment can start a membership, and a membership makes records to be paid.
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { invoices } from "../api/billing.ts";
import { type Membership, type MembershipQuery, memberships, plans } from "../api/memberships.ts";
import { BILLING } from "../billing/queries.ts";

/** The newest first, page by page. */
export const membershipsQuery = (filters: Omit<MembershipQuery, "cursor">) =>
  infiniteQueryOptions({
    queryKey: [...BILLING, "memberships", filters],
    queryFn: ({ pageParam, signal }) => memberships.list({ ...filters, cursor: pageParam ?? undefined }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });

export const membershipQuery = (id: number) =>
  queryOptions({ queryKey: [...BILLING, "membership", id], queryFn: ({ signal }) => memberships.get(id, signal) });

/** The records of the latest charges, as many as one page of the patient's has. */
export const chargesQuery = ({ client, invoices: ids }: Pick<Membership, "client" | "invoices">) =>
  queryOptions({
    queryKey: [...BILLING, "charges", client.id, ids],
    queryFn: async ({ signal }) => {
      const page = await invoices.list({ patient: client.id, type: "clinic_package_membership" }, signal);
      return page.data.filter(({ id }) => ids.includes(id));
    },
    enabled: ids.length > 0,
  });

export const plansQuery = queryOptions({
  queryKey: [...BILLING, "plans"],
  queryFn: ({ signal }) => plans.list(signal),
});

/** Courses and webinars that a plan can open. */
export const planItemsQuery = queryOptions({
  queryKey: [...BILLING, "plan-items"],
  queryFn: ({ signal }) => plans.items(signal),
});

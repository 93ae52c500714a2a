// Every membership, the newest first. The filters live in the address.
import { Button, NativeSelect } from "@mantine/core";
import IconFilterOff from "@tabler/icons-react/dist/esm/icons/IconFilterOff.mjs";
import IconMembership from "@tabler/icons-react/dist/esm/icons/IconId.mjs";
import IconPlus from "@tabler/icons-react/dist/esm/icons/IconPlus.mjs";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import type { Membership } from "../api/memberships.ts";
import { PatientFilter } from "../billing/BillingFilters.tsx";
import { MembershipsNav } from "../billing/SectionNav.tsx";
import { useTranslation } from "../i18n/words.ts";
import { Filters } from "../ui/Filters.tsx";
import { PagedList } from "../ui/PagedList.tsx";
import { PageHeader } from "../ui/PageHeader.tsx";
import { Empty, LoadFailed, LoadingRows } from "../ui/states.tsx";
import { type MembershipFilters, membershipFilters } from "./filters.ts";
import { MembershipRow } from "./MembershipRow.tsx";
import { membershipsQuery, plansQuery } from "./queries.ts";
import { MEMBERSHIP_STATES } from "./state.ts";

const AssignDialog = lazy(() => import("./AssignDialog.tsx"));
const route = getRouteApi("/shell/memberships");
const ANY = "";

function useMemberships(filters: MembershipFilters) {
  return useInfiniteQuery(membershipsQuery(filters));
}

type Query = ReturnType<typeof useMemberships>;

function FilterBar({
  filters,
  patientName,
  onChange,
}: {
  filters: MembershipFilters;
  patientName: string | null;
  onChange: (filters: MembershipFilters) => void;
}) {
  const { t } = useTranslation();
  const plans = useQuery(plansQuery);
  const set = (changes: Record<string, string | number | undefined>) =>
    onChange(membershipFilters({ ...filters, ...changes }));
  return (
    <Filters>
      <NativeSelect
        aria-label={t("memberships.filter.state")}
        value={filters.state ?? ANY}
        onChange={(event) => set({ state: event.currentTarget.value })}
        data={[
          { value: ANY, label: t("memberships.filter.all") },
          ...MEMBERSHIP_STATES.map((state) => ({ value: state as string, label: t(`memberships.states.${state}`) })),
        ]}
      />
      <NativeSelect
        aria-label={t("memberships.filter.plan")}
        value={filters.plan ?? ANY}
        onChange={(event) => set({ plan: event.currentTarget.value })}
        data={[
          { value: ANY, label: t("memberships.filter.anyPlan") },
          ...(plans.data ?? []).map(({ id, name }) => ({ value: String(id), label: name })),
        ]}
      />
      <PatientFilter chosen={filters.patient} name={patientName} onChange={(patient) => set({ patient })} />
    </Filters>
  );
}

function Nothing({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) {
  const { t } = useTranslation();
  if (!isFiltered) {
    return <Empty icon={IconMembership} title={t("memberships.nothing")} text={t("memberships.nothingText")} />;
  }
  return (
    <Empty icon={IconFilterOff} title={t("memberships.noMatch")}>
      <Button variant="default" mt="sm" onClick={onClear}>
        {t("memberships.clear")}
      </Button>
    </Empty>
  );
}

function List({ query, ...nothing }: { query: Query; isFiltered: boolean; onClear: () => void }) {
  const { t } = useTranslation();
  if (query.data === undefined) {
    if (query.isError) return <LoadFailed error={query.error} retry={() => query.refetch()} />;
    return <LoadingRows rows={5} height={64} />;
  }
  const rows = query.data.pages.flatMap(({ data }) => data);
  if (rows.length === 0) return <Nothing {...nothing} />;
  return (
    <PagedList
      label={t("memberships.nav.memberships")}
      more={t("billing.more")}
      entries={rows}
      keyOf={({ id }) => id}
      query={query}
    >
      {(membership) => <MembershipRow membership={membership} />}
    </PagedList>
  );
}

/** See the head of this file. */
export function MembershipsPage() {
  const { t } = useTranslation();
  const filters = route.useSearch();
  const navigate = route.useNavigate();
  const [isNew, setIsNew] = useState(false);
  const query = useMemberships(filters);
  const show = (search: MembershipFilters) => navigate({ to: ".", search, replace: true });
  const rows = query.data?.pages.flatMap(({ data }) => data) ?? [];
  const patientName = rows.find(({ client }) => client.id === filters.patient)?.client.name ?? null;
  // Until it is paid, only its invoice is told of.
  const assigned = ({ id, subject, state, invoices }: Membership) =>
    navigate({
      to: "/memberships/$membershipId",
      params: { membershipId: String(id) },
      state: {
        said: {
          key: "assigned",
          subject: state === "pending" && invoices.length > 0 ? `invoice:${invoices.at(-1)}` : subject,
        },
      },
    });
  return (
    <>
      <PageHeader
        title={t("memberships.title")}
        action={
          <Button leftSection={<IconPlus size={16} aria-hidden="true" />} onClick={() => setIsNew(true)}>
            {t("memberships.assign")}
          </Button>
        }
      />
      <MembershipsNav />
      <FilterBar filters={filters} patientName={patientName} onChange={show} />
      <List query={query} isFiltered={Object.keys(filters).length > 0} onClear={() => show({})} />
      <Suspense fallback={null}>{isNew && <AssignDialog onClose={() => setIsNew(false)} onDone={assigned} />}</Suspense>
    </>
  );
}

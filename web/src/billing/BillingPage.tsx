// Every invoice, package sale, membership charge and gift certificate, the newest first. The filters live in the address.
import { Button } from "@mantine/core";
import IconFilterOff from "@tabler/icons-react/dist/esm/icons/IconFilterOff.mjs";
import IconPlus from "@tabler/icons-react/dist/esm/icons/IconPlus.mjs";
import IconReceipt from "@tabler/icons-react/dist/esm/icons/IconReceipt.mjs";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import type { Invoice } from "../api/billing.ts";
import { useTranslation } from "../i18n/words.ts";
import { PagedList } from "../ui/PagedList.tsx";
import { PageHeader } from "../ui/PageHeader.tsx";
import { QuietLine } from "../ui/QuietLine.tsx";
import { Empty, LoadFailed, LoadingRows } from "../ui/states.tsx";
import { BillingFilters } from "./BillingFilters.tsx";
import classes from "./BillingPage.module.css";
import type { InvoiceFilters } from "./filters.ts";
import { InvoiceRow } from "./InvoiceRow.tsx";
import { invoicesQuery } from "./queries.ts";
import { BillingNav } from "./SectionNav.tsx";
import { useSaid } from "./said.ts";

const InvoiceDialog = lazy(() => import("./InvoiceDialog.tsx"));
const route = getRouteApi("/shell/billing");

function Nothing({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) {
  const { t } = useTranslation();
  if (!isFiltered) return <Empty icon={IconReceipt} title={t("billing.nothing")} text={t("billing.nothingText")} />;
  return (
    <Empty icon={IconFilterOff} title={t("billing.noMatch")} text={t("billing.noMatchText")}>
      <Button variant="default" mt="sm" onClick={onClear}>
        {t("billing.clear")}
      </Button>
    </Empty>
  );
}

function List({ query, ...nothing }: { query: InvoicesQuery; isFiltered: boolean; onClear: () => void }) {
  const { t } = useTranslation();
  if (query.data === undefined) {
    if (query.isError) return <LoadFailed error={query.error} retry={() => query.refetch()} />;
    return <LoadingRows rows={6} height={64} />;
  }
  const rows = query.data.pages.flatMap(({ data }) => data);
  if (rows.length === 0) return <Nothing {...nothing} />;
  return (
    <PagedList
      label={t("billing.nav.invoices")}
      more={t("billing.more")}
      entries={rows}
      keyOf={({ id }) => id}
      query={query}
    >
      {(invoice) => <InvoiceRow invoice={invoice} />}
    </PagedList>
  );
}

function useInvoices(filters: InvoiceFilters) {
  return useInfiniteQuery(invoicesQuery(filters));
}

type InvoicesQuery = ReturnType<typeof useInvoices>;

/** The patient's name, as far as a row of the list tells it. */
function nameOf(query: InvoicesQuery, patient: number | undefined): string | null {
  const rows = query.data?.pages.flatMap(({ data }) => data) ?? [];
  return rows.find(({ client }) => client.id === patient)?.client.name ?? null;
}

/** See the head of this file. */
export function BillingPage() {
  const { t } = useTranslation();
  const filters = route.useSearch();
  const navigate = route.useNavigate();
  const [isNew, setIsNew] = useState(false);
  const [said] = useSaid();
  const query = useInvoices(filters);
  const show = (search: InvoiceFilters) => navigate({ to: ".", search, replace: true });
  const created = ({ id, subject }: Invoice) =>
    navigate({
      to: "/billing/invoices/$invoiceId",
      params: { invoiceId: String(id) },
      state: { said: { key: "created", subject } },
    });
  return (
    <>
      <PageHeader
        title={t("billing.title")}
        action={
          <Button leftSection={<IconPlus size={16} aria-hidden="true" />} onClick={() => setIsNew(true)}>
            {t("billing.new")}
          </Button>
        }
      />
      <BillingNav />
      <BillingFilters filters={filters} patientName={nameOf(query, filters.patient)} onChange={show} />
      <div className={classes.said}>
        <QuietLine said={said?.text ?? null} subject={said?.subject ?? null} />
      </div>
      <List query={query} isFiltered={Object.keys(filters).length > 0} onClear={() => show({})} />
      <Suspense fallback={null}>
        {isNew && <InvoiceDialog invoice={null} onClose={() => setIsNew(false)} onDone={created} />}
      </Suspense>
    </>
  );
}

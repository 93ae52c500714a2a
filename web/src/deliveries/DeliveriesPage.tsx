// Everything that was sent or waits to be sent. The filters live in the address; a row opens a drawer that has an
// address of its own.
import { Button } from "@mantine/core";
import IconFilterOff from "@tabler/icons-react/dist/esm/icons/IconFilterOff.mjs";
import IconSend from "@tabler/icons-react/dist/esm/icons/IconSend.mjs";
import { getRouteApi, Outlet } from "@tanstack/react-router";
import { useTranslation } from "../i18n/words.ts";
import { ManagersOnly } from "../session/ManagersOnly.tsx";
import { ButtonLink } from "../ui/links.tsx";
import { PageHeader } from "../ui/PageHeader.tsx";
import { Empty, LoadFailed, LoadingRows } from "../ui/states.tsx";
import { VirtualList } from "../ui/VirtualList.tsx";
import { DeliveryFilterBar } from "./DeliveryFilterBar.tsx";
import { DeliveryRow } from "./DeliveryRow.tsx";
import type { DeliveryFilters } from "./filters.ts";
import { Recover } from "./Recover.tsx";
import { useDeliveryList } from "./use-list.ts";

/** What a row is high before it was measured. */
const ROW_PIXELS = 66;
const route = getRouteApi("/shell/deliveries");

function Nothing({ filters, onClear }: { filters: DeliveryFilters; onClear: () => void }) {
  const { t } = useTranslation();
  if (Object.keys(filters).length > 0) {
    return (
      <Empty icon={IconFilterOff} title={t("deliveries.noMatch")} text={t("deliveries.noMatchText")}>
        <Button variant="default" mt="sm" onClick={onClear}>
          {t("deliveries.clear")}
        </Button>
      </Empty>
    );
  }
  return (
    <Empty icon={IconSend} title={t("deliveries.nothing")} text={t("deliveries.nothingText")}>
      <ButtonLink to="/consults/export/webhooks" variant="default" mt="sm">
        {t("deliveries.toWebhooks")}
      </ButtonLink>
    </Empty>
  );
}

function List({ filters, onClear }: { filters: DeliveryFilters; onClear: () => void }) {
  const { t } = useTranslation();
  const { query, rows, shown } = useDeliveryList(filters);
  if (rows === undefined) {
    return query.isError ? (
      <LoadFailed error={query.error} retry={() => query.refetch()} />
    ) : (
      <LoadingRows rows={6} height={ROW_PIXELS} />
    );
  }
  if (rows.length === 0 && !query.hasNextPage) return <Nothing filters={filters} onClear={onClear} />;
  return (
    <VirtualList
      label={t("deliveries.title")}
      more={t("deliveries.more")}
      entries={rows}
      keyOf={({ id }) => id}
      rowHeight={ROW_PIXELS}
      shown={shown}
      query={query}
    >
      {(delivery) => <DeliveryRow delivery={delivery} filters={filters} />}
    </VirtualList>
  );
}

function Content() {
  const { t } = useTranslation();
  const filters = route.useSearch();
  const navigate = route.useNavigate();
  const show = (search: DeliveryFilters) => navigate({ to: ".", search, replace: true });
  return (
    <>
      <PageHeader title={t("deliveries.title")} intro={t("deliveries.intro")} />
      <DeliveryFilterBar filters={filters} onChange={show} />
      {filters.webhook !== undefined && <Recover key={filters.webhook} webhook={filters.webhook} />}
      <List filters={filters} onClear={() => show({})} />
      <Outlet />
    </>
  );
}

/** For managers; others read who can see it. */
export function DeliveriesPage() {
  return (
    <ManagersOnly what="deliveries">
      <Content />
    </ManagersOnly>
  );
}

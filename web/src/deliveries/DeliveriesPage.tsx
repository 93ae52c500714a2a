// Everything that was sent or waits to be sent. The filters live in the address; a row opens a drawer that has an
// address of its own.
import { Button, NativeSelect, SegmentedControl, Stack, TextInput } from "@mantine/core";
import "../ui/segmented.css";
import { EVENT_NAMES, EVENTS } from "@hookwell/sdk";
import IconFilterOff from "@tabler/icons-react/dist/esm/icons/IconFilterOff.mjs";
import IconSearch from "@tabler/icons-react/dist/esm/icons/IconSearch.mjs";
import IconSend from "@tabler/icons-react/dist/esm/icons/IconSend.mjs";
import IconX from "@tabler/icons-react/dist/esm/icons/IconX.mjs";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Outlet } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ManagersOnly } from "../session/ManagersOnly.tsx";
import { useLanguage } from "../session/queries.ts";
import { ButtonLink } from "../ui/links.tsx";
import { PageHeader } from "../ui/PageHeader.tsx";
import { Empty, LoadFailed, LoadingRows } from "../ui/states.tsx";
import { webhooksQuery } from "../webhooks/queries.ts";
import classes from "./DeliveriesPage.module.css";
import { DeliveryRow } from "./DeliveryRow.tsx";
import { DELIVERY_FILTERS, type DeliveryFilters, deliveryFilters } from "./filters.ts";
import { deliveriesQuery } from "./queries.ts";
import { Recover } from "./Recover.tsx";
import { useSubjectWords } from "./subject.ts";

const route = getRouteApi("/shell/deliveries");
const ANY = "";
const ALL = "all";

/** The filter that only links set; taking it away shows the others again. */
function SubjectChip({ subject, onRemove }: { subject: string; onRemove: () => void }) {
  const { t } = useTranslation();
  const words = useSubjectWords();
  const about = t("deliveries.about", { subject: words(subject) });
  return (
    <Button
      variant="light"
      size="sm"
      rightSection={<IconX size={15} aria-hidden="true" />}
      aria-label={t("deliveries.filter.remove", { about })}
      onClick={onRemove}
    >
      {about}
    </Button>
  );
}

/** The address has changed when Enter is pressed or the field is left, not with every letter. */
function IdSearch({ id, onSearch }: { id: string; onSearch: (id: string) => void }) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(id);
  return (
    <form
      className={classes.id}
      onSubmit={(event) => {
        event.preventDefault();
        onSearch(typed);
      }}
    >
      <TextInput
        aria-label={t("deliveries.filter.id")}
        placeholder={t("deliveries.filter.id")}
        title={t("deliveries.filter.idText")}
        type="search"
        autoComplete="off"
        spellCheck={false}
        leftSection={<IconSearch size={15} aria-hidden="true" />}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        onBlur={() => typed !== id && onSearch(typed)}
      />
    </form>
  );
}

function Days({ filters, set }: { filters: DeliveryFilters; set: (changes: { from?: string; to?: string }) => void }) {
  const { t } = useTranslation();
  return (
    <>
      {(["from", "to"] as const).map((end) => (
        <TextInput
          key={end}
          type="date"
          className={classes.day}
          aria-label={t(`deliveries.filter.${end}`)}
          leftSection={<span className={classes.dayLabel}>{t(`deliveries.filter.${end}`)}</span>}
          leftSectionWidth="3.25rem"
          {...(end === "to" && filters.from !== undefined && { min: filters.from })}
          value={filters[end] ?? ANY}
          onChange={(event) => set({ [end]: event.currentTarget.value })}
        />
      ))}
    </>
  );
}

function Filters({ filters, onChange }: { filters: DeliveryFilters; onChange: (filters: DeliveryFilters) => void }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const webhooks = useQuery(webhooksQuery);
  const names = (webhooks.data ?? []).map((webhook) => ({ value: String(webhook.id), label: webhook.name }));
  const set = (changes: Partial<Record<keyof DeliveryFilters, string>>) =>
    onChange(deliveryFilters({ ...filters, ...changes }));
  return (
    <search className={classes.filters}>
      <SegmentedControl
        aria-label={t("deliveries.filter.state")}
        value={filters.state ?? ALL}
        onChange={(state) => set({ state })}
        data={[ALL, ...DELIVERY_FILTERS].map((value) => ({
          value,
          label: t(`deliveries.filter.${value as "all" | (typeof DELIVERY_FILTERS)[number]}`),
        }))}
      />
      <NativeSelect
        aria-label={t("deliveries.filter.webhook")}
        value={filters.webhook ?? ANY}
        onChange={(event) => set({ webhook: event.currentTarget.value })}
        data={[{ value: ANY, label: t("deliveries.filter.anyWebhook") }, ...names]}
      />
      <NativeSelect
        aria-label={t("deliveries.filter.event")}
        value={filters.event ?? ANY}
        onChange={(event) => set({ event: event.currentTarget.value })}
        data={[
          { value: ANY, label: t("deliveries.filter.anyEvent") },
          ...EVENT_NAMES.map((event) => ({ value: event, label: EVENTS[event].label[language] })),
        ]}
      />
      <Days filters={filters} set={set} />
      <IdSearch key={filters.id ?? ANY} id={filters.id ?? ANY} onSearch={(id) => set({ id })} />
      {filters.subject !== undefined && (
        <SubjectChip subject={filters.subject} onRemove={() => set({ subject: ANY })} />
      )}
    </search>
  );
}

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
  const query = useInfiniteQuery(deliveriesQuery(filters));
  if (query.data === undefined) {
    return query.isError ? (
      <LoadFailed error={query.error} retry={() => query.refetch()} />
    ) : (
      <LoadingRows rows={6} height={64} />
    );
  }
  const rows = query.data.pages.flatMap((page) => page.data);
  if (rows.length === 0) return <Nothing filters={filters} onClear={onClear} />;
  return (
    <Stack>
      <ul className={classes.list} aria-label={t("deliveries.title")}>
        {rows.map((delivery) => (
          <li key={delivery.id}>
            <DeliveryRow delivery={delivery} filters={filters} />
          </li>
        ))}
      </ul>
      {query.hasNextPage && (
        <Button
          variant="default"
          className={classes.more}
          loading={query.isFetchingNextPage}
          onClick={() => query.fetchNextPage()}
        >
          {t("deliveries.more")}
        </Button>
      )}
    </Stack>
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
      <Filters filters={filters} onChange={show} />
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

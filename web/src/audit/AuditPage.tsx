// Who changed what in the clinic's settings, from where, and whether anything was taken out. The filters live in the address.
import { Button, NativeSelect } from "@mantine/core";
import IconDownload from "@tabler/icons-react/dist/esm/icons/IconDownload.mjs";
import IconFilterOff from "@tabler/icons-react/dist/esm/icons/IconFilterOff.mjs";
import IconHistory from "@tabler/icons-react/dist/esm/icons/IconHistory.mjs";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { type AuditFilters, audit } from "../api/audit.ts";
import { useTranslation } from "../i18n/words.ts";
import { ManagersOnly } from "../session/ManagersOnly.tsx";
import { Callout } from "../ui/Callout.tsx";
import { DayField } from "../ui/DayField.tsx";
import { Filters } from "../ui/Filters.tsx";
import { PagedList } from "../ui/PagedList.tsx";
import { PageHeader } from "../ui/PageHeader.tsx";
import rows from "../ui/rows.module.css";
import { Empty, LoadFailed, LoadingRows } from "../ui/states.tsx";
import classes from "./AuditPage.module.css";
import { Entry } from "./Entry.tsx";
import { auditFilters } from "./filters.ts";
import { actorsQuery, checkQuery, entriesQuery } from "./queries.ts";
import { AUDIT_ACTIONS, useActionWords, useActorWords } from "./words.ts";

const route = getRouteApi("/shell/settings/history");
const ANY = "";

/** Whether the trail is whole; nothing while that is not known yet. */
function Check() {
  const { t } = useTranslation();
  const { data: check, isError, error, refetch } = useQuery(checkQuery);
  if (isError) return <LoadFailed error={error} retry={() => refetch()} />;
  if (check === undefined) return null;
  if (!check.complete) {
    return (
      <Callout
        tone="bad"
        title={t("audit.check.broken", { number: check.broken_at ?? 0 })}
        text={t("audit.check.brokenText")}
      />
    );
  }
  const words = { count: check.checked_count };
  const isWhole = check.checked_count === check.total_count;
  return (
    <Callout
      tone="good"
      title={t("audit.check.complete")}
      text={isWhole ? t("audit.check.completeText", words) : t("audit.check.newestText", words)}
    />
  );
}

function FilterBar({ filters, onChange }: { filters: AuditFilters; onChange: (filters: AuditFilters) => void }) {
  const { t } = useTranslation();
  const actors = useQuery(actorsQuery);
  const actionWords = useActionWords();
  const actorWords = useActorWords();
  const set = (changes: Partial<Record<keyof AuditFilters, string>>) =>
    onChange(auditFilters({ ...filters, ...changes }));
  return (
    <Filters>
      <NativeSelect
        label={t("audit.filter.who")}
        value={filters.actor ?? ANY}
        onChange={(event) => set({ actor: event.currentTarget.value })}
        data={[
          { value: ANY, label: t("audit.filter.anybody") },
          ...(actors.data ?? []).map((actor) => ({ value: actor.id, label: actorWords(actor) })),
        ]}
      />
      <NativeSelect
        label={t("audit.filter.what")}
        value={filters.action ?? ANY}
        onChange={(event) => set({ action: event.currentTarget.value })}
        data={[
          { value: ANY, label: t("audit.filter.anything") },
          ...AUDIT_ACTIONS.map((action) => ({ value: action, label: actionWords(action) })),
        ]}
      />
      <DayField label={t("audit.filter.from")} day={filters.from ?? ANY} onChange={(from) => set({ from })} />
      <DayField
        label={t("audit.filter.to")}
        min={filters.from}
        day={filters.to ?? ANY}
        onChange={(to) => set({ to })}
      />
    </Filters>
  );
}

function Files({ filters }: { filters: AuditFilters }) {
  const { t } = useTranslation();
  return (
    <div className={rows.acts}>
      {(["csv", "json"] as const).map((kind) => (
        <Button
          key={kind}
          component="a"
          variant="default"
          href={audit.file(filters, kind)}
          download={`${t("audit.file")}.${kind}`}
          leftSection={<IconDownload size={16} aria-hidden="true" />}
        >
          {t(`audit.download.${kind}`)}
        </Button>
      ))}
    </div>
  );
}

function List({ filters, onClear }: { filters: AuditFilters; onClear: () => void }) {
  const { t } = useTranslation();
  const query = useInfiniteQuery(entriesQuery(filters));
  if (query.data === undefined) {
    return query.isError ? <LoadFailed error={query.error} retry={() => query.refetch()} /> : <LoadingRows rows={6} />;
  }
  const entries = query.data.pages.flatMap((page) => page.data);
  if (entries.length === 0 && Object.keys(filters).length > 0) {
    return (
      <Empty icon={IconFilterOff} title={t("audit.noMatch")} text={t("audit.noMatchText")}>
        <Button variant="default" mt="sm" onClick={onClear}>
          {t("audit.clear")}
        </Button>
      </Empty>
    );
  }
  if (entries.length === 0)
    return <Empty icon={IconHistory} title={t("audit.nothing")} text={t("audit.nothingText")} />;
  return (
    <PagedList
      label={t("audit.title")}
      more={t("audit.more")}
      entries={entries}
      keyOf={(entry) => entry.sequence}
      query={query}
    >
      {(entry) => <Entry entry={entry} />}
    </PagedList>
  );
}

function Content() {
  const { t } = useTranslation();
  const { action, ...others } = route.useSearch();
  // A link from elsewhere may name an action that nobody knows.
  const filters: AuditFilters = action !== undefined && AUDIT_ACTIONS.includes(action) ? { ...others, action } : others;
  const navigate = route.useNavigate();
  const show = (search: AuditFilters) => navigate({ to: ".", search, replace: true });
  return (
    <>
      <PageHeader title={t("audit.title")} intro={t("audit.intro")} action={<Files filters={filters} />} />
      <div className={classes.check}>
        <Check />
      </div>
      <FilterBar filters={filters} onChange={show} />
      <List filters={filters} onClear={() => show({})} />
    </>
  );
}

/** For managers; others read who can see it. */
export function AuditPage() {
  return (
    <ManagersOnly what="history">
      <Content />
    </ManagersOnly>
  );
}

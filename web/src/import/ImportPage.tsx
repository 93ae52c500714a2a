// Import: a file is checked, a manager reads what would come of it and whether anything is sent, and starts it. The import
// that is looked at stands in the address, so that one can leave and come back.
import { Text, Title } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { Import, ImportState } from "../api/imports.ts";
import { useTranslation } from "../i18n/words.ts";
import { ManagersOnly } from "../session/ManagersOnly.tsx";
import type { Tone } from "../ui/Callout.tsx";
import { PageHeader } from "../ui/PageHeader.tsx";
import rows from "../ui/rows.module.css";
import { StateBadge } from "../ui/StateBadge.tsx";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";
import { useWhen } from "../ui/when.ts";
import { Job } from "./Job.tsx";
import { IMPORTS, recentQuery } from "./queries.ts";
import { Upload } from "./Upload.tsx";

const route = getRouteApi("/shell/import");

const TONES: Readonly<Record<ImportState, Tone>> = {
  checking: "warn",
  ready: "warn",
  importing: "warn",
  done: "good",
  refused: "bad",
  failed: "bad",
  expired: "calm",
};

function RecentRow({ job }: { job: Import }) {
  const { t } = useTranslation();
  const when = useWhen();
  return (
    <Link to="/import" search={{ job: job.id }} className={rows.row}>
      <span className={`${rows.main} ${rows.name}`}>{t(`import.kinds.${job.kind}`)}</span>
      <StateBadge tone={TONES[job.state]} word={t(`import.state.${job.state}`)} />
      <span className={rows.aside}>{when(job.created_at, "alone")}</span>
    </Link>
  );
}

function Recent() {
  const { t } = useTranslation();
  const query = useQuery(recentQuery);
  return (
    <section aria-labelledby="recent">
      <div className={rows.head}>
        <Title order={2} id="recent">
          {t("import.recent")}
        </Title>
      </div>
      {query.data === undefined ? (
        query.isError ? (
          <LoadFailed error={query.error} retry={() => query.refetch()} />
        ) : (
          <LoadingRows rows={2} />
        )
      ) : query.data.data.length === 0 ? (
        <Text c="dimmed">{t("import.nothing")}</Text>
      ) : (
        <ul className={rows.list} aria-labelledby="recent">
          {query.data.data.map((job) => (
            <li key={job.id}>
              <RecentRow job={job} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Content() {
  const { t } = useTranslation();
  const { job } = route.useSearch();
  const navigate = route.useNavigate();
  const queryClient = useQueryClient();
  const sent = async ({ id }: Import) => {
    await queryClient.invalidateQueries({ queryKey: IMPORTS });
    await navigate({ search: { job: id } });
  };
  return (
    <>
      <PageHeader title={t("import.title")} intro={t("import.intro")} />
      <div className={rows.sections}>
        {job === undefined ? <Upload onSent={sent} /> : <Job key={job} id={job} />}
        <Recent />
      </div>
    </>
  );
}

/** For managers; others read who can do it. */
export function ImportPage() {
  return (
    <ManagersOnly what="import">
      <Content />
    </ManagersOnly>
  );
}

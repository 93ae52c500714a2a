// One import: how far the check or the import is, what was found, and whether to go on.
import { Anchor, Paper, Progress, Stack, Text, Title } from "@mantine/core";
import "../ui/progress.css";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { type Import, imports } from "../api/imports.ts";
import { useTranslation } from "../i18n/words.ts";
import { useTimeFormat } from "../session/queries.ts";
import { Callout } from "../ui/Callout.tsx";
import { ButtonLink } from "../ui/links.tsx";
import { QuietLine } from "../ui/QuietLine.tsx";
import rows from "../ui/rows.module.css";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";
import { GoOn } from "./GoOn.tsx";
import { importQuery, recentQuery } from "./queries.ts";

function Running({ job }: { job: Import }) {
  const { t } = useTranslation();
  const numbers = new Intl.NumberFormat(useTimeFormat().locale);
  const percent = Math.min(100, Math.round((job.done_lines / job.lines) * 100));
  const far = t("import.progress", { done: numbers.format(job.done_lines), lines: numbers.format(job.lines) });
  return (
    <Stack gap="xs">
      <Progress.Root size="lg">
        <Progress.Section value={percent} aria-label={t("import.progressLabel")} aria-valuetext={far} />
      </Progress.Root>
      <Text size="sm">{far}</Text>
      <Text size="sm" c="dimmed">
        {t(job.state === "checking" ? "import.checkingText" : "import.importingText")}
      </Text>
    </Stack>
  );
}

function Refused({ job }: { job: Import }) {
  const { t } = useTranslation();
  return (
    <Callout tone="bad" title={t("import.errors", { count: job.errors })} text={t("import.errorsText")}>
      <Anchor href={imports.errorsAt(job.id)} download={`import-${job.id}-errors.csv`} underline="always">
        {t("import.downloadErrors")}
      </Anchor>
    </Callout>
  );
}

function Done({ job }: { job: Import }) {
  const { t } = useTranslation();
  const { kind, records, send_events, events } = job;
  const sends = send_events && events > 0;
  const said = sends ? t("import.loudDone", { count: events }) : t("import.silentDone");
  return (
    <>
      <Callout tone="good" title={t(`import.created.${kind}`, { count: records })} />
      <QuietLine said={said} subject={null} sends={sends} />
    </>
  );
}

function Outcome({ job }: { job: Import }) {
  const { t } = useTranslation();
  switch (job.state) {
    case "checking":
    case "importing":
      return <Running job={job} />;
    case "ready":
      return <GoOn job={job} />;
    case "refused":
      return <Refused job={job} />;
    case "done":
      return <Done job={job} />;
    case "failed":
      return <Callout tone="bad" text={t("import.failedText")} />;
    case "expired":
      return <Callout tone="warn" text={t("import.expiredText")} />;
  }
}

function OneJob({ job }: { job: Import }) {
  const { t } = useTranslation();
  return (
    <Paper withBorder radius="lg" p="lg" component="section" aria-labelledby="this-import">
      <Stack>
        <Title order={2} id="this-import">
          {t("import.heading", { kind: t(`import.kinds.${job.kind}`), state: t(`import.state.${job.state}`) })}
        </Title>
        <div aria-live="polite" className={rows.form}>
          <Outcome job={job} />
        </div>
        <div>
          <ButtonLink to="/import" search={{}} variant="default" size="sm">
            {t("import.another")}
          </ButtonLink>
        </div>
      </Stack>
    </Paper>
  );
}

/** See the head of this file. */
export function Job({ id }: { id: number }) {
  const query = useQuery(importQuery(id));
  const queryClient = useQueryClient();
  const state = query.data?.state;
  // The list below tells the same import's state, too.
  useEffect(() => {
    if (state !== undefined) void queryClient.invalidateQueries({ queryKey: recentQuery.queryKey });
  }, [state, queryClient]);
  if (query.data !== undefined) return <OneJob job={query.data} />;
  if (query.isError) return <LoadFailed error={query.error} retry={() => query.refetch()} />;
  return <LoadingRows rows={1} height={160} />;
}

// For how many days the clinic keeps what was sent and what came of it. Fewer days remove things for good, so that is asked first.
import { Button, Stack, Text, TextInput } from "@mantine/core";
import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { type Retention, retention } from "../api/retention.ts";
import { useTranslation } from "../i18n/words.ts";
import { useIntent } from "../intent.ts";
import { ManagersOnly } from "../session/ManagersOnly.tsx";
import { ConfirmDialog } from "../ui/ConfirmDialog.tsx";
import { PageHeader } from "../ui/PageHeader.tsx";
import { QuietLine } from "../ui/QuietLine.tsx";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";

const retentionQuery = queryOptions({ queryKey: ["retention"], queryFn: ({ signal }) => retention.get(signal) });
const DAYS_CHARACTERS_MAX = 4;

/** The days that are typed: null where nothing is, which is as long as the server allows; undefined where they are none. */
function readDays(typed: string, most: number): number | null | undefined {
  if (typed.trim() === "") return null;
  const days = /^\d+$/.test(typed.trim()) ? Number(typed.trim()) : Number.NaN;
  return days <= most ? days : undefined;
}

function useChange(found: Retention, typed: string) {
  const queryClient = useQueryClient();
  const [asking, setAsking] = useState(false);
  const [saved, setSaved] = useState<number | null>(null);
  const days = readDays(typed, found.operator_days);
  const change = useIntent((intent) => retention.change(days ?? null, intent), {
    onSuccess: (now) => {
      setAsking(false);
      setSaved(now.kept_days);
      queryClient.setQueryData(retentionQuery.queryKey, now);
    },
  });
  const save = () => {
    if (days === undefined) return;
    setSaved(null);
    if ((days ?? found.operator_days) < found.kept_days) setAsking(true);
    else change.start();
  };
  const close = () => {
    setAsking(false);
    change.reset();
  };
  return { days, asking, saved, change, save, close };
}

function Days({ found }: { found: Retention }) {
  const { t } = useTranslation();
  const { operator_days: most, days: chosen } = found;
  const [typed, setTyped] = useState(chosen === null ? "" : String(chosen));
  const [isWrong, setIsWrong] = useState(false);
  const { days, asking, saved, change, save, close } = useChange(found, typed);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setIsWrong(days === undefined);
    save();
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack maw="32rem" align="flex-start">
        <Text>{t("settings.retention.now", { days: found.kept_days })}</Text>
        <TextInput
          label={t("settings.retention.days")}
          description={t("settings.retention.daysHint", { days: most })}
          inputMode="numeric"
          value={typed}
          maxLength={DAYS_CHARACTERS_MAX}
          error={isWrong ? t("settings.retention.mistake", { days: most }) : undefined}
          autoComplete="off"
          onChange={(event) => {
            setIsWrong(false);
            setTyped(event.currentTarget.value);
          }}
        />
        <Button type="submit" loading={change.isPending && !asking}>
          {t("settings.retention.save")}
        </Button>
        <QuietLine said={saved === null ? null : t("settings.retention.saved")} subject={null} sends={false} />
        {change.error !== null && !asking && <LoadFailed error={change.error} retry={save} />}
      </Stack>
      {asking && (
        <ConfirmDialog
          title={t("settings.retention.ask", { days: days ?? most })}
          action={t("settings.retention.remove")}
          danger
          pending={change.isPending}
          error={change.error}
          onConfirm={() => change.start()}
          onClose={close}
        >
          <Stack gap="xs">
            <Text size="sm">{t("settings.retention.removed", { days: days ?? most })}</Text>
            <Text size="sm">{t("settings.retention.waiting")}</Text>
          </Stack>
        </ConfirmDialog>
      )}
    </form>
  );
}

function Content() {
  const { t } = useTranslation();
  const query = useQuery(retentionQuery);
  return (
    <>
      <PageHeader title={t("settings.retention.title")} intro={t("settings.retention.intro")} />
      {query.data === undefined ? (
        query.isError ? (
          <LoadFailed error={query.error} retry={() => query.refetch()} />
        ) : (
          <LoadingRows rows={2} />
        )
      ) : (
        <Days found={query.data} />
      )}
    </>
  );
}

/** For managers; others read who can do it. */
export function RetentionPage() {
  return (
    <ManagersOnly what="retention">
      <Content />
    </ManagersOnly>
  );
}

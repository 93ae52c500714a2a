// Sending again what failed of one webhook: the way in, and how far it is while it runs.
import { Button, Group, Paper, Progress, Stack, Text, Title } from "@mantine/core";
import "../ui/progress.css";
import IconRefresh from "@tabler/icons-react/dist/esm/icons/IconRefresh.mjs";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Recovery, type RecoveryStep, recoveries } from "../api/recoveries.ts";
import { useTranslation } from "../i18n/words.ts";
import { useIntent } from "../intent.ts";
import { useMay } from "../session/queries.ts";
import { Callout } from "../ui/Callout.tsx";
import { ConfirmDialog } from "../ui/ConfirmDialog.tsx";
import { useRefusalWords } from "../ui/refusals.ts";
import { useWhen } from "../ui/when.ts";
import { recoveryQuery } from "./queries.ts";
import { RecoverDialog } from "./RecoverDialog.tsx";
import { useRecoverWords } from "./recover-words.ts";

function useStep(webhook: number, { id }: Recovery) {
  const queryClient = useQueryClient();
  return useIntent((_intent, step: RecoveryStep) => recoveries.step(webhook, id, step), {
    onSuccess: () => queryClient.invalidateQueries({ queryKey: recoveryQuery(webhook).queryKey }),
  });
}

function Bar({ recovery: { queued, found, counted_all } }: { recovery: Recovery }) {
  const { t } = useTranslation();
  const far = counted_all
    ? t("deliveries.recover.far", { queued, found })
    : t("deliveries.recover.farOpen", { queued });
  const percent = found === 0 ? 100 : Math.min(100, Math.round((queued / found) * 100));
  return (
    <>
      <Progress.Root size="lg">
        <Progress.Section value={percent} aria-label={t("deliveries.recover.progressLabel")} aria-valuetext={far} />
      </Progress.Root>
      <Text size="sm">{far}</Text>
    </>
  );
}

function Steps({ webhook, recovery }: { webhook: number; recovery: Recovery }) {
  const { t } = useTranslation();
  const [isAsking, setAsking] = useState(false);
  const step = useStep(webhook, recovery);
  const words = useRefusalWords(useRecoverWords());
  const other = recovery.state === "paused" ? "resume" : "pause";
  return (
    <>
      <div role="alert">{step.isError && !isAsking && <Callout tone="bad" text={words(step.error)} />}</div>
      <Group gap="sm">
        <Button variant="default" size="sm" loading={step.isPending} onClick={() => step.start(other)}>
          {t(`deliveries.recover.${other}`)}
        </Button>
        <Button variant="default" size="sm" onClick={() => setAsking(true)}>
          {t("deliveries.recover.cancel")}
        </Button>
      </Group>
      {isAsking && (
        <ConfirmDialog
          title={t("deliveries.recover.cancelTitle")}
          action={t("deliveries.recover.cancel")}
          keep={t("deliveries.recover.keep")}
          pending={step.isPending}
          error={step.error}
          onConfirm={() => step.start("cancel")}
          onClose={() => setAsking(false)}
        >
          {t("deliveries.recover.cancelText")}
        </ConfirmDialog>
      )}
    </>
  );
}

/** What runs, is paused, or was last. */
function Far({ webhook, recovery }: { webhook: number; recovery: Recovery }) {
  const { t } = useTranslation();
  const when = useWhen();
  const mayManage = useMay("manage");
  const { state, waits_for, waiting, delivered, failed, started_by: name } = recovery;
  const isActive = state === "running" || state === "paused";
  return (
    <Paper withBorder radius="lg" p="lg" component="section" aria-labelledby="recovery">
      <Stack gap="xs">
        <Title order={2} fz="1rem" id="recovery">
          <span role="status">{t(`deliveries.recover.state.${state}`)}</span>
        </Title>
        <Bar recovery={recovery} />
        <Text size="sm">
          {t("deliveries.recover.arrived", { count: delivered })}
          {failed > 0 && ` ${t("deliveries.recover.failedAgain", { count: failed })}`}
        </Text>
        <Text size="sm" c="dimmed">
          {t("deliveries.recover.waiting", { count: waiting })}{" "}
          {t("deliveries.recover.startedBy", { name, when: when(recovery.created_at, "on") })}
        </Text>
        {waits_for !== null && <Callout tone="warn" text={t(`deliveries.recover.waitsFor.${waits_for}`)} />}
        {isActive && mayManage && <Steps webhook={webhook} recovery={recovery} />}
      </Stack>
    </Paper>
  );
}

/** For a webhook that exists; of one that was deleted there is nothing to send again. */
export function Recover({ webhook }: { webhook: number }) {
  const { t } = useTranslation();
  const mayManage = useMay("manage");
  const [isOpen, setOpen] = useState(false);
  const { data: recovery } = useQuery(recoveryQuery(webhook));
  if (recovery === undefined) return null;
  const isActive = recovery !== null && (recovery.state === "running" || recovery.state === "paused");
  return (
    <Stack mb="lg" align="stretch">
      {recovery !== null && <Far webhook={webhook} recovery={recovery} />}
      {!isActive && mayManage && (
        <div>
          <Button
            variant="default"
            leftSection={<IconRefresh size={16} aria-hidden="true" />}
            onClick={() => setOpen(true)}
          >
            {t("deliveries.recover.open")}
          </Button>
        </div>
      )}
      {isOpen && <RecoverDialog webhook={webhook} onClose={() => setOpen(false)} />}
    </Stack>
  );
}

import { Button, Group, Stack } from "@mantine/core";
import { useState } from "react";
import { clinic, series } from "../api.ts";
import type { Consult } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "../ui/Callout.tsx";
import { ConfirmDialog } from "../ui/ConfirmDialog.tsx";
import { dayOf } from "../ui/time.ts";
import { type OnSaid, useAct } from "./act.ts";
import classes from "./SchedulePage.module.css";
import { type Scope, ScopeChoice } from "./Scope.tsx";
import { useScheduleWords } from "./use-errors.ts";
import { seatedIn } from "./who.ts";

interface Props {
  consult: Consult;
  onSaid: OnSaid;
}

function Question({ consult, onSaid, onClose }: Props & { onClose: () => void }) {
  const { t } = useTranslation();
  const [scope, setScope] = useState<Scope>("one");
  const { id, series_id: seriesId } = consult;
  const following = scope === "following" && seriesId !== null;
  const cancel = useAct(
    async (intent) => {
      if (!following) return clinic.cancel(id, intent).then(() => 1);
      return (await series.cancel(seriesId, dayOf(consult.start_time), intent)).changed_consult_ids.length;
    },
    (count) => {
      onClose();
      if (following) onSaid(t("schedule.said.cancelledMany", { count }), "series");
      else onSaid(t("schedule.said.cancelled"));
    },
  );
  return (
    <ConfirmDialog
      title={t("schedule.cancelTitle")}
      action={t(following ? "schedule.cancelFollowing" : "schedule.cancelConsult")}
      keep={t("schedule.keep")}
      danger
      pending={cancel.isPending}
      error={cancel.error}
      onConfirm={() => cancel.start()}
      onClose={onClose}
    >
      <Stack gap="md">
        {seriesId !== null && <ScopeChoice value={scope} onChange={setScope} />}
        <div>
          {following
            ? t("schedule.cancelFollowingText")
            : t("schedule.cancelText", { count: seatedIn(consult).length })}
        </div>
      </Stack>
    </ConfirmDialog>
  );
}

/** Ends a consult, or it and all that follow in its series, after a question. */
export function CancelConsult(props: Props) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  return (
    <Group className={classes.end}>
      <Button variant="outline" className={classes.ending} onClick={() => setAsking(true)}>
        {t("schedule.cancelConsult")}
      </Button>
      {asking && <Question {...props} onClose={() => setAsking(false)} />}
    </Group>
  );
}

/** What is left to do with a cancelled consult. */
export function RestoreConsult({ consult, onSaid }: Props) {
  const { t } = useTranslation();
  const words = useScheduleWords();
  const restore = useAct(
    (intent) => clinic.restore(consult.id, intent),
    () => onSaid(t("schedule.said.restored")),
  );
  return (
    <Stack gap="xs" align="flex-start">
      <Callout tone="calm" text={t("schedule.isCancelled")} />
      <Button loading={restore.isPending} onClick={() => restore.start()}>
        {t("schedule.restore")}
      </Button>
      <div role="alert">{restore.isError && <Callout tone="bad" text={words(restore.error)} />}</div>
    </Stack>
  );
}

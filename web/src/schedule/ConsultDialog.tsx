// One consult: move it, add or remove a patient, cancel or restore it. Each act is one call, told by the quiet line.
import { Button, Group, Stack, Text, Title } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { clinic } from "../api.ts";
import type { Consult } from "../api-types.ts";
import { useTimeFormat } from "../session/queries.ts";
import { Callout } from "../ui/Callout.tsx";
import { ConfirmDialog } from "../ui/ConfirmDialog.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { PendingButton } from "../ui/PendingButton.tsx";
import { useProblemWords } from "../ui/problem-words.ts";
import { QuietLine } from "../ui/QuietLine.tsx";
import { dayOf, formatDay, formatTime, localMinute } from "../ui/time.ts";
import { useAct } from "./act.ts";
import { timeMistakes } from "./fields.ts";
import { Participants } from "./Participants.tsx";
import classes from "./SchedulePage.module.css";
import { TimeFields, type Times } from "./TimeFields.tsx";
import { useErrors } from "./use-errors.ts";

/** The consult as it stands, and where to say what was done with it. */
interface ActProps {
  consult: Consult;
  onSaid: (said: string) => void;
}

/** Only what was changed is sent: an untouched time in a doubled hour must not be read anew. */
function changesOf(consult: Consult, { start, duration }: Times): { start_time?: string; duration?: number } {
  return {
    ...(start === localMinute(consult.start_time) ? {} : { start_time: start }),
    ...(Number(duration) === consult.duration ? {} : { duration: Number(duration) }),
  };
}

function Move({ consult, onSaid }: ActProps) {
  const { t } = useTranslation();
  const [times, setTimes] = useState<Times>({
    start: localMinute(consult.start_time),
    duration: String(consult.duration),
  });
  const changes = changesOf(consult, times);
  const unchanged = Object.keys(changes).length === 0;
  const move = useAct(
    () => clinic.change(consult.id, changes),
    () => onSaid(t("schedule.said.moved")),
  );
  const { errors, check, forget } = useErrors(move.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!unchanged) check(timeMistakes(times), () => move.start());
  };
  return (
    <form onSubmit={submit} className={classes.form} noValidate aria-label={t("schedule.move")}>
      <TimeFields
        times={times}
        errors={errors}
        onChange={(typed) => {
          forget();
          setTimes({ ...times, ...typed });
        }}
      />
      <div role="alert">{errors.other !== undefined && <Callout tone="bad" text={errors.other} />}</div>
      <Group>
        <PendingButton type="submit" variant="light" disabled={unchanged} pending={move.isPending}>
          {t("schedule.saveMove")}
        </PendingButton>
      </Group>
    </form>
  );
}

function Restore({ consult, onSaid }: ActProps) {
  const { t } = useTranslation();
  const words = useProblemWords();
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

function Cancel({ consult, onSaid }: ActProps) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const cancel = useAct(
    (intent) => clinic.cancel(consult.id, intent),
    () => {
      setAsking(false);
      onSaid(t("schedule.said.cancelled"));
    },
  );
  return (
    <Group className={classes.end}>
      <Button variant="outline" color="red.9" onClick={() => setAsking(true)}>
        {t("schedule.cancelConsult")}
      </Button>
      {asking && (
        <ConfirmDialog
          title={t("schedule.cancelTitle")}
          action={t("schedule.cancelConsult")}
          keep={t("schedule.keep")}
          danger
          pending={cancel.isPending}
          error={cancel.error}
          onConfirm={() => cancel.start()}
          onClose={() => setAsking(false)}
        >
          {t("schedule.cancelText", { count: consult.participants.length })}
        </ConfirmDialog>
      )}
    </Group>
  );
}

function Live({ consult, onSaid }: ActProps) {
  const { t } = useTranslation();
  return (
    <>
      <section aria-labelledby="move">
        <Title order={3} mb="xs" id="move">
          {t("schedule.move")}
        </Title>
        <Move key={`${consult.start_time} ${consult.duration}`} consult={consult} onSaid={onSaid} />
      </section>
      <Participants consult={consult} onSaid={onSaid} />
      <Cancel consult={consult} onSaid={onSaid} />
    </>
  );
}

/** See the head of this file. */
export default function ConsultDialog({
  said,
  onClose,
  ...act
}: ActProps & { said: string | null; onClose: () => void }) {
  const format = useTimeFormat();
  const { consult } = act;
  const time = `${formatTime(consult.start_time, format)} – ${formatTime(consult.end_time, format)}`;
  return (
    <Dialog onClose={onClose} title={consult.service.name} size="lg">
      <Stack gap="lg">
        <div>
          <Text>
            {formatDay(dayOf(consult.start_time), format.locale)}, {time}
          </Text>
          <Text c="dimmed" size="sm">
            {consult.practitioner.name}
          </Text>
        </div>
        <QuietLine said={said} subject={`consult:${consult.id}`} />
        {consult.cancelled ? <Restore {...act} /> : <Live {...act} />}
      </Stack>
    </Dialog>
  );
}

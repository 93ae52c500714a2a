// One patient of a consult and what can be done with this place: how the patient came, a late cancellation, another consult,
// another patient, out of it.
import { Button, Text } from "@mantine/core";
import { useRef, useState } from "react";
import { clinic } from "../api.ts";
import type { Arrival, Consult, Participant } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "../ui/Callout.tsx";
import { type OnSaid, useAct } from "./act.ts";
import { LateCancel, RemoveFromSeries } from "./LeaveQuestions.tsx";
import { MovePatient } from "./MovePatient.tsx";
import { type MenuButton, type Opened, ParticipantMenu } from "./ParticipantMenu.tsx";
import classes from "./SchedulePage.module.css";
import { SwapPatient } from "./SwapPatient.tsx";
import { useScheduleWords } from "./use-errors.ts";
import { hasLeft } from "./who.ts";

interface Props {
  consult: Consult;
  participant: Participant;
  onSaid: OnSaid;
}

function States({ participant: { status, arrival } }: Pick<Props, "participant">) {
  const { t } = useTranslation();
  return (
    <>
      {status !== "booked" && (
        <Text span size="sm" c="dimmed">
          {` · ${t(`schedule.status.${status}`)}`}
        </Text>
      )}
      {arrival !== "expected" && (
        <span className={classes.arrival} data-arrival={arrival}>
          {t(`schedule.arrival.${arrival}`)}
        </span>
      )}
    </>
  );
}

function useRow({ consult, participant: { patient }, onSaid }: Props) {
  const { t } = useTranslation();
  const note = useAct(
    (_intent, arrival: Arrival) => clinic.changeParticipant(consult.id, patient.id, { arrival }),
    () => onSaid(t("schedule.said.noted")),
  );
  const book = useAct(
    () => clinic.changeParticipant(consult.id, patient.id, { status: "booked" }),
    () => onSaid(t("schedule.said.booked")),
  );
  const remove = useAct(
    () => clinic.removeParticipant(consult.id, patient.id),
    () => onSaid(t("schedule.said.removed")),
  );
  return { note, book, remove, error: note.error ?? book.error ?? remove.error };
}

type ActsProps = Props & {
  row: ReturnType<typeof useRow>;
  button: MenuButton;
  onOpen: (what: Opened) => void;
};

function Acts({ row, button, onOpen, consult, participant }: ActsProps) {
  const { t } = useTranslation();
  const { patient, status } = participant;
  const { note, book, remove } = row;
  return (
    <span className={classes.acts}>
      {status !== "booked" && !hasLeft(participant) && (
        <Button
          size="compact-sm"
          variant="subtle"
          loading={book.isPending}
          onClick={() => book.start()}
          aria-label={t("schedule.bookName", { name: patient.name })}
        >
          {t("schedule.book")}
        </Button>
      )}
      {consult.service.kind !== "one_to_one" && (
        <Button
          size="compact-sm"
          variant="subtle"
          color="gray"
          loading={remove.isPending}
          onClick={() => (consult.series_id === null ? remove.start() : onOpen("remove"))}
          aria-label={t("schedule.removeName", { name: patient.name })}
        >
          {t("schedule.remove")}
        </Button>
      )}
      <ParticipantMenu
        consult={consult}
        participant={participant}
        button={button}
        onArrival={(arrival) => note.start(arrival)}
        onOpen={onOpen}
      />
    </span>
  );
}

/** See the head of this file. A cancelled consult only tells who was in it. */
export function ParticipantRow(props: Props) {
  const words = useScheduleWords();
  const [opened, setOpened] = useState<Opened | null>(null);
  const row = useRow(props);
  const { consult, participant } = props;
  const button = useRef<HTMLButtonElement>(null);
  const close = () => {
    setOpened(null);
    button.current?.focus();
  };
  const more = { ...props, onClose: close };
  return (
    <li data-gone={hasLeft(participant) || undefined}>
      <div className={classes.row}>
        <span>
          {participant.patient.name}
          <States participant={participant} />
        </span>
        {!consult.cancelled && <Acts {...props} row={row} button={button} onOpen={setOpened} />}
      </div>
      <div role="alert">{row.error !== null && <Callout tone="bad" text={words(row.error)} />}</div>
      {opened === "move" && <MovePatient {...more} />}
      {opened === "swap" && <SwapPatient {...more} />}
      {opened === "lateCancel" && <LateCancel {...more} />}
      {opened === "remove" && <RemoveFromSeries {...more} />}
    </li>
  );
}

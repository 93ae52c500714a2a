// One patient of a consult and what can be done with this place: how the patient came, a late cancellation, another consult,
// another patient, out of it.
import { ActionIcon, Button, Menu, Text } from "@mantine/core";
import "./menu.css";
import IconDots from "@tabler/icons-react/dist/esm/icons/IconDots.mjs";
import { type KeyboardEvent, type RefObject, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { clinic } from "../api.ts";
import type { Arrival, Consult, Participant } from "../api-types.ts";
import { Callout } from "../ui/Callout.tsx";
import { type OnSaid, useAct } from "./act.ts";
import { LateCancel, RemoveFromSeries } from "./LeaveQuestions.tsx";
import { MovePatient } from "./MovePatient.tsx";
import classes from "./SchedulePage.module.css";
import { SwapPatient } from "./SwapPatient.tsx";
import { useScheduleWords } from "./use-errors.ts";
import { hasLeft } from "./who.ts";

interface Props {
  consult: Consult;
  participant: Participant;
  onSaid: OnSaid;
}

/** The button that opens the menu: the focus comes back to it. */
type MenuButton = RefObject<HTMLButtonElement | null>;

/** What is open below the row, or before it. */
type Opened = "move" | "swap" | "lateCancel" | "remove" | null;

/** A late cancellation is asked about first. */
const ARRIVALS = ["arrived", "no_show", "expected"] as const satisfies readonly Arrival[];

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

/** Escape closes the menu, and not the dialog in which it stands. */
function keepEscape(event: KeyboardEvent): void {
  if (event.key === "Escape") event.preventDefault();
}

function More({
  consult,
  participant,
  button,
  onArrival,
  onOpen,
}: Omit<Props, "onSaid"> & {
  button: MenuButton;
  onArrival: (arrival: Arrival) => void;
  onOpen: (what: Opened) => void;
}) {
  const { t } = useTranslation();
  const { patient, arrival, status } = participant;
  const isGroup = consult.service.kind !== "one_to_one";
  const gone = hasLeft(participant);
  // Who waits has no place to come to, or to give up.
  const hasPlace = status !== "wait_listed";
  const arrivals = ARRIVALS.filter((one) => one !== arrival && (gone ? one === "expected" : hasPlace));
  // The item goes away with the menu; what opens a question or a search takes the focus itself.
  const back = (act: () => void) => {
    button.current?.focus();
    act();
  };
  return (
    <Menu position="bottom-end" width={260} shadow="md" withinPortal={false} returnFocus={false}>
      <Menu.Target>
        <ActionIcon
          ref={button}
          variant="subtle"
          color="gray"
          size={32}
          aria-label={t("schedule.more", { name: patient.name })}
          onKeyDown={keepEscape}
        >
          <IconDots size={18} aria-hidden="true" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown onKeyDown={keepEscape}>
        {arrivals.map((one) => (
          <Menu.Item key={one} onClick={() => back(() => onArrival(one))}>
            {t(gone ? "schedule.undoLateCancel" : `schedule.note.${one}`)}
          </Menu.Item>
        ))}
        {!gone && (
          <>
            {hasPlace && (
              <>
                <Menu.Item onClick={() => onOpen("lateCancel")}>{t("schedule.lateCancel")}</Menu.Item>
                <Menu.Divider />
              </>
            )}
            {isGroup && <Menu.Item onClick={() => back(() => onOpen("move"))}>{t("schedule.movePatient")}</Menu.Item>}
            {!isGroup && hasPlace && <Menu.Item onClick={() => onOpen("swap")}>{t("schedule.swapPatient")}</Menu.Item>}
          </>
        )}
      </Menu.Dropdown>
    </Menu>
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

/** Who waits for a one-to-one consult can only be booked. */
function hasMore({ consult, participant }: Props): boolean {
  return consult.service.kind !== "one_to_one" || participant.status !== "wait_listed" || hasLeft(participant);
}

function Acts({
  row,
  button,
  onOpen,
  ...props
}: Props & { row: ReturnType<typeof useRow>; button: MenuButton; onOpen: (what: Opened) => void }) {
  const { t } = useTranslation();
  const { consult, participant } = props;
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
      {hasMore(props) && (
        <More {...props} button={button} onArrival={(arrival) => note.start(arrival)} onOpen={onOpen} />
      )}
    </span>
  );
}

/** See the head of this file. A cancelled consult only tells who was in it. */
export function ParticipantRow(props: Props) {
  const words = useScheduleWords();
  const [opened, setOpened] = useState<Opened>(null);
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

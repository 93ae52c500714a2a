// The acts on one patient's place that are not needed at every glance.
import { ActionIcon, Menu } from "@mantine/core";
import "./menu.css";
import IconDots from "@tabler/icons-react/dist/esm/icons/IconDots.mjs";
import { type KeyboardEvent, type RefObject, useState } from "react";
import type { Arrival, Consult, Participant } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { hasLeft } from "./who.ts";

/** What is opened below the row, or asked before. */
export type Opened = "move" | "swap" | "lateCancel" | "remove";

/** The button that opens the menu: the focus comes back to it. */
export type MenuButton = RefObject<HTMLButtonElement | null>;

interface Props {
  consult: Consult;
  participant: Participant;
  button: MenuButton;
  onArrival: (arrival: Arrival) => void;
  onOpen: (what: Opened) => void;
}

/** A late cancellation is asked about first. */
const ARRIVALS = ["arrived", "no_show", "expected"] as const satisfies readonly Arrival[];

/** Who waits for a one-to-one consult can only be booked. */
function isEmpty({ consult, participant }: Props): boolean {
  return consult.service.kind === "one_to_one" && participant.status === "wait_listed" && !hasLeft(participant);
}

/** Escape closes the menu, and not the dialog in which it stands. */
function keepEscape(event: KeyboardEvent): void {
  if (event.key === "Escape") event.preventDefault();
}

function Items({ consult, participant, button, onArrival, onOpen }: Props) {
  const { t } = useTranslation();
  const { arrival, status } = participant;
  const isGroup = consult.service.kind !== "one_to_one";
  const gone = hasLeft(participant);
  // Who waits has no place to come to, or to give up.
  const hasPlace = status !== "wait_listed" && !gone;
  const arrivals = ARRIVALS.filter((one) => one !== arrival && (gone ? one === "expected" : hasPlace));
  // The item goes away with the menu; what opens a question or a search takes the focus itself.
  const back = (act: () => void) => {
    button.current?.focus();
    act();
  };
  return (
    <>
      {arrivals.map((one) => (
        <Menu.Item key={one} onClick={() => back(() => onArrival(one))}>
          {t(gone ? "schedule.undoLateCancel" : `schedule.note.${one}`)}
        </Menu.Item>
      ))}
      {hasPlace && <Menu.Item onClick={() => onOpen("lateCancel")}>{t("schedule.lateCancel")}</Menu.Item>}
      {hasPlace && <Menu.Divider />}
      {isGroup && !gone && (
        <Menu.Item onClick={() => back(() => onOpen("move"))}>{t("schedule.movePatient")}</Menu.Item>
      )}
      {!isGroup && hasPlace && <Menu.Item onClick={() => onOpen("swap")}>{t("schedule.swapPatient")}</Menu.Item>}
    </>
  );
}

/** See the head of this file. */
export function ParticipantMenu(props: Props) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  if (isEmpty(props)) return null;
  // Until the focus has moved into the menu, the key comes to its button.
  const closeByEscape = (event: KeyboardEvent) => {
    keepEscape(event);
    if (event.key === "Escape") setOpened(false);
  };
  return (
    <Menu
      position="bottom-end"
      width={260}
      shadow="md"
      withinPortal={false}
      withInitialFocusPlaceholder={false}
      returnFocus={false}
      opened={opened}
      onChange={setOpened}
    >
      <Menu.Target>
        <ActionIcon
          ref={props.button}
          variant="subtle"
          color="gray"
          size={32}
          aria-label={t("schedule.more", { name: props.participant.patient.name })}
          {...(opened ? { onKeyDown: closeByEscape } : {})}
        >
          <IconDots size={18} aria-hidden="true" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown onKeyDown={closeByEscape}>
        <Items {...props} />
      </Menu.Dropdown>
    </Menu>
  );
}

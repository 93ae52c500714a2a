import { Modal, type ModalProps } from "@mantine/core";
import "./dialog.css";
import "./scroll-lock.ts";
import { useEffect, useRef } from "react";
import { useTranslation } from "../i18n/words.ts";
import { useReturnFocus } from "./focus.ts";

/** The dialogs that are open, the one on top last. */
const open: object[] = [];

/** Escape closes the dialog on top only; Mantine's own would close all of them at once. */
function useEscape(isOn: boolean, close: () => void): void {
  const latest = useRef({ isOn, close });
  useEffect(() => {
    latest.current = { isOn, close };
  });
  useEffect(() => {
    const self = {};
    open.push(self);
    const press = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented || open.at(-1) !== self) return;
      event.preventDefault();
      if (latest.current.isOn) latest.current.close();
    };
    window.addEventListener("keydown", press);
    return () => {
      window.removeEventListener("keydown", press);
      open.splice(open.indexOf(self), 1);
    };
  }, []);
}

/** A dialog that exists only while it is open. The focus goes back to what opened it. */
export function Dialog({ closeOnEscape = true, onClose, ...props }: Omit<ModalProps, "opened">) {
  const { t } = useTranslation();
  useReturnFocus();
  useEscape(closeOnEscape, onClose);
  return (
    <Modal
      closeButtonProps={{ "aria-label": t("shell.close") }}
      {...props}
      opened
      closeOnEscape={false}
      onClose={onClose}
    />
  );
}

// A dialog that asks before it throws away what was typed in one of its parts. Each part says whether it holds something.
import type { ModalProps } from "@mantine/core";
import { createContext, type ReactNode, useContext, useEffect, useId, useState } from "react";
import { useTranslation } from "../i18n/words.ts";
import { ConfirmDialog } from "./ConfirmDialog.tsx";
import { Dialog } from "./Dialog.tsx";
import { useLeave } from "./use-leave.ts";

type Note = (part: string, isDirty: boolean) => void;

const Book = createContext<Note>(() => undefined);

/** Tells the dialog whether this part holds something that is not saved. What it gives lets go of it, once it is saved. */
export function useTyped(isDirty: boolean): () => void {
  const part = useId();
  const note = useContext(Book);
  useEffect(() => {
    note(part, isDirty);
    return () => note(part, false);
  }, [note, part, isDirty]);
  return () => note(part, false);
}

/** `children` get the way out: it asks first where something would be lost. */
export function AskingDialog({
  onClose,
  children,
  ...props
}: Pick<ModalProps, "title" | "size"> & { onClose: () => void; children: (leave: () => void) => ReactNode }) {
  const { t } = useTranslation();
  const { watch, leave, isAsking, discard, stay } = useLeave(onClose);
  const [note] = useState<Note>(() => {
    const dirty = new Set<string>();
    return (part: string, isDirty: boolean) => {
      if (isDirty) dirty.add(part);
      else dirty.delete(part);
      watch(dirty.size > 0, () => dirty.clear());
    };
  });
  return (
    <Book value={note}>
      <Dialog {...props} onClose={leave}>
        {children(leave)}
      </Dialog>
      {isAsking && (
        <ConfirmDialog
          title={t("shell.discard.title")}
          action={t("shell.discard.action")}
          keep={t("shell.discard.keep")}
          danger
          onConfirm={discard}
          onClose={stay}
        >
          {t("shell.discard.text")}
        </ConfirmDialog>
      )}
    </Book>
  );
}

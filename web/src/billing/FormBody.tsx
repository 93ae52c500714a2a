import { Button, Group } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Callout } from "../ui/Callout.tsx";
import { PendingButton } from "../ui/PendingButton.tsx";
import classes from "./form.module.css";
import type { FormFrame } from "./form.ts";

/** The frame of a form in a dialog: its fields, what is wrong with the whole, the way out and the way on. */
export function FormBody({
  form,
  action,
  onClose,
  children,
}: {
  form: FormFrame;
  action: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const { t } = useTranslation();
  const { errors, submit, element, isPending } = form;
  return (
    <form ref={element} onSubmit={submit} className={classes.form} noValidate>
      {children}
      <div role="alert">{errors.other !== undefined && <Callout tone="bad" text={errors.other} />}</div>
      <Group justify="flex-end" gap="sm">
        <Button variant="default" onClick={onClose}>
          {t("shell.cancel")}
        </Button>
        <PendingButton type="submit" pending={isPending}>
          {action}
        </PendingButton>
      </Group>
    </form>
  );
}

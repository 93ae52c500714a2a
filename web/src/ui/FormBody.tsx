import type { ReactNode } from "react";
import { Callout } from "./Callout.tsx";
import { DialogActs } from "./DialogActs.tsx";
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
  const { errors, submit, element, isPending } = form;
  return (
    <form ref={element} onSubmit={submit} className={classes.form} noValidate>
      {children}
      <div role="alert">{errors.other !== undefined && <Callout tone="bad" text={errors.other} />}</div>
      <DialogActs action={action} isPending={isPending} onClose={onClose} />
    </form>
  );
}

import { Button } from "@mantine/core";
import { useTranslation } from "../i18n/words.ts";
import classes from "./DialogActs.module.css";

/** The way out of a form in a dialog and the way on. They stay in sight while the dialog is scrolled. */
export function DialogActs({
  action,
  isPending,
  onClose,
}: {
  action: string;
  isPending: boolean;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  return (
    <div className={classes.acts}>
      <Button variant="default" onClick={onClose}>
        {t("shell.cancel")}
      </Button>
      <Button type="submit" loading={isPending}>
        {action}
      </Button>
    </div>
  );
}

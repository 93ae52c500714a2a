import { Button, Group } from "@mantine/core";
import { useTranslation } from "../i18n/words.ts";

/** The end of a small form: its act, and the way out. */
export function PanelActs({
  action,
  disabled,
  pending,
  onAct,
  onClose,
}: {
  action: string;
  disabled: boolean;
  pending: boolean;
  onAct: () => void;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  return (
    <Group gap="sm">
      <Button size="sm" variant="light" disabled={disabled} loading={pending} onClick={onAct}>
        {action}
      </Button>
      <Button size="sm" variant="subtle" onClick={onClose}>
        {t("shell.cancel")}
      </Button>
    </Group>
  );
}

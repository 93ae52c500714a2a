import { Button, Group } from "@mantine/core";
import { useTranslation } from "../i18n/words.ts";
import { PendingButton } from "../ui/PendingButton.tsx";

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
      <PendingButton size="sm" variant="light" disabled={disabled} pending={pending} onClick={onAct}>
        {action}
      </PendingButton>
      <Button size="sm" variant="subtle" onClick={onClose}>
        {t("shell.cancel")}
      </Button>
    </Group>
  );
}

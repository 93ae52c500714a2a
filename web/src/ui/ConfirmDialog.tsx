import { Button, Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "./Callout.tsx";
import { Dialog } from "./Dialog.tsx";
import { useProblemWords } from "./problem-words.ts";

/**
 * Asks before something that is not easily undone. The question names what happens; the button repeats the verb. `keep`
 * is the way out, where "Cancel" could be understood as the act itself.
 */
export function ConfirmDialog({
  title,
  children,
  action,
  keep,
  danger = false,
  pending = false,
  error = null,
  onConfirm,
  onClose,
}: {
  title: string;
  children: ReactNode;
  action: string;
  keep?: string;
  danger?: boolean;
  pending?: boolean;
  error?: unknown;
  onConfirm: () => void;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const words = useProblemWords();
  return (
    <Dialog onClose={onClose} title={title} centered>
      <Stack>
        <Text component="div" size="sm">
          {children}
        </Text>
        <div aria-live="polite">{error !== null && <Callout tone="bad" text={words(error)} />}</div>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            {keep ?? t("shell.cancel")}
          </Button>
          <Button {...(danger ? { color: "red.9" } : {})} loading={pending} onClick={onConfirm}>
            {action}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

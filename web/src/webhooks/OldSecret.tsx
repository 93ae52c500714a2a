import { Button, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "../i18n/words.ts";
import { type Intent, useIntent } from "../intent.ts";
import { ConfirmDialog } from "../ui/ConfirmDialog.tsx";
import { useWhen } from "../ui/when.ts";

interface Props {
  name: string;
  /** Until when it is valid beside the new one. */
  until: string;
  revoke: (intent: Intent) => Promise<void>;
  onRevoked: () => void;
}

/** The secret before the current one, as long as a rotation runs: how long that is, and the way to end it now. */
export function OldSecret({ name, until, revoke, onRevoked }: Props) {
  const { t } = useTranslation();
  const when = useWhen();
  const [asking, setAsking] = useState(false);
  const end = useIntent(revoke, { onSuccess: onRevoked });
  const close = () => {
    setAsking(false);
    end.reset();
  };
  return (
    <>
      <Text size="sm">{t("webhooks.oldSecret.until", { when: when(until, "until") })}</Text>
      <Button variant="default" size="sm" onClick={() => setAsking(true)}>
        {t("webhooks.oldSecret.action")}
      </Button>
      {asking && (
        <ConfirmDialog
          title={t("webhooks.oldSecret.ask", { name })}
          action={t("webhooks.oldSecret.action")}
          danger
          pending={end.isPending}
          error={end.error}
          onConfirm={() => end.start()}
          onClose={close}
        >
          {t("webhooks.oldSecret.askText")}
        </ConfirmDialog>
      )}
    </>
  );
}

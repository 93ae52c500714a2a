// A new secret for the other system: asked first, then made and shown, this once; the old one is valid beside it for a day.
import { Button, Group, Stack } from "@mantine/core";
import { useState } from "react";
import { operationalWebhook as api } from "../api/notices.ts";
import { useTranslation } from "../i18n/words.ts";
import { useIntent } from "../intent.ts";
import { ConfirmDialog } from "../ui/ConfirmDialog.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { useWhen } from "../ui/when.ts";
import { SecretText } from "../webhooks/SecretOnce.tsx";

interface Rotated {
  secret?: string;
  previous_valid_until: string;
}

/** See the head of this file. */
export function TellingSecret({
  host,
  isRunning,
  onMade,
}: {
  host: string;
  /** The old secret is still valid: a third one would be one too many. */
  isRunning: boolean;
  onMade: () => Promise<void>;
}) {
  const { t } = useTranslation();
  const when = useWhen();
  const [asking, setAsking] = useState(false);
  const [rotated, setRotated] = useState<Rotated | null>(null);
  const make = useIntent(api.rotateSecret, {
    onSuccess: async (answer) => {
      setAsking(false);
      setRotated(answer);
      await onMade();
    },
  });
  const close = () => {
    setAsking(false);
    make.reset();
  };
  return (
    <>
      {!isRunning && (
        <Button variant="default" size="xs" onClick={() => setAsking(true)}>
          {t("notices.telling.newSecret")}
        </Button>
      )}
      {asking && (
        <ConfirmDialog
          title={t("notices.telling.newSecretTitle", { host })}
          action={t("notices.telling.newSecretAction")}
          pending={make.isPending}
          error={make.error}
          onConfirm={() => make.start()}
          onClose={close}
        >
          {t("notices.telling.newSecretText")}
        </ConfirmDialog>
      )}
      {rotated !== null && (
        <Dialog
          title={t("notices.telling.newSecretDone", { host })}
          size="40rem"
          closeOnClickOutside={false}
          onClose={() => setRotated(null)}
        >
          <Stack>
            <SecretText secret={rotated.secret}>
              {t("notices.telling.newSecretUntil", { when: when(rotated.previous_valid_until, "until") })}
            </SecretText>
            <Group justify="flex-end">
              <Button onClick={() => setRotated(null)}>{t("shell.done")}</Button>
            </Group>
          </Stack>
        </Dialog>
      )}
    </>
  );
}

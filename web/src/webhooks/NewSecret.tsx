import { Button, Group, Stack, Text } from "@mantine/core";
import IconKey from "@tabler/icons-react/dist/esm/icons/IconKey.mjs";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { RotatedSecret, Webhook } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { useIntent } from "../intent.ts";
import { useMay } from "../session/queries.ts";
import { ConfirmDialog } from "../ui/ConfirmDialog.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { useWhen } from "../ui/when.ts";
import classes from "./NewSecret.module.css";
import { OldSecret } from "./OldSecret.tsx";
import { publicKeysQuery } from "./queries.ts";
import { SecretText } from "./SecretOnce.tsx";
import type { Editing } from "./save.ts";

function Shown({ name, rotated, onClose }: { name: string; rotated: RotatedSecret; onClose: () => void }) {
  const { t } = useTranslation();
  const when = useWhen();
  return (
    <Dialog title={t("webhooks.newSecret.done", { name })} size="40rem" closeOnClickOutside={false} onClose={onClose}>
      <Stack>
        <SecretText secret={rotated.secret}>
          {t("webhooks.newSecret.until", { when: when(rotated.previous_valid_until, "until") })}
        </SecretText>
        <Group justify="flex-end">
          <Button onClick={onClose}>{t("shell.done")}</Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

/** How long the old secret is valid: as it was when the dialog was opened, and after each act in it. */
type Old = string | "revoked just now" | null;

/** The rotation: asked first, then made; the new secret is held until it was seen. */
function useRotation(webhook: Webhook, editing: Editing) {
  const queryClient = useQueryClient();
  const [asking, setAsking] = useState(false);
  const [rotated, setRotated] = useState<RotatedSecret | null>(null);
  const [old, setOld] = useState<Old>(webhook.previous_secret_valid_until);
  const changed = (now: Old) => {
    setOld(now);
    // A key pair goes along with the secret.
    void queryClient.invalidateQueries({ queryKey: publicKeysQuery(webhook.id).queryKey });
  };
  const make = useIntent(editing.rotateSecret, {
    onSuccess: (answer) => {
      setAsking(false);
      setRotated(answer);
      changed(answer.previous_valid_until);
    },
  });
  const seen = () => setRotated(null);
  const revoked = () => changed("revoked just now");
  const close = () => {
    setAsking(false);
    make.reset();
  };
  return { asking, ask: () => setAsking(true), close, make, rotated, seen, old, revoked };
}

function Question({ name, rotation: { make, close } }: { name: string; rotation: ReturnType<typeof useRotation> }) {
  const { t } = useTranslation();
  return (
    <ConfirmDialog
      title={t("webhooks.newSecret.ask", { name })}
      action={t("webhooks.newSecret.action")}
      pending={make.isPending}
      error={make.error}
      onConfirm={() => make.start()}
      onClose={close}
    >
      {t("webhooks.newSecret.askText")}
    </ConfirmDialog>
  );
}

/**
 * The signing secret of a saved webhook: a new one, shown once, and the end of the old one while both are valid. Either is
 * done at once, without Save.
 */
export function NewSecret({ webhook, editing }: { webhook: Webhook; editing: Editing }) {
  const { t } = useTranslation();
  const { name } = webhook;
  const maySee = useMay("new-secret");
  const rotation = useRotation(webhook, editing);
  const { old, rotated } = rotation;
  const isRevoked = old === "revoked just now";
  return (
    <section className={classes.secret} aria-label={t("webhooks.newSecret.title")}>
      <div>
        <Text fw={600} size="sm">
          {t("webhooks.newSecret.title")}
        </Text>
        <Text size="sm" c="dimmed">
          {t("webhooks.newSecret.text")}
        </Text>
      </div>
      <Button
        variant="default"
        size="sm"
        leftSection={<IconKey size={16} aria-hidden="true" />}
        disabled={!maySee}
        aria-describedby={maySee ? undefined : "secret-hidden"}
        onClick={rotation.ask}
      >
        {t("webhooks.newSecret.action")}
      </Button>
      {!maySee && (
        <Text size="sm" c="dimmed" id="secret-hidden">
          {t("embed.secretHidden")}
        </Text>
      )}
      {old !== null && !isRevoked && (
        <OldSecret name={name} until={old} revoke={editing.revokePreviousSecret} onRevoked={rotation.revoked} />
      )}
      <Text size="sm" role="status" className={classes.news}>
        {isRevoked ? t("webhooks.oldSecret.done") : ""}
      </Text>
      {rotation.asking && <Question name={name} rotation={rotation} />}
      {rotated !== null && <Shown name={name} rotated={rotated} onClose={rotation.seen} />}
    </section>
  );
}

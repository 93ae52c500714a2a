import { Button, Group, Stack, Text } from "@mantine/core";
import IconKey from "@tabler/icons-react/dist/esm/icons/IconKey.mjs";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { RotatedSecret } from "../api-types.ts";
import { type Intent, useIntent } from "../intent.ts";
import { ConfirmDialog } from "../ui/ConfirmDialog.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { useWhen } from "../ui/when.ts";
import classes from "./NewSecret.module.css";
import { SecretText } from "./SecretOnce.tsx";

interface Props {
  name: string;
  rotate: (intent: Intent) => Promise<RotatedSecret>;
}

function Shown({ name, rotated, onClose }: { name: string; rotated: RotatedSecret; onClose: () => void }) {
  const { t } = useTranslation();
  const when = useWhen();
  return (
    <Dialog title={t("webhooks.newSecret.done", { name })} size="40rem" closeOnClickOutside={false} onClose={onClose}>
      <Stack>
        <SecretText secret={rotated.secret}>
          {t("webhooks.newSecret.until", { when: when(rotated.previous_valid_until) })}
        </SecretText>
        <Group justify="flex-end">
          <Button onClick={onClose}>{t("shell.done")}</Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

/** A new signing secret for a saved webhook: asked first, shown once. It is made at once, without Save. */
export function NewSecret({ name, rotate }: Props) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const [rotated, setRotated] = useState<RotatedSecret | null>(null);
  const make = useIntent(rotate, {
    onSuccess: (answer) => {
      setAsking(false);
      setRotated(answer);
    },
  });
  const button = useRef<HTMLButtonElement>(null);
  const end = () => {
    setRotated(null);
    // Once the dialog is gone; what had the focus before it is gone, too.
    setTimeout(() => button.current?.focus(), 0);
  };
  const close = () => {
    setAsking(false);
    make.reset();
  };
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
        ref={button}
        variant="default"
        size="sm"
        leftSection={<IconKey size={16} aria-hidden="true" />}
        onClick={() => setAsking(true)}
      >
        {t("webhooks.newSecret.action")}
      </Button>
      {asking && (
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
      )}
      {rotated !== null && <Shown name={name} rotated={rotated} onClose={end} />}
    </section>
  );
}

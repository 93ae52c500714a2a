import { Button, Group, Stack, Text } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "../i18n/words.ts";
import { useIsEmbedded, useMay } from "../session/queries.ts";
import { Callout } from "../ui/Callout.tsx";
import { CopyButton } from "../ui/CopyButton.tsx";
import { ButtonLink } from "../ui/links.tsx";
import classes from "./SecretOnce.module.css";

export interface Created {
  name: string;
  /** Not there where the answer was lost on its way and asked for again: the server tells a secret once. */
  secret: string | undefined;
  /** False where nothing was ticked: it is saved, and off. */
  isOn: boolean;
}

/** The secret, this once, or that it was lost. Takes the focus, because what had it is gone. */
export function SecretText({ secret, children }: { secret: string | undefined; children: ReactNode }) {
  const { t } = useTranslation();
  const maySee = useMay("new-secret");
  const title = useRef<HTMLParagraphElement>(null);
  useEffect(() => title.current?.focus(), []);
  return (
    <>
      <div>
        <Text fw={600} ref={title} tabIndex={-1} data-autofocus className={classes.title}>
          {t("webhooks.secret.title")}
        </Text>
        <Text size="sm" c="dimmed">
          {children}
        </Text>
      </div>
      {secret === undefined ? (
        <Callout tone="warn" text={t(maySee ? "webhooks.secret.lost" : "embed.secretHidden")} />
      ) : (
        <>
          <div className={classes.row}>
            <code className={classes.secret} data-secret>
              {secret}
            </code>
            <CopyButton full text={secret} what={t("webhooks.secret.what")} />
          </div>
          <Callout tone="warn" text={t("webhooks.secret.once")} />
        </>
      )}
    </>
  );
}

/** The end of a creation: the secret, this once, and where to see the webhook work. */
export function SecretOnce({ created, toInbox, onDone }: { created: Created; toInbox: boolean; onDone: () => void }) {
  const { t } = useTranslation();
  const isEmbedded = useIsEmbedded();
  const { name, secret, isOn } = created;
  return (
    <Stack>
      <div role="status">
        <Callout tone="good" title={t(isOn ? "webhooks.secret.on" : "webhooks.secret.saved", { name })} />
      </div>
      <SecretText secret={secret}>{t("webhooks.secret.text")}</SecretText>
      {toInbox && !isEmbedded && <Text size="sm">{t("webhooks.secret.inboxNext")}</Text>}
      <Group justify="flex-end">
        {toInbox && !isEmbedded && (
          <ButtonLink variant="default" to="/schedule">
            {t("webhooks.secret.schedule")}
          </ButtonLink>
        )}
        <Button onClick={onDone}>{t("shell.done")}</Button>
      </Group>
    </Stack>
  );
}

// What few webhooks need: folded away, unless it is in use.
import { Button, Checkbox, Collapse, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Webhook } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "../ui/Callout.tsx";
import { CopyButton } from "../ui/CopyButton.tsx";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";
import { useWhen } from "../ui/when.ts";
import classes from "./Advanced.module.css";
import type { Form } from "./form.ts";
import { publicKeysQuery } from "./queries.ts";

function Copied({ label, text, what }: { label: string; text: string; what: string }) {
  return (
    <div>
      <Text size="sm" fw={600}>
        {label}
      </Text>
      <div className={classes.row}>
        <code className={classes.text}>{text}</code>
        <CopyButton text={text} what={what} />
      </div>
    </div>
  );
}

/** The public half of a saved webhook's key pair, and where the other system finds it by itself. */
function PublicKeys({ id }: { id: Webhook["id"] }) {
  const { t } = useTranslation();
  const when = useWhen();
  const found = useQuery(publicKeysQuery(id));
  if (found.isPending) return <LoadingRows rows={1} height={64} />;
  if (found.isError) return <LoadFailed error={found.error} retry={() => found.refetch()} />;
  const { url, keys } = found.data;
  return (
    <div className={classes.keys}>
      {keys.map(({ public_key, valid_until }) => (
        <Copied
          key={public_key}
          label={
            valid_until === null
              ? t("webhooks.advanced.publicKey")
              : t("webhooks.advanced.oldKey", { when: when(valid_until, "until") })
          }
          text={public_key}
          what={t("webhooks.advanced.copyKey")}
        />
      ))}
      {url !== null && (
        <Copied label={t("webhooks.advanced.address")} text={url} what={t("webhooks.advanced.copyAddress")} />
      )}
      <Text size="sm" c="dimmed">
        {t("webhooks.advanced.safe")}
      </Text>
    </div>
  );
}

/** What comes of the box: the key that there is, or what Save will do. */
function KeyNews({ form: { draft }, webhook }: { form: Form; webhook: Webhook | null }) {
  const { t } = useTranslation();
  const hasKey = webhook?.signatures.includes("v1a") ?? false;
  if (webhook !== null && hasKey && draft.signsWithKey) return <PublicKeys id={webhook.id} />;
  if (hasKey) return <Callout tone="warn" text={t("webhooks.advanced.ends")} />;
  return draft.signsWithKey ? <Callout tone="calm" text={t("webhooks.advanced.later")} /> : null;
}

/** A signature by key pair besides the one by secret. */
export function Advanced({ form, webhook }: { form: Form; webhook: Webhook | null }) {
  const { t } = useTranslation();
  const { draft, change } = form;
  const [open, setOpen] = useState(draft.signsWithKey);
  return (
    <div>
      <Button variant="subtle" size="compact-sm" aria-expanded={open} onClick={() => setOpen(!open)}>
        {t(open ? "webhooks.advanced.close" : "webhooks.advanced.open")}
      </Button>
      <Collapse expanded={open}>
        {open && (
          <div className={classes.settings}>
            <Checkbox
              label={t("webhooks.advanced.key")}
              description={t("webhooks.advanced.keyText")}
              checked={draft.signsWithKey}
              onChange={(event) => change({ signsWithKey: event.currentTarget.checked })}
            />
            <div aria-live="polite">
              <KeyNews form={form} webhook={webhook} />
            </div>
          </div>
        )}
      </Collapse>
    </div>
  );
}

import { Button, Group, NativeSelect, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type ApiKeyScope, apiKeys, type CreatedApiKey, type NewApiKey } from "../api/api-keys.ts";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "../ui/Callout.tsx";
import { CopyButton } from "../ui/CopyButton.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { FormBody } from "../ui/FormBody.tsx";
import { useForm } from "../ui/form.ts";
import { AskingDialog } from "../ui/leaving.tsx";
import { useRefusalWords } from "../ui/refusals.ts";
import { webhooksQuery } from "../webhooks/queries.ts";
import classes from "../webhooks/SecretOnce.module.css";

const NAME_MAX_CHARACTERS = 100;
/** Ten of the longest. */
const ORIGINS_MAX_CHARACTERS = 2_800;

/** The key, this once. Takes the focus, because what had it is gone. */
function KeyOnce({ created, onClose }: { created: CreatedApiKey; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Dialog
      title={t("settings.apiKeys.created", { name: created.name })}
      size="40rem"
      closeOnClickOutside={false}
      onClose={onClose}
    >
      <Stack>
        <div>
          <Text fw={600} tabIndex={-1} data-autofocus className={classes.title}>
            {t("settings.apiKeys.secretTitle")}
          </Text>
          <Text size="sm" c="dimmed">
            {t("settings.apiKeys.secretText")}
          </Text>
        </div>
        {created.key === undefined ? (
          <Callout tone="warn" text={t("settings.apiKeys.lost")} />
        ) : (
          <>
            <div className={classes.row}>
              <code className={classes.secret} data-secret>
                {created.key}
              </code>
              <CopyButton full text={created.key} what={t("settings.apiKeys.what")} />
            </div>
            <Callout tone="warn" text={t("settings.apiKeys.once")} />
          </>
        )}
        <Group justify="flex-end">
          <Button onClick={onClose}>{t("shell.done")}</Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

interface Typed {
  name: string;
  scope: ApiKeyScope;
  /** "" where none is chosen */
  webhookId: string;
  /** As it is typed: one in each line. */
  origins: string;
}

const SCOPES: readonly ApiKeyScope[] = ["feed", "deliveries:pull", "embed"];

function originsOf({ origins }: Typed): string[] {
  return origins.split(/[\s,]+/).filter((origin) => origin !== "");
}

/** What the key is for: and where it fetches deliveries, those of which webhook. */
function Purpose({
  typed: { scope, webhookId, origins },
  errors,
  onType,
}: {
  typed: Typed;
  errors: { webhook_id?: string; embed_origins?: string };
  onType: (changes: Partial<Typed>) => void;
}) {
  const { t } = useTranslation();
  const query = useQuery(webhooksQuery);
  return (
    <>
      <NativeSelect
        label={t("settings.apiKeys.purpose")}
        value={scope}
        data={[
          { value: "feed", label: t("settings.apiKeys.scope.feed") },
          { value: "deliveries:pull", label: t("settings.apiKeys.scope.pull") },
          { value: "embed", label: t("settings.apiKeys.scope.embed") },
        ]}
        onChange={({ currentTarget: { value } }) =>
          onType({ scope: SCOPES.find((known) => known === value) ?? "feed", webhookId: "", origins: "" })
        }
      />
      {scope === "embed" && (
        <Textarea
          label={t("settings.apiKeys.origins")}
          description={t("settings.apiKeys.originsHint")}
          placeholder="https://"
          rows={3}
          value={origins}
          maxLength={ORIGINS_MAX_CHARACTERS}
          error={errors.embed_origins}
          spellCheck={false}
          onChange={(event) => onType({ origins: event.currentTarget.value })}
        />
      )}
      {scope === "deliveries:pull" && (
        <NativeSelect
          label={t("settings.apiKeys.webhook")}
          description={t("settings.apiKeys.webhookHint")}
          value={webhookId}
          error={errors.webhook_id}
          data={[
            { value: "", label: t("settings.apiKeys.chooseWebhook") },
            ...(query.data ?? []).map(({ id, name }) => ({ value: String(id), label: name })),
          ]}
          onChange={(event) => onType({ webhookId: event.currentTarget.value })}
        />
      )}
    </>
  );
}

function inputOf(typed: Typed): NewApiKey {
  const input = { name: typed.name.trim(), scopes: [typed.scope] };
  if (typed.scope === "deliveries:pull") return { ...input, webhook_id: Number(typed.webhookId) };
  return typed.scope === "embed" ? { ...input, embed_origins: originsOf(typed) } : input;
}

function Fields({ onDone, onClose }: { onDone: (created: CreatedApiKey) => void; onClose: () => void }) {
  const { t } = useTranslation();
  const form = useForm({
    start: (): Typed => ({ name: "", scope: "feed", webhookId: "", origins: "" }),
    fields: ["name", "webhook_id", "embed_origins"],
    mistakes: ({ name, scope, webhookId, origins }) => ({
      ...(name.trim() === "" ? { name: t("settings.apiKeys.mistake.name") } : {}),
      ...(scope === "deliveries:pull" && webhookId === "" ? { webhook_id: t("settings.apiKeys.mistake.webhook") } : {}),
      ...(scope === "embed" && origins.trim() === "" ? { embed_origins: t("settings.apiKeys.mistake.origins") } : {}),
    }),
    send: (typed, intent) => apiKeys.create(inputOf(typed), intent),
    done: onDone,
    words: useRefusalWords((code) =>
      code === "too_many_api_keys" ? t("settings.apiKeys.refusal.too_many_api_keys") : undefined,
    ),
  });
  return (
    <FormBody form={form} action={t("settings.apiKeys.create")} onClose={onClose}>
      <TextInput
        label={t("settings.apiKeys.name")}
        description={t("settings.apiKeys.nameHint")}
        value={form.typed.name}
        maxLength={NAME_MAX_CHARACTERS}
        error={form.errors.name}
        autoComplete="off"
        onChange={(event) => form.type({ name: event.currentTarget.value })}
        data-autofocus
      />
      <Purpose typed={form.typed} errors={form.errors} onType={form.type} />
    </FormBody>
  );
}

/** Makes a key and shows it, once. */
export function NewKey({ onCreated, onClose }: { onCreated: () => Promise<void>; onClose: () => void }) {
  const { t } = useTranslation();
  const [created, setCreated] = useState<CreatedApiKey | null>(null);
  if (created !== null) return <KeyOnce created={created} onClose={onClose} />;
  const show = async (key: CreatedApiKey) => {
    setCreated(key);
    await onCreated();
  };
  return (
    <AskingDialog title={t("settings.apiKeys.new")} onClose={onClose}>
      {(leave) => <Fields onDone={show} onClose={leave} />}
    </AskingDialog>
  );
}

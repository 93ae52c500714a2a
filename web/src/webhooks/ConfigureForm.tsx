import { Anchor, Button, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect } from "react";
import { ProblemError } from "../api.ts";
import type { Webhook } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { inboxQuery } from "../inbox/queries.ts";
import { useIntent } from "../intent.ts";
import { useMay } from "../session/queries.ts";
import { Callout } from "../ui/Callout.tsx";
import { useProblemWords } from "../ui/problem-words.ts";
import type { Leave } from "../ui/use-leave.ts";
import { Advanced } from "./Advanced.tsx";
import { Check } from "./Check.tsx";
import classes from "./ConfigureForm.module.css";
import { completeUrl, type Draft, FIELDS, isSameDraft, mergeDrafts, needsRecipient } from "./draft.ts";
import { dropDraft } from "./kept-draft.ts";
import { NewSecret } from "./NewSecret.tsx";
import { Preview } from "./Preview.tsx";
import type { Created } from "./SecretOnce.tsx";
import type { Editing } from "./save.ts";
import { type OpenForm, useChecked, useForm, useSave, useSaver, useShown } from "./use-configure.ts";
import type { Target } from "./WebhooksPage.tsx";
import { What } from "./What.tsx";
import { When } from "./When.tsx";
import { Where } from "./Where.tsx";

function Kept({ onStartOver }: { onStartOver: () => void }) {
  const { t } = useTranslation();
  return (
    <div className={classes.kept}>
      <Callout tone="calm">
        {t("webhooks.kept")}{" "}
        <Anchor component="button" type="button" onClick={onStartOver} underline="always" fz="inherit">
          {t("webhooks.startOver")}
        </Anchor>
      </Callout>
    </div>
  );
}

/** Somebody else was faster: loads what is stored now and keeps what was typed, so that Save then means both. */
function Reload({ onReload }: { onReload: () => Promise<void> }) {
  const { t } = useTranslation();
  const words = useProblemWords();
  const reload = useIntent(onReload);
  return (
    <>
      <Button mt="xs" size="xs" variant="default" loading={reload.isPending} onClick={() => reload.start()}>
        {t("webhooks.reload")}
      </Button>
      {reload.isError && <div>{words(reload.error)}</div>}
    </>
  );
}

interface FootProps {
  form: OpenForm;
  save: ReturnType<typeof useSave>;
  onReload: () => Promise<void>;
  onClose: () => void;
}

function Foot({ form, save, onReload, onClose }: FootProps) {
  const { t } = useTranslation();
  const words = useProblemWords();
  const placed = Object.keys(form.errors).length > 0;
  return (
    <div className={classes.foot}>
      <div role="alert" className={classes.problem}>
        {save.isError && !placed && (
          <Callout tone="bad" text={words(save.error)}>
            {save.error instanceof ProblemError && save.error.code === "changed_meanwhile" && (
              <Reload onReload={onReload} />
            )}
          </Callout>
        )}
        {form.errors.other !== undefined && <Callout tone="bad" text={form.errors.other} />}
        {placed && (
          <Text size="sm" c="var(--mantine-color-error)">
            {t("webhooks.mendFirst")}
          </Text>
        )}
      </div>
      <div className={classes.acts}>
        <Button variant="default" onClick={onClose}>
          {t("shell.cancel")}
        </Button>
        <Button type="submit" loading={save.isPending}>
          {t("webhooks.save")}
        </Button>
      </div>
    </div>
  );
}

export interface ConfigureFormProps {
  /** Under which the draft is kept over a reload. */
  storageKey: string;
  /** The one that is edited; null for a new one. */
  webhook: Webhook | null;
  start: Draft;
  /** What is saved; what differs from it would be lost by leaving. */
  stored: Draft;
  target: Target;
  /** Null where nothing was kept. */
  onStartOver: (() => void) | null;
  onSaved: (created: Created | null, toInbox: boolean) => void;
  leave: Leave;
}

/** Tells the dialog whether leaving would lose anything. */
function useWatched({ storageKey, stored, leave: { watch } }: ConfigureFormProps, draft: Draft): void {
  useEffect(() => {
    watch(!isSameDraft(draft, stored), () => dropDraft(storageKey));
    return () => watch(false, () => undefined);
  });
}

/** Brings in what somebody else saved meanwhile, under what was typed here. */
function useReload(editing: Editing | null, { draft, change }: OpenForm, stored: Draft): () => Promise<void> {
  const queryClient = useQueryClient();
  return async () => {
    if (editing === null) return;
    const latest = await editing.reload();
    await queryClient.invalidateQueries({ queryKey: ["webhooks"], exact: true });
    change(mergeDrafts({ typed: draft, start: stored, latest }));
  };
}

/** The form of the Configure dialog, in two columns: the questions, and the live preview. */
export function ConfigureForm(props: ConfigureFormProps) {
  const { storageKey, webhook, start, stored, target, onStartOver, onSaved, leave } = props;
  const { t } = useTranslation();
  const mayPatient = useMay("include-patient");
  const queryClient = useQueryClient();
  const form = useForm(start, storageKey);
  const { saver, editing } = useSaver(webhook);
  useWatched(props, form.draft);
  const save = useSave(saver, form, (created) => {
    dropDraft(storageKey);
    onSaved(created, queryClient.getQueryData(inboxQuery.queryKey)?.url === completeUrl(form.draft.url));
  });
  const checked = useChecked(form, FIELDS);
  const reload = useReload(editing, form, stored);
  const { choices, shown, show } = useShown(form.draft, target);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    checked(() => save.start());
  };
  return (
    <form onSubmit={submit} noValidate className={classes.form}>
      {onStartOver !== null && <Kept onStartOver={onStartOver} />}
      <div className={classes.questions}>
        {!mayPatient && needsRecipient(stored) && <Callout tone="warn" text={t("embed.patientKept")} />}
        <Where form={form} />
        <When form={form} group={target.group} />
        <What form={form} />
        <Check form={form} saver={saver} event={shown} />
        <Advanced form={form} webhook={webhook} />
        {editing !== null && webhook !== null && <NewSecret webhook={webhook} editing={editing} />}
      </div>
      <Preview draft={form.draft} choices={choices} shown={shown} onShow={show} />
      <Foot
        form={form}
        save={save}
        onReload={async () => {
          await reload();
          save.reset();
        }}
        onClose={leave.leave}
      />
    </form>
  );
}

// The Configure dialog: create and edit are this one component. It owns where the draft starts, keeps it over a reload,
// and ends with the secret, shown once. The parts: Where, When, What, Check, and the live preview beside them.
import { NativeSelect } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Webhook } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { ConfirmDialog } from "../ui/ConfirmDialog.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";
import { useLeave } from "../ui/use-leave.ts";
import { ConfigureForm, type ConfigureFormProps } from "./ConfigureForm.tsx";
import { draftOf, EMPTY_DRAFT } from "./draft.ts";
import { dropDraft, loadDraft } from "./kept-draft.ts";
import { webhookQuery } from "./queries.ts";
import { type Created, SecretOnce } from "./SecretOnce.tsx";
import type { Target } from "./WebhooksPage.tsx";

const PHONE = "(max-width: 48em)";
const NEW = "new";

interface WhichProps {
  target: Target;
  webhooks: Webhook[];
  onTarget: (target: Target) => void;
}

function WhichWebhook({ target, webhooks, onTarget }: WhichProps) {
  const { t } = useTranslation();
  if (target.group === null || webhooks.length === 0) return null;
  const options = [
    { value: NEW, label: t("webhooks.which.new") },
    ...webhooks.map((webhook) => ({
      value: String(webhook.id),
      label: t("webhooks.which.edit", { name: webhook.name }),
    })),
  ];
  return (
    <NativeSelect
      mb="lg"
      maw="24rem"
      label={t("webhooks.which.label")}
      data={options}
      value={target.webhookId === null ? NEW : String(target.webhookId)}
      onChange={(event) => {
        const { value } = event.currentTarget;
        onTarget({ group: target.group, webhookId: value === NEW ? null : value });
      }}
    />
  );
}

/** Loads the webhook that is edited, with its whole address, then shows the form. */
function Editor({ id, ...rest }: { id: string | number } & Omit<FormProps, "webhook">) {
  const webhook = useQuery(webhookQuery(id));
  if (webhook.isPending) return <LoadingRows rows={4} height={88} />;
  if (webhook.isError) return <LoadFailed error={webhook.error} retry={() => webhook.refetch()} />;
  return <Start webhook={webhook.data} {...rest} />;
}

type FormProps = Pick<ConfigureFormProps, "webhook" | "target" | "onSaved" | "leave">;

/**
 * Begins with what was typed before a reload, if anything; "start over" goes back to what is stored. An address that was
 * brought along stands in either, and overwrites nothing that is kept.
 */
function Start({ webhook, ...rest }: FormProps) {
  const key = webhook === null ? NEW : String(webhook.id);
  const stored = webhook === null ? EMPTY_DRAFT : draftOf(webhook);
  const [kept, setKept] = useState(() => loadDraft(key));
  const { newAddress } = rest.target;
  const begun = kept ?? stored;
  const startOver = () => {
    dropDraft(key);
    setKept(null);
  };
  return (
    <ConfigureForm
      key={kept === null ? "stored" : "kept"}
      storageKey={key}
      webhook={webhook}
      start={newAddress === undefined ? begun : { ...begun, url: newAddress }}
      stored={stored}
      onStartOver={kept === null ? null : startOver}
      {...rest}
    />
  );
}

function Questions({ form, ...which }: { form: Omit<FormProps, "webhook"> } & Omit<WhichProps, "target">) {
  const { target } = form;
  return (
    <>
      <WhichWebhook target={target} {...which} />
      {target.webhookId === null ? (
        <Start key={NEW} webhook={null} {...form} />
      ) : (
        <Editor key={target.webhookId} id={target.webhookId} {...form} />
      )}
    </>
  );
}

function Discard({ leave }: { leave: FormProps["leave"] }) {
  const { t } = useTranslation();
  if (!leave.isAsking) return null;
  return (
    <ConfirmDialog
      title={t("webhooks.discard.title")}
      action={t("webhooks.discard.action")}
      keep={t("webhooks.discard.keep")}
      danger
      onConfirm={leave.discard}
      onClose={leave.stay}
    >
      {t("webhooks.discard.text")}
    </ConfirmDialog>
  );
}

/** Says which one this is about: a new webhook, or the one that is edited, which may be deleted meanwhile. */
function useTitle({ webhookId }: Target, webhooks: Webhook[]): string {
  const { t } = useTranslation();
  const edited = webhooks.find(({ id }) => String(id) === String(webhookId));
  if (webhookId === null) return t("webhooks.new");
  return edited === undefined ? t("webhooks.edit") : t("webhooks.which.edit", { name: edited.name });
}

/** See the head of this file. */
export default function ConfigureDialog({ target, webhooks, onTarget, onClose }: WhichProps & { onClose: () => void }) {
  const title = useTitle(target, webhooks);
  const leave = useLeave(onClose);
  const phone = useMediaQuery(PHONE, false, { getInitialValueInEffect: false });
  const [ended, setEnded] = useState<{ created: Created; toInbox: boolean } | null>(null);
  const onSaved: FormProps["onSaved"] = (created, toInbox) =>
    created === null ? onClose() : setEnded({ created, toInbox });
  const form = { target, onSaved, leave };
  const editing = ended === null;
  return (
    <Dialog
      onClose={editing ? leave.leave : onClose}
      title={title}
      size={editing ? "72rem" : "40rem"}
      fullScreen={phone}
      closeOnClickOutside={false}
      closeOnEscape={editing}
      withCloseButton={editing}
      padding={phone ? "md" : "lg"}
    >
      {ended !== null ? (
        <SecretOnce {...ended} onDone={onClose} />
      ) : (
        <Questions form={form} webhooks={webhooks} onTarget={onTarget} />
      )}
      <Discard leave={leave} />
    </Dialog>
  );
}

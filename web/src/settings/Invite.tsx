import { Button, Group, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Invited, staff } from "../api/staff.ts";
import type { Role } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "../ui/Callout.tsx";
import { CopyButton } from "../ui/CopyButton.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { FormBody } from "../ui/FormBody.tsx";
import { useForm } from "../ui/form.ts";
import { AskingDialog } from "../ui/leaving.tsx";
import { useRefusalWords } from "../ui/refusals.ts";
import classes from "../webhooks/SecretOnce.module.css";
import { ROLES, STAFF } from "./staff.ts";

const EMAIL_MAX_CHARACTERS = 254;
const REFUSALS = ["already_staff", "already_invited", "too_many_invitations"] as const;

/** The link, this once: no letter brings it. Takes the focus, because what had it is gone. */
export function LinkOnce({ email, link, onClose }: { email: string; link: string; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Dialog title={t("settings.staff.linkTitle")} size="40rem" closeOnClickOutside={false} onClose={onClose}>
      <Stack>
        <Text tabIndex={-1} data-autofocus className={classes.title}>
          {t("settings.staff.linkText", { email })}
        </Text>
        <div className={classes.row}>
          <code className={classes.secret} data-secret>
            {link}
          </code>
          <CopyButton full text={link} what={t("settings.staff.linkWhat")} />
        </div>
        <Callout tone="warn" text={t("settings.staff.linkOnce")} />
        <Group justify="flex-end">
          <Button onClick={onClose}>{t("shell.done")}</Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

function Who({ onDone, onClose }: { onDone: (made: Invited) => Promise<void>; onClose: () => void }) {
  const { t } = useTranslation();
  const form = useForm({
    start: (): { email: string; role: Role } => ({ email: "", role: "practitioner" }),
    fields: ["email", "role"],
    mistakes: ({ email }) => (/^[^\s@]+@[^\s@]+$/.test(email.trim()) ? {} : { email: t("shell.field.not_an_email") }),
    send: ({ email, role }, intent) => staff.invite({ email: email.trim(), role }, intent),
    done: onDone,
    words: useRefusalWords((code) => {
      const known = REFUSALS.find((one) => one === code);
      return known && t(`settings.staff.refusal.${known}`);
    }),
    say: ({ code }) => (code === "not_an_email" ? t("shell.field.not_an_email") : undefined),
  });
  return (
    <FormBody form={form} action={t("settings.staff.inviteNow")} onClose={onClose}>
      <TextInput
        label={t("shell.signIn.email")}
        type="email"
        autoComplete="off"
        maxLength={EMAIL_MAX_CHARACTERS}
        value={form.typed.email}
        error={form.errors.email}
        onChange={(event) => form.type({ email: event.currentTarget.value })}
        data-autofocus
      />
      <NativeSelect
        label={t("settings.staff.role")}
        description={t(`settings.staff.may.${form.typed.role}`)}
        value={form.typed.role}
        data={ROLES.map((value) => ({ value, label: t(`shell.role.${value}`) }))}
        onChange={(event) => form.type({ role: event.currentTarget.value as Role })}
      />
    </FormBody>
  );
}

/** Asks whom to invite; shows the link where no mail server brings it. */
export function Invite({ onSaid, onClose }: { onSaid: (words: string) => void; onClose: () => void }) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const [made, setMade] = useState<Invited | null>(null);
  if (made?.link !== undefined) return <LinkOnce email={made.email} link={made.link} onClose={onClose} />;
  const done = async (invited: Invited) => {
    await queryClient.invalidateQueries({ queryKey: STAFF });
    onSaid(t("settings.staff.invited", { email: invited.email }));
    if (invited.link === undefined) onClose();
    else setMade(invited);
  };
  return (
    <AskingDialog title={t("settings.staff.invite")} onClose={onClose}>
      {(leave) => <Who onDone={done} onClose={leave} />}
    </AskingDialog>
  );
}

// The second step of one's sign-in: on, off, and new backup codes. Each asks for the password first.
import { Button, Group, Text, Title } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { account, type Enrolment } from "../api/accounts.ts";
import { useTranslation } from "../i18n/words.ts";
import { meQuery, useMe } from "../session/queries.ts";
import { Callout } from "../ui/Callout.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { FormBody } from "../ui/FormBody.tsx";
import { useForm } from "../ui/form.ts";
import { PasswordField } from "../ui/PasswordField.tsx";
import { useRefusalWords } from "../ui/refusals.ts";
import { BackupCodes, Enrol } from "./Enrol.tsx";
import classes from "./SecondFactor.module.css";

type Act = "on" | "off" | "codes";

interface PasswordProps<Answer> {
  text: string;
  action: string;
  send: (password: string) => Promise<Answer>;
  onDone: (answer: Answer) => unknown;
  onClose: () => void;
}

/** Asks for the password once more; what follows needs it. */
function AskPassword<Answer>({ text, action, send, onDone, onClose }: PasswordProps<Answer>) {
  const { t } = useTranslation();
  const form = useForm({
    start: () => ({ password: "" }),
    fields: ["password"],
    mistakes: ({ password }) => (password === "" ? { password: t("shell.signIn.missingPassword") } : {}),
    send: ({ password }) => send(password),
    done: onDone,
    words: useRefusalWords((code) => (code === "too_many_requests" ? t("account.tooOften") : undefined)),
    say: ({ code }) => (code === "wrong_password" ? t("account.wrongPassword") : undefined),
  });
  return (
    <FormBody form={form} action={action} onClose={onClose}>
      <Text size="sm">{text}</Text>
      <PasswordField
        label={t("shell.signIn.password")}
        autoComplete="current-password"
        value={form.typed.password}
        error={form.errors.password}
        onType={(password) => form.type({ password })}
        data-autofocus
      />
    </FormBody>
  );
}

function TurnOn({ onDone, onClose }: { onDone: () => Promise<void>; onClose: () => void }) {
  const { t } = useTranslation();
  const [enrolment, setEnrolment] = useState<Enrolment | null>(null);
  return (
    <Dialog title={t("account.second.turnOn")} size="36rem" closeOnClickOutside={false} onClose={onClose}>
      {enrolment === null ? (
        <AskPassword
          text={t("account.second.askOn")}
          action={t("account.second.next")}
          send={account.enrol}
          onDone={setEnrolment}
          onClose={onClose}
        />
      ) : (
        <Enrol enrolment={enrolment} onOn={onDone} onClose={onClose} />
      )}
    </Dialog>
  );
}

function NewCodes({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const [codes, setCodes] = useState<string[] | null>(null);
  return (
    <Dialog title={t("account.second.newCodes")} size="36rem" closeOnClickOutside={codes === null} onClose={onClose}>
      {codes === null ? (
        <AskPassword
          text={t("account.second.askCodes")}
          action={t("account.second.newCodes")}
          send={account.newBackupCodes}
          onDone={({ backup_codes: fresh }) => setCodes(fresh)}
          onClose={onClose}
        />
      ) : (
        <BackupCodes codes={codes} onClose={onClose} />
      )}
    </Dialog>
  );
}

function TurnOff({ onDone, onClose }: { onDone: () => Promise<void>; onClose: () => void }) {
  const { t } = useTranslation();
  const done = async () => {
    await onDone();
    onClose();
  };
  return (
    <Dialog title={t("account.second.turnOff")} onClose={onClose}>
      <AskPassword
        text={t("account.second.askOff")}
        action={t("account.second.turnOff")}
        send={account.turnOff}
        onDone={done}
        onClose={onClose}
      />
    </Dialog>
  );
}

/** See the head of this file. */
export function SecondFactor() {
  const { t } = useTranslation();
  const { second_factor: isOn } = useMe();
  const queryClient = useQueryClient();
  const [act, setAct] = useState<Act | null>(null);
  const refresh = () => queryClient.invalidateQueries({ queryKey: meQuery.queryKey });
  const close = () => setAct(null);
  return (
    <section className={classes.part} aria-labelledby="second-step">
      <Title order={2} id="second-step">
        {t("account.second.title")}
      </Title>
      <Text c="dimmed" mb="md">
        {t("account.second.intro")}
      </Text>
      <div role="status">
        <Callout tone={isOn ? "good" : "calm"} text={t(isOn ? "account.second.isOn" : "account.second.isOff")} />
      </div>
      <Group mt="md" gap="sm">
        {isOn ? (
          <>
            <Button variant="default" onClick={() => setAct("codes")}>
              {t("account.second.newCodes")}
            </Button>
            <Button variant="default" onClick={() => setAct("off")}>
              {t("account.second.turnOff")}
            </Button>
          </>
        ) : (
          <Button onClick={() => setAct("on")}>{t("account.second.turnOn")}</Button>
        )}
      </Group>
      {act === "on" && <TurnOn onDone={refresh} onClose={close} />}
      {act === "codes" && <NewCodes onClose={close} />}
      {act === "off" && <TurnOff onDone={refresh} onClose={close} />}
    </section>
  );
}

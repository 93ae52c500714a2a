// The second step of a sign-in: a code of the authenticator app, or one of the backup codes.
import { Anchor, Button, Checkbox, Stack, TextInput } from "@mantine/core";
import "../ui/checkbox.css";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { account } from "../api/accounts.ts";
import { ProblemError } from "../api.ts";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "../ui/Callout.tsx";
import { useProblemWords } from "../ui/problem-words.ts";
import { Entrance } from "./Entrance.tsx";

const CODE_MAX_CHARACTERS = 20;

function useWords(): (error: unknown) => string {
  const { t } = useTranslation();
  const words = useProblemWords();
  return (error) => {
    if (!(error instanceof ProblemError)) return words(error);
    if (error.status === 429) return t("shell.signIn.codesClosed");
    if (error.code === "sign_in_again") return t("shell.signIn.again");
    return error.status === 401 ? t("shell.signIn.wrongCode") : words(error);
  };
}

function useCode(isBackup: boolean, onDone: () => Promise<void>) {
  const [code, setCode] = useState("");
  const [trusts, setTrusts] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const verify = useMutation({
    mutationFn: async () => {
      const typed = { code: code.trim(), trust_device: trusts };
      await (isBackup ? account.verifyBackupCode(typed) : account.verifyCode(typed));
      await onDone();
    },
    onError: () => field.current?.focus(),
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: another kind of code begins with an empty, focused field.
  useEffect(() => {
    setCode("");
    field.current?.focus();
  }, [isBackup]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (code.trim() === "") field.current?.focus();
    else verify.mutate();
  };
  return { code, setCode, trusts, setTrusts, field, verify, submit };
}

export function SecondStep({ onDone, onAgain }: { onDone: () => Promise<void>; onAgain: () => void }) {
  const { t } = useTranslation();
  const [isBackup, setIsBackup] = useState(false);
  const { code, setCode, trusts, setTrusts, field, verify, submit } = useCode(isBackup, onDone);
  const words = useWords();
  return (
    <Entrance
      title={t("shell.signIn.secondTitle")}
      intro={t(isBackup ? "shell.signIn.backupIntro" : "shell.signIn.codeIntro")}
    >
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          <div role="alert">
            {verify.error !== null && (
              <Callout tone="bad" title={t("shell.signIn.failed")} text={words(verify.error)} />
            )}
          </div>
          <TextInput
            ref={field}
            label={t(isBackup ? "shell.signIn.backupCode" : "shell.signIn.code")}
            inputMode={isBackup ? "text" : "numeric"}
            autoComplete="one-time-code"
            maxLength={CODE_MAX_CHARACTERS}
            value={code}
            onChange={(event) => setCode(event.currentTarget.value)}
          />
          <Checkbox
            label={t("shell.signIn.trust")}
            checked={trusts}
            onChange={(event) => setTrusts(event.currentTarget.checked)}
          />
          <Button type="submit" loading={verify.isPending} fullWidth>
            {t("shell.signIn.submit")}
          </Button>
          <Anchor component="button" type="button" onClick={() => setIsBackup(!isBackup)}>
            {t(isBackup ? "shell.signIn.useCode" : "shell.signIn.useBackup")}
          </Anchor>
          <Anchor component="button" type="button" onClick={onAgain}>
            {t("shell.signIn.back")}
          </Anchor>
        </Stack>
      </form>
    </Entrance>
  );
}

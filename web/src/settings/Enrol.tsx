// Turning the second step on: the app gets the key, a code shows that it works, and the backup codes are kept.
import { Anchor, Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { account, type Enrolment } from "../api/accounts.ts";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "../ui/Callout.tsx";
import { CopyButton } from "../ui/CopyButton.tsx";
import { FormBody } from "../ui/FormBody.tsx";
import { useForm } from "../ui/form.ts";
import { useRefusalWords } from "../ui/refusals.ts";
import { QrCode } from "./QrCode.tsx";
import classes from "./SecondFactor.module.css";

const CODE_MAX_CHARACTERS = 10;

/** In groups of four, as people read it off. */
function keyIn(uri: string): string {
  const key = new URL(uri).searchParams.get("secret") ?? "";
  return key.replaceAll(/(.{4})(?=.)/g, "$1 ");
}

/** The codes, this once. Takes the focus, because what had it is gone. */
export function BackupCodes({ codes, onClose }: { codes: readonly string[]; onClose: () => void }) {
  const { t } = useTranslation();
  const title = useRef<HTMLParagraphElement>(null);
  useEffect(() => title.current?.focus(), []);
  return (
    <Stack>
      <Text fw={600} ref={title} tabIndex={-1} style={{ outline: "none" }}>
        {t("account.second.codesTitle")}
      </Text>
      <Text size="sm">{t("account.second.codesText")}</Text>
      <ul className={classes.codes} data-secret>
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <Callout tone="warn" text={t("account.second.codesOnce")} />
      <Group justify="space-between">
        <CopyButton full text={codes.join("\n")} what={t("account.second.codesWhat")} />
        <Button onClick={onClose}>{t("account.second.codesKept")}</Button>
      </Group>
    </Stack>
  );
}

function useCodeForm(onDone: () => unknown) {
  const { t } = useTranslation();
  return useForm({
    start: () => ({ code: "" }),
    fields: ["code"],
    mistakes: ({ code }) => (/^\s*\d{3}\s*\d{3}\s*$/.test(code) ? {} : { code: t("account.second.codeMistake") }),
    send: ({ code }) => account.verifyCode({ code }),
    done: onDone,
    words: useRefusalWords((code) =>
      code === "wrong_code"
        ? t("account.second.wrongCode")
        : code === "too_many_requests"
          ? t("account.tooOften")
          : undefined,
    ),
  });
}

interface EnrolProps {
  enrolment: Enrolment;
  onOn: () => Promise<void>;
  onClose: () => void;
}

export function Enrol({ enrolment: { totp_uri: uri, backup_codes: codes }, onOn, onClose }: EnrolProps) {
  const { t } = useTranslation();
  const [isOn, setIsOn] = useState(false);
  const form = useCodeForm(async () => {
    setIsOn(true);
    await onOn();
  });
  if (isOn) return <BackupCodes codes={codes} onClose={onClose} />;
  return (
    <FormBody form={form} action={t("account.second.turnOn")} onClose={onClose}>
      <ol className={classes.steps}>
        <li>
          <Text mb="xs">{t("account.second.scan")}</Text>
          <QrCode text={uri} label={t("account.second.qr")} />
          <Text size="sm" mt="xs">
            <Anchor href={uri}>{t("account.second.sameDevice")}</Anchor>
          </Text>
          <Text size="sm" mt="xs">
            {t("account.second.byHand")}{" "}
            <code className={classes.key} data-secret>
              {keyIn(uri)}
            </code>
          </Text>
        </li>
        <li>
          <TextInput
            label={t("account.second.codeLabel")}
            inputMode="numeric"
            autoComplete="one-time-code"
            maxLength={CODE_MAX_CHARACTERS}
            value={form.typed.code}
            error={form.errors.code}
            onChange={(event) => form.type({ code: event.currentTarget.value })}
          />
        </li>
      </ol>
    </FormBody>
  );
}

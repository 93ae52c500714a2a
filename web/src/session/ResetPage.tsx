// A new password, by a letter's link.
import { Button, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { account } from "../api/accounts.ts";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "../ui/Callout.tsx";
import { useForm } from "../ui/form.ts";
import { AnchorLink } from "../ui/links.tsx";
import { PASSWORD_MIN_CHARACTERS, PasswordField } from "../ui/PasswordField.tsx";
import { Entrance } from "./Entrance.tsx";
import { useEntranceWords } from "./ForgotPage.tsx";
import { dropToken, takeToken } from "./token.ts";

function NewPassword({ token, onDone }: { token: string; onDone: () => void }) {
  const { t } = useTranslation();
  const tooShort = t("account.passwordMistake", { min: PASSWORD_MIN_CHARACTERS });
  const form = useForm({
    start: () => ({ new_password: "" }),
    fields: ["new_password"],
    mistakes: ({ new_password: typed }) => (typed.length < PASSWORD_MIN_CHARACTERS ? { new_password: tooShort } : {}),
    send: ({ new_password }) => account.reset(token, new_password),
    done: onDone,
    words: useEntranceWords(),
    say: ({ code }) => (code === "too_small" ? tooShort : undefined),
  });
  return (
    <form ref={form.element} onSubmit={form.submit} noValidate>
      <Stack gap="md">
        <div role="alert">{form.errors.other !== undefined && <Callout tone="bad" text={form.errors.other} />}</div>
        <PasswordField
          label={t("account.newPassword")}
          description={t("account.passwordHint", { min: PASSWORD_MIN_CHARACTERS })}
          autoComplete="new-password"
          value={form.typed.new_password}
          error={form.errors.new_password}
          onType={(new_password) => form.type({ new_password })}
        />
        <Button type="submit" loading={form.isPending} fullWidth>
          {t("account.reset.submit")}
        </Button>
      </Stack>
    </form>
  );
}

export function ResetPage() {
  const { t } = useTranslation();
  const [token] = useState(() => takeToken("reset"));
  const [isDone, setIsDone] = useState(false);
  const done = () => {
    dropToken("reset");
    setIsDone(true);
  };
  const to = (path: "/sign-in" | "/forgot-password", words: string) => (
    <Text ta="center" mt="md">
      <AnchorLink to={path}>{words}</AnchorLink>
    </Text>
  );
  if (isDone) {
    return (
      <Entrance moved title={t("account.reset.done")} intro={t("account.reset.doneText")}>
        {to("/sign-in", t("account.backToSignIn"))}
      </Entrance>
    );
  }
  if (token === "") {
    return (
      <Entrance title={t("account.linkOverTitle")} intro={t("account.linkOver")}>
        {to("/forgot-password", t("account.forgot.again"))}
      </Entrance>
    );
  }
  return (
    <Entrance title={t("account.reset.title")} intro={t("account.reset.intro")}>
      <NewPassword token={token} onDone={done} />
      {to("/forgot-password", t("account.forgot.again"))}
    </Entrance>
  );
}

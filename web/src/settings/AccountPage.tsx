// One's own account: who one is, the password, and the second step of the sign-in. For everybody who is signed in.
import { Button, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import { account } from "../api/accounts.ts";
import { useTranslation } from "../i18n/words.ts";
import { useMe } from "../session/queries.ts";
import { Callout } from "../ui/Callout.tsx";
import { useForm } from "../ui/form.ts";
import { PageHeader } from "../ui/PageHeader.tsx";
import { PASSWORD_MIN_CHARACTERS, PasswordField } from "../ui/PasswordField.tsx";
import { useProblemWords } from "../ui/problem-words.ts";
import rows from "../ui/rows.module.css";
import classes from "./SecondFactor.module.css";
import { SecondFactor } from "./SecondFactor.tsx";

function usePasswordForm(onDone: () => void) {
  const { t } = useTranslation();
  const tooShort = t("account.passwordMistake", { min: PASSWORD_MIN_CHARACTERS });
  return useForm({
    start: () => ({ current_password: "", new_password: "" }),
    fields: ["current_password", "new_password"],
    mistakes: (typed) => ({
      ...(typed.current_password === "" && { current_password: t("shell.signIn.missingPassword") }),
      ...(typed.new_password.length < PASSWORD_MIN_CHARACTERS && { new_password: tooShort }),
    }),
    send: account.changePassword,
    done: onDone,
    words: useProblemWords(),
    say: ({ code }) =>
      code === "wrong_password" ? t("account.wrongPassword") : code === "too_small" ? tooShort : undefined,
  });
}

function Password() {
  const { t } = useTranslation();
  const [said, setSaid] = useState(false);
  const form = usePasswordForm(() => {
    form.clear();
    setSaid(true);
  });
  const type = (changes: Partial<typeof form.typed>) => {
    setSaid(false);
    form.type(changes);
  };
  return (
    <section className={classes.part} aria-labelledby="password">
      <Title order={2} id="password">
        {t("account.password.title")}
      </Title>
      <Text c="dimmed" mb="md">
        {t("account.password.intro")}
      </Text>
      <form ref={form.element} onSubmit={form.submit} noValidate>
        <Stack gap="md" align="stretch">
          <PasswordField
            label={t("account.password.current")}
            autoComplete="current-password"
            value={form.typed.current_password}
            error={form.errors.current_password}
            onType={(current_password) => type({ current_password })}
          />
          <PasswordField
            label={t("account.newPassword")}
            description={t("account.passwordHint", { min: PASSWORD_MIN_CHARACTERS })}
            autoComplete="new-password"
            value={form.typed.new_password}
            error={form.errors.new_password}
            onType={(new_password) => type({ new_password })}
          />
          <div role="status">{said && <Callout tone="good" text={t("account.password.done")} />}</div>
          <div role="alert">{form.errors.other !== undefined && <Callout tone="bad" text={form.errors.other} />}</div>
          <div>
            <Button type="submit" loading={form.isPending}>
              {t("account.password.submit")}
            </Button>
          </div>
        </Stack>
      </form>
    </section>
  );
}

/** See the head of this file. */
export function AccountPage() {
  const { t } = useTranslation();
  const { user, role, clinic } = useMe();
  const intro = t("account.intro", { email: user.email, role: t(`shell.role.${role}`), clinic: clinic.name });
  return (
    <>
      <PageHeader title={t("account.title")} intro={intro} />
      <div className={rows.sections}>
        <SecondFactor />
        <Password />
      </div>
    </>
  );
}

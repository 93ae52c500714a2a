// Asks for a letter with a link to a new password. What it says afterwards is the same for every address.
import { Button, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { account, type LetterAsked } from "../api/accounts.ts";
import { ProblemError } from "../api.ts";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "../ui/Callout.tsx";
import { useForm } from "../ui/form.ts";
import { AnchorLink } from "../ui/links.tsx";
import { useProblemWords } from "../ui/problem-words.ts";
import { Entrance } from "./Entrance.tsx";
import { useLanguage } from "./queries.ts";

const EMAIL_MAX_CHARACTERS = 254;

/** One sentence about a refusal before the sign-in; too many tries say what to do. */
export function useEntranceWords(): (error: unknown) => string {
  const { t } = useTranslation();
  const words = useProblemWords();
  return (error) => {
    if (error instanceof ProblemError && error.status === 429) return t("account.tooOften");
    if (error instanceof ProblemError && error.code === "link_over") return t("account.linkOver");
    return words(error);
  };
}

export function ForgotPage() {
  const { t } = useTranslation();
  const language = useLanguage();
  const [asked, setAsked] = useState<LetterAsked | null>(null);
  const form = useForm({
    start: () => ({ email: "" }),
    fields: ["email"],
    mistakes: ({ email }) => (/^[^\s@]+@[^\s@]+$/.test(email.trim()) ? {} : { email: t("shell.field.not_an_email") }),
    send: ({ email }) => account.askForReset(email.trim(), language),
    done: setAsked,
    words: useEntranceWords(),
  });
  const back = (
    <Text ta="center" mt="md">
      <AnchorLink to="/sign-in">{t("account.backToSignIn")}</AnchorLink>
    </Text>
  );
  if (asked !== null) {
    return (
      <Entrance
        moved
        title={t(asked.sends_letters ? "account.forgot.asked" : "account.forgot.noMail")}
        intro={t(asked.sends_letters ? "account.forgot.askedText" : "account.forgot.noMailText")}
      >
        {back}
      </Entrance>
    );
  }
  return (
    <Entrance title={t("account.forgot.title")} intro={t("account.forgot.intro")}>
      <form ref={form.element} onSubmit={form.submit} noValidate>
        <Stack gap="md">
          <div role="alert">{form.errors.other !== undefined && <Callout tone="bad" text={form.errors.other} />}</div>
          <TextInput
            label={t("shell.signIn.email")}
            type="email"
            name="email"
            autoComplete="username"
            maxLength={EMAIL_MAX_CHARACTERS}
            value={form.typed.email}
            error={form.errors.email}
            onChange={(event) => form.type({ email: event.currentTarget.value })}
          />
          <Button type="submit" loading={form.isPending} fullWidth>
            {t("account.forgot.send")}
          </Button>
        </Stack>
      </form>
      {back}
    </Entrance>
  );
}

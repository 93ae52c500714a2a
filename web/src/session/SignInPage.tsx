import { Anchor, Button, Paper, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import "@mantine/core/styles/PasswordInput.layer.css";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { ProblemError, session } from "../api.ts";
import { changeLanguage } from "../i18n/setup.ts";
import { Callout } from "../ui/Callout.tsx";
import { otherLanguage } from "../ui/LanguageButton.tsx";
import { Mark } from "../ui/Mark.tsx";
import { useLanguage } from "./queries.ts";
import { safeReturnPath } from "./redirect.ts";
import classes from "./SignInPage.module.css";

const route = getRouteApi("/sign-in");

function useFailureWords(error: unknown): string | null {
  const { t } = useTranslation();
  if (error === null) return null;
  if (!(error instanceof ProblemError)) return t("shell.signIn.otherProblem");
  if (error.status === 0) return t("shell.noConnection");
  if (error.status === 429) return t("shell.signIn.tooOften");
  const wrong = error.status === 400 || error.status === 401 || error.status === 422;
  return wrong ? t("shell.signIn.wrong") : t("shell.signIn.otherProblem");
}

function useSignIn() {
  const queryClient = useQueryClient();
  const router = useRouter();
  const { redirect } = route.useSearch();
  return useMutation({
    mutationFn: session.signIn,
    onSuccess: async () => {
      // Whatever another person left in memory must not be seen by this one.
      queryClient.clear();
      await router.navigate({ href: safeReturnPath(redirect), replace: true });
    },
  });
}

function useCredentials() {
  const [tried, setTried] = useState(false);
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const emailField = useRef<HTMLInputElement>(null);
  const passwordField = useRef<HTMLInputElement>(null);
  const signIn = useSignIn();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (email.trim() === "") emailField.current?.focus();
    else if (password === "") passwordField.current?.focus();
    else signIn.mutate({ email: email.trim(), password });
  };
  const missing = { email: tried && email.trim() === "", password: tried && password === "" };
  return { email, setEmail, emailField, password, setPassword, passwordField, signIn, submit, missing };
}

function SignInForm() {
  const { t } = useTranslation();
  const { email, setEmail, emailField, password, setPassword, passwordField, signIn, submit, missing } =
    useCredentials();
  const failure = useFailureWords(signIn.error);
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <div aria-live="polite">
          {failure !== null && <Callout tone="bad" title={t("shell.signIn.failed")} text={failure} />}
        </div>
        <TextInput
          ref={emailField}
          label={t("shell.signIn.email")}
          type="email"
          name="email"
          autoComplete="username"
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
          error={missing.email && t("shell.signIn.missingEmail")}
        />
        <PasswordInput
          ref={passwordField}
          label={t("shell.signIn.password")}
          name="password"
          autoComplete="current-password"
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          error={missing.password && t("shell.signIn.missingPassword")}
          visibilityToggleButtonProps={{ "aria-label": t("shell.signIn.showPassword"), tabIndex: 0 }}
        />
        <Button type="submit" loading={signIn.isPending} fullWidth>
          {t("shell.signIn.submit")}
        </Button>
      </Stack>
    </form>
  );
}

/** E-mail and password; leads back to the page that asked for them. */
export function SignInPage() {
  const { t } = useTranslation();
  const other = otherLanguage(useLanguage());
  return (
    <main className={classes.page}>
      <title>{`${t("shell.signIn.title")} · ${t("shell.product")}`}</title>
      <Stack gap="lg" className={classes.column}>
        <div className={classes.brand}>
          <Mark size={36} />
          <Text fw={650} fz="xl">
            {t("shell.product")}
          </Text>
        </div>
        <Paper withBorder radius="lg" p={{ base: "lg", sm: "xl" }} shadow="xs">
          <Title order={1} mb={4}>
            {t("shell.signIn.title")}
          </Title>
          <Text c="dimmed" mb="lg">
            {t("shell.signIn.intro")}
          </Text>
          <SignInForm />
        </Paper>
        <Text ta="center">
          <Anchor component="button" type="button" lang={other.language} onClick={() => changeLanguage(other.language)}>
            {other.name}
          </Anchor>
        </Text>
      </Stack>
    </main>
  );
}

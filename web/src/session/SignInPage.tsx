import { Button, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { type FormEvent, useRef, useState } from "react";
import { ProblemError, session } from "../api.ts";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "../ui/Callout.tsx";
import { AnchorLink } from "../ui/links.tsx";
import { PasswordField } from "../ui/PasswordField.tsx";
import { Entrance } from "./Entrance.tsx";
import { meQuery } from "./queries.ts";
import { safeReturnPath } from "./redirect.ts";
import { SecondStep } from "./SecondStep.tsx";

const route = getRouteApi("/sign-in");

/** Signed in, but with no clinic to go to. */
class NoClinicError extends Error {}

function useFailureWords(error: unknown): string | null {
  const { t } = useTranslation();
  if (error === null) return null;
  if (error instanceof NoClinicError) return t("shell.signIn.noClinic");
  if (!(error instanceof ProblemError)) return t("shell.signIn.otherProblem");
  if (error.status === 0) return t("shell.noConnection");
  if (error.status === 429) return t("shell.signIn.tooOften");
  const wrong = error.status === 400 || error.status === 401 || error.status === 422;
  return wrong ? t("shell.signIn.wrong") : t("shell.signIn.otherProblem");
}

/** To the page that asked for the sign-in, once it is known that there is a clinic to show. */
function useArrival() {
  const queryClient = useQueryClient();
  const router = useRouter();
  const { redirect } = route.useSearch();
  return async () => {
    // Whatever another person left in memory must not be seen by this one.
    queryClient.clear();
    const wanted = safeReturnPath(redirect);
    if (!wanted.startsWith("/invitation")) {
      await queryClient.fetchQuery(meQuery).catch((error: unknown) => {
        throw error instanceof ProblemError && error.status === 401 ? new NoClinicError() : error;
      });
    }
    await router.navigate({ href: wanted, replace: true });
  };
}

function useCredentials(onSecondStep: () => void) {
  const [tried, setTried] = useState(false);
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const emailField = useRef<HTMLInputElement>(null);
  const passwordField = useRef<HTMLInputElement>(null);
  const arrive = useArrival();
  const signIn = useMutation({
    mutationFn: async (credentials: { email: string; password: string }) => {
      const { two_factor_redirect: asksForCode } = await session.signIn(credentials);
      if (asksForCode) onSecondStep();
      else await arrive();
    },
  });
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

function SignInForm({ onSecondStep }: { onSecondStep: () => void }) {
  const { t } = useTranslation();
  const { email, setEmail, emailField, password, setPassword, passwordField, signIn, submit, missing } =
    useCredentials(onSecondStep);
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
        <PasswordField
          ref={passwordField}
          label={t("shell.signIn.password")}
          name="password"
          autoComplete="current-password"
          value={password}
          onType={setPassword}
          error={missing.password && t("shell.signIn.missingPassword")}
        />
        <Button type="submit" loading={signIn.isPending} fullWidth>
          {t("shell.signIn.submit")}
        </Button>
        <Text ta="center">
          <AnchorLink to="/forgot-password">{t("shell.signIn.forgot")}</AnchorLink>
        </Text>
      </Stack>
    </form>
  );
}

/** E-mail and password, and a code where the account asks for one; leads back to the page that asked for them. */
export function SignInPage() {
  const { t } = useTranslation();
  const [isSecond, setIsSecond] = useState(false);
  const arrive = useArrival();
  if (isSecond) return <SecondStep onDone={arrive} onAgain={() => setIsSecond(false)} />;
  return (
    <Entrance title={t("shell.signIn.title")} intro={t("shell.signIn.intro")}>
      <SignInForm onSecondStep={() => setIsSecond(true)} />
    </Entrance>
  );
}

// A clinic's public sign-up page, for patients. Nobody is signed in here and nobody will be: it only asks for an account.
// What it says afterwards is the same whether or not the e-mail had one, so that nobody can find out who is a patient.
import { Anchor, Paper, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import "@mantine/core/styles/PasswordInput.layer.css";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { portal } from "../api/portal.ts";
import { ProblemError } from "../api.ts";
import { changeLanguage } from "../i18n/setup.ts";
import { useLanguage } from "../session/queries.ts";
import { Callout } from "../ui/Callout.tsx";
import { useForm } from "../ui/form.ts";
import { otherLanguage } from "../ui/LanguageButton.tsx";
import { PendingButton } from "../ui/PendingButton.tsx";
import { useProblemWords } from "../ui/problem-words.ts";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";
import classes from "./PortalPage.module.css";
import { PASSWORD_MAX_CHARACTERS, PASSWORD_MIN_CHARACTERS, signUpMistakes } from "./sign-up.ts";

const route = getRouteApi("/portal/$portalName");
const NAME_MAX_CHARACTERS = 200;
const EMAIL_MAX_CHARACTERS = 254;

/** Read once: whether the clinic has such a page does not change under somebody's hands. */
function useClinic() {
  const { portalName } = route.useParams();
  const query = useQuery({
    queryKey: ["portal", portalName],
    queryFn: ({ signal }) => portal.clinic(portalName, signal),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  return { portalName, query };
}

/** The page begins in the clinic's language; a choice made here holds for this visit only. */
function useClinicLanguage(locale: "en" | "fr-CA" | undefined): void {
  useEffect(() => {
    if (locale !== undefined) void changeLanguage(locale, { remember: false });
  }, [locale]);
}

function useFailureWords(): (error: unknown) => string {
  const { t } = useTranslation();
  const words = useProblemWords();
  return (error) => (error instanceof ProblemError && error.status === 429 ? t("portal.tooOften") : words(error));
}

function useSignUp(portalName: string, onDone: () => void) {
  const { t } = useTranslation();
  return useForm({
    start: () => ({ name: "", email: "", password: "" }),
    fields: ["name", "email", "password"],
    mistakes: (typed) => {
      const found = Object.entries(signUpMistakes(typed));
      const say = ([field, mistake]: (typeof found)[number]) => [
        field,
        t(`portal.mistake.${mistake}`, { min: PASSWORD_MIN_CHARACTERS }),
      ];
      return Object.fromEntries(found.map(say));
    },
    send: ({ name, email, password }) =>
      portal.signUp(portalName, { name: name.trim(), email: email.trim(), password }),
    done: onDone,
    words: useFailureWords(),
  });
}

type Form = ReturnType<typeof useSignUp>;

function Fields({ form: { typed, type, errors } }: { form: Form }) {
  const { t } = useTranslation();
  return (
    <>
      <TextInput
        label={t("portal.name")}
        name="name"
        autoComplete="name"
        value={typed.name}
        maxLength={NAME_MAX_CHARACTERS}
        error={errors.name}
        onChange={(event) => type({ name: event.currentTarget.value })}
      />
      <TextInput
        label={t("portal.email")}
        type="email"
        name="email"
        autoComplete="email"
        value={typed.email}
        maxLength={EMAIL_MAX_CHARACTERS}
        error={errors.email}
        onChange={(event) => type({ email: event.currentTarget.value })}
      />
      <PasswordInput
        label={t("portal.password")}
        description={t("portal.passwordHint", { min: PASSWORD_MIN_CHARACTERS })}
        name="password"
        autoComplete="new-password"
        value={typed.password}
        maxLength={PASSWORD_MAX_CHARACTERS}
        error={errors.password}
        onChange={(event) => type({ password: event.currentTarget.value })}
        visibilityToggleButtonProps={{ "aria-label": t("portal.showPassword"), tabIndex: 0 }}
      />
    </>
  );
}

function SignUp({ clinic, portalName, onDone }: { clinic: string; portalName: string; onDone: () => void }) {
  const { t } = useTranslation();
  const form = useSignUp(portalName, onDone);
  return (
    <>
      <Title order={1} mb={4}>
        {t("portal.title")}
      </Title>
      <Text c="dimmed" mb="lg">
        {t("portal.intro", { clinic })}
      </Text>
      <form ref={form.element} onSubmit={form.submit} noValidate>
        <Stack gap="md">
          <div role="alert">
            {form.errors.other !== undefined && (
              <Callout tone="bad" title={t("portal.failed")} text={form.errors.other} />
            )}
          </div>
          <Fields form={form} />
          <PendingButton type="submit" pending={form.isPending} fullWidth>
            {t("portal.submit")}
          </PendingButton>
          <Text size="sm" c="dimmed">
            {t("portal.privacy", { clinic })}
          </Text>
        </Stack>
      </form>
    </>
  );
}

/** Takes the focus, because the form that had it is gone. */
function Received({ clinic }: { clinic: string }) {
  const { t } = useTranslation();
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []);
  return (
    <Stack role="status">
      <Title order={1} ref={title} tabIndex={-1} className={classes.title}>
        {t("portal.done")}
      </Title>
      <Text>{t("portal.doneText")}</Text>
      <Text c="dimmed">{t("portal.doneNext", { clinic })}</Text>
    </Stack>
  );
}

function Frame({ clinic, children }: { clinic: string | undefined; children: ReactNode }) {
  const { t } = useTranslation();
  const other = otherLanguage(useLanguage());
  return (
    <main className={classes.page}>
      <title>{clinic === undefined ? t("portal.title") : `${t("portal.title")} · ${clinic}`}</title>
      <div className={classes.column}>
        {clinic !== undefined && (
          <Text component="p" className={classes.clinic}>
            {clinic}
          </Text>
        )}
        <Paper withBorder radius="lg" p={{ base: "lg", sm: "xl" }} shadow="xs">
          {children}
        </Paper>
        <Text ta="center">
          <Anchor
            component="button"
            type="button"
            lang={other.language}
            onClick={() => changeLanguage(other.language, { remember: false })}
          >
            {other.name}
          </Anchor>
        </Text>
      </div>
    </main>
  );
}

function isUnknown(error: unknown): boolean {
  return error instanceof ProblemError && error.status === 404;
}

/** See the head of this file. */
export function PortalPage() {
  const { t } = useTranslation();
  const { portalName, query } = useClinic();
  const [isDone, setIsDone] = useState(false);
  const clinic = query.data?.clinic;
  useClinicLanguage(clinic?.locale);
  return (
    <Frame clinic={clinic?.name}>
      {clinic !== undefined ? (
        isDone ? (
          <Received clinic={clinic.name} />
        ) : (
          <SignUp clinic={clinic.name} portalName={portalName} onDone={() => setIsDone(true)} />
        )
      ) : query.isPending ? (
        <LoadingRows rows={4} />
      ) : isUnknown(query.error) ? (
        <>
          <Title order={1} mb="xs">
            {t("portal.notFound")}
          </Title>
          <Text>{t("portal.notFoundText")}</Text>
        </>
      ) : (
        <LoadFailed error={query.error} retry={() => query.refetch()} />
      )}
    </Frame>
  );
}

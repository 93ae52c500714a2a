// A clinic's public sign-up page, for patients. It only asks for an account; signing in is on the pages beside it.
// What it says afterwards is the same whether or not the e-mail had one, so that nobody can find out who is a patient.
import { Button, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import "@mantine/core/styles/PasswordInput.layer.css";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { portal, type Received } from "../api/portal.ts";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "../ui/Callout.tsx";
import { useForm } from "../ui/form.ts";
import { AnchorLink } from "../ui/links.tsx";
import { PASSWORD_MAX_CHARACTERS, PASSWORD_MIN_CHARACTERS } from "../ui/PasswordField.tsx";
import { MovedTitle, PortalFrame, usePortalWords } from "./PortalFrame.tsx";
import { signUpMistakes } from "./sign-up.ts";
import { stepLink } from "./steps.ts";

const route = getRouteApi("/portal/$portalName");
const NAME_MAX_CHARACTERS = 200;
const EMAIL_MAX_CHARACTERS = 254;

function useSignUp(portalName: string, onDone: (received: Received) => void) {
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
    words: usePortalWords(),
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

function SignUp({
  clinic,
  portalName,
  onDone,
}: {
  clinic: string;
  portalName: string;
  onDone: (received: Received) => void;
}) {
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
          <Button type="submit" loading={form.isPending} fullWidth>
            {t("portal.submit")}
          </Button>
          <Text size="sm" c="dimmed">
            {t("portal.privacy", { clinic })}
          </Text>
          <AnchorLink {...stepLink(portalName, "sign-in")}>{t("portal.haveAccount")}</AnchorLink>
        </Stack>
      </form>
    </>
  );
}

function Thanks({ clinic, sendsLetters }: { clinic: string; sendsLetters: boolean }) {
  const { t } = useTranslation();
  return (
    <Stack role="status">
      <MovedTitle>{t("portal.done")}</MovedTitle>
      <Text>{t(sendsLetters ? "portal.doneText" : "portal.doneNoMail", { clinic })}</Text>
      <Text c="dimmed">{t("portal.doneNext", { clinic })}</Text>
    </Stack>
  );
}

/** See the head of this file. */
export function PortalPage() {
  const { t } = useTranslation();
  const { portalName } = route.useParams();
  const [done, setDone] = useState<Received | null>(null);
  return (
    <PortalFrame title={t("portal.title")} portalName={portalName}>
      {({ name }) =>
        done === null ? (
          <SignUp clinic={name} portalName={portalName} onDone={setDone} />
        ) : (
          <Thanks clinic={name} sendsLetters={done.sends_letters} />
        )
      }
    </PortalFrame>
  );
}

// The small forms of a portal: e-mail and password, a password for a letter's link, an e-mail to write to.
import { Button, Stack, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import type { Received } from "../api/portal.ts";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "../ui/Callout.tsx";
import { useForm } from "../ui/form.ts";
import { PASSWORD_MIN_CHARACTERS, PasswordField } from "../ui/PasswordField.tsx";
import { usePortalWords } from "./PortalFrame.tsx";

const EMAIL_MAX_CHARACTERS = 254;
const EMAIL = /^[^\s@]+@[^\s@]+$/;

type Frame = Pick<ReturnType<typeof useForm>, "element" | "submit" | "errors" | "isPending">;

function Body({ form, action, children }: { form: Frame; action: string; children: ReactNode }) {
  return (
    <form ref={form.element} onSubmit={form.submit} noValidate>
      <Stack gap="md">
        <div role="alert">{form.errors.other !== undefined && <Callout tone="bad" text={form.errors.other} />}</div>
        {children}
        <Button type="submit" loading={form.isPending} fullWidth>
          {action}
        </Button>
      </Stack>
    </form>
  );
}

function EmailField({
  value,
  error,
  onType,
}: {
  value: string;
  error: string | undefined;
  onType: (text: string) => void;
}) {
  const { t } = useTranslation();
  return (
    <TextInput
      label={t("portal.email")}
      type="email"
      name="email"
      autoComplete="username"
      maxLength={EMAIL_MAX_CHARACTERS}
      value={value}
      error={error}
      onChange={(event) => onType(event.currentTarget.value)}
    />
  );
}

interface SignInProps {
  send: (typed: { email: string; password: string }) => Promise<unknown>;
  onDone: () => Promise<void>;
}

export function SignInForm({ send, onDone }: SignInProps) {
  const { t } = useTranslation();
  const form = useForm({
    start: () => ({ email: "", password: "" }),
    fields: ["email", "password"],
    mistakes: ({ email, password }) => ({
      ...(!EMAIL.test(email.trim()) && { email: t("portal.mistake.email") }),
      ...(password === "" && { password: t("portal.mistake.noPassword") }),
    }),
    send: ({ email, password }) => send({ email: email.trim(), password }),
    done: onDone,
    words: usePortalWords(),
  });
  return (
    <Body form={form} action={t("portal.signIn.submit")}>
      <EmailField value={form.typed.email} error={form.errors.email} onType={(email) => form.type({ email })} />
      <PasswordField
        label={t("portal.password")}
        autoComplete="current-password"
        value={form.typed.password}
        error={form.errors.password}
        onType={(password) => form.type({ password })}
      />
    </Body>
  );
}

interface LinkProps {
  action: string;
  /** A new password rather than the one that was chosen before. */
  isNew?: boolean;
  send: (password: string) => Promise<unknown>;
  onDone: () => unknown;
}

export function LinkForm({ action, isNew = false, send, onDone }: LinkProps) {
  const { t } = useTranslation();
  const mistake = isNew
    ? t("portal.mistake.password", { min: PASSWORD_MIN_CHARACTERS })
    : t("portal.mistake.noPassword");
  const form = useForm({
    start: () => ({ password: "" }),
    fields: ["password"],
    mistakes: ({ password }) => (password.length < (isNew ? PASSWORD_MIN_CHARACTERS : 1) ? { password: mistake } : {}),
    send: ({ password }) => send(password),
    done: onDone,
    words: usePortalWords(),
    say: ({ code }) => (code === "too_small" ? mistake : undefined),
  });
  return (
    <Body form={form} action={action}>
      <PasswordField
        label={t(isNew ? "portal.reset.password" : "portal.password")}
        description={isNew && t("portal.passwordHint", { min: PASSWORD_MIN_CHARACTERS })}
        autoComplete={isNew ? "new-password" : "current-password"}
        value={form.typed.password}
        error={form.errors.password}
        onType={(password) => form.type({ password })}
      />
    </Body>
  );
}

export function ForgotForm({
  send,
  onDone,
}: {
  send: (email: string) => Promise<Received>;
  onDone: (received: Received) => unknown;
}) {
  const { t } = useTranslation();
  const form = useForm({
    start: () => ({ email: "" }),
    fields: ["email"],
    mistakes: ({ email }) => (EMAIL.test(email.trim()) ? {} : { email: t("portal.mistake.email") }),
    send: ({ email }) => send(email.trim()),
    done: onDone,
    words: usePortalWords(),
  });
  return (
    <Body form={form} action={t("portal.send")}>
      <EmailField value={form.typed.email} error={form.errors.email} onType={(email) => form.type({ email })} />
    </Body>
  );
}

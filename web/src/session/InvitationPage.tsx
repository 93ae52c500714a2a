// Following an invitation: somebody new chooses a name and a password; a known person signs in first, then accepts.
import { Button, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { account, type FoundInvitation, invitation } from "../api/accounts.ts";
import { ProblemError, session } from "../api.ts";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "../ui/Callout.tsx";
import { useForm } from "../ui/form.ts";
import { AnchorLink, ButtonLink } from "../ui/links.tsx";
import { PASSWORD_MIN_CHARACTERS, PasswordField } from "../ui/PasswordField.tsx";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";
import { Entrance } from "./Entrance.tsx";
import { useEntranceWords } from "./ForgotPage.tsx";
import { dropToken, takeToken } from "./token.ts";

const LINK = "invitation";
const NAME_MAX_CHARACTERS = 200;

/** To the schedule of the clinic, with nothing in memory of what was seen before. */
function useArrival() {
  const queryClient = useQueryClient();
  const router = useRouter();
  return async () => {
    dropToken(LINK);
    queryClient.clear();
    await router.navigate({ to: "/schedule", replace: true });
  };
}

function Newcomer({ token, email }: { token: string; email: string }) {
  const { t } = useTranslation();
  const arrive = useArrival();
  const tooShort = t("account.passwordMistake", { min: PASSWORD_MIN_CHARACTERS });
  const form = useForm({
    start: () => ({ name: "", password: "" }),
    fields: ["name", "password"],
    mistakes: ({ name, password }) => ({
      ...(name.trim() === "" && { name: t("portal.mistake.name") }),
      ...(password.length < PASSWORD_MIN_CHARACTERS && { password: tooShort }),
    }),
    send: async ({ name, password }) => {
      await invitation.accept({ token, name: name.trim(), password });
      await session.signIn({ email, password });
    },
    done: arrive,
    words: useEntranceWords(),
    say: ({ field, code }) => (field === "password" && code === "too_small" ? tooShort : undefined),
  });
  return (
    <form ref={form.element} onSubmit={form.submit} noValidate>
      <Stack gap="md">
        <div role="alert">{form.errors.other !== undefined && <Callout tone="bad" text={form.errors.other} />}</div>
        <TextInput label={t("shell.signIn.email")} type="email" autoComplete="username" value={email} readOnly />
        <TextInput
          label={t("portal.name")}
          autoComplete="name"
          maxLength={NAME_MAX_CHARACTERS}
          value={form.typed.name}
          error={form.errors.name}
          onChange={(event) => form.type({ name: event.currentTarget.value })}
        />
        <PasswordField
          label={t("shell.signIn.password")}
          description={t("account.passwordHint", { min: PASSWORD_MIN_CHARACTERS })}
          autoComplete="new-password"
          value={form.typed.password}
          error={form.errors.password}
          onType={(password) => form.type({ password })}
        />
        <Button type="submit" loading={form.isPending} fullWidth>
          {t("account.invitation.create")}
        </Button>
      </Stack>
    </form>
  );
}

function Known({ token, found }: { token: string; found: FoundInvitation }) {
  const { t } = useTranslation();
  const arrive = useArrival();
  const words = useEntranceWords();
  const accept = useMutation({
    mutationFn: async () => {
      const { clinic_id: clinicId } = await invitation.accept({ token });
      await account.switchClinic(clinicId);
      await arrive();
    },
  });
  return (
    <Stack gap="md">
      <div role="alert">{accept.error !== null && <Callout tone="bad" text={words(accept.error)} />}</div>
      <Text>{t("account.invitation.signedIn", { email: found.email })}</Text>
      <Button loading={accept.isPending} onClick={() => accept.mutate()} fullWidth>
        {t("account.invitation.accept", { clinic: found.clinic.name })}
      </Button>
    </Stack>
  );
}

/** Whoever has an account, and is not signed in with it. */
function SignInFirst({ found, onSignedOut }: { found: FoundInvitation; onSignedOut: () => unknown }) {
  const { t } = useTranslation();
  const signOut = useMutation({ mutationFn: session.signOut, onSuccess: onSignedOut });
  if (found.signed_in_as !== null) {
    return (
      <Stack gap="md">
        <Text>{t("account.invitation.otherPerson", { email: found.email, other: found.signed_in_as })}</Text>
        <Button loading={signOut.isPending} onClick={() => signOut.mutate()} fullWidth>
          {t("shell.signOut")}
        </Button>
      </Stack>
    );
  }
  return (
    <Stack gap="md">
      <Text>{t("account.invitation.signIn", { email: found.email })}</Text>
      <ButtonLink to="/sign-in" search={{ redirect: "/invitation" }} fullWidth>
        {t("shell.signIn.submit")}
      </ButtonLink>
    </Stack>
  );
}

export function InvitationPage() {
  const { t } = useTranslation();
  const [token] = useState(() => takeToken(LINK));
  const query = useQuery({
    queryKey: ["invitation", token],
    queryFn: ({ signal }) => invitation.look(token, signal),
    enabled: token !== "",
    retry: false,
  });
  const found = query.data;
  const isOver = token === "" || (query.error instanceof ProblemError && query.error.status === 404);
  if (isOver) {
    return (
      <Entrance title={t("account.linkOverTitle")} intro={t("account.invitation.over")}>
        <Text ta="center" mt="md">
          <AnchorLink to="/sign-in">{t("account.backToSignIn")}</AnchorLink>
        </Text>
      </Entrance>
    );
  }
  if (found === undefined) {
    return (
      <Entrance title={t("account.invitation.title")}>
        {query.isError ? <LoadFailed error={query.error} retry={() => query.refetch()} /> : <LoadingRows rows={3} />}
      </Entrance>
    );
  }
  const intro = t("account.invitation.intro", { clinic: found.clinic.name, role: t(`shell.role.${found.role}`) });
  const isSignedIn = found.signed_in_as?.toLowerCase() === found.email;
  return (
    <Entrance title={t("account.invitation.title")} intro={intro}>
      {isSignedIn ? (
        <Known token={token} found={found} />
      ) : found.has_account || found.signed_in_as !== null ? (
        <SignInFirst found={found} onSignedOut={() => query.refetch()} />
      ) : (
        <Newcomer token={token} email={found.email} />
      )}
    </Entrance>
  );
}

// What a patient with an account does on the portal: sign in, confirm the e-mail, choose a new password, see what is ahead.
import { Stack, Text, Title } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { portal } from "../api/portal.ts";
import { useTranslation } from "../i18n/words.ts";
import { dropToken, takeToken } from "../session/token.ts";
import { AnchorLink } from "../ui/links.tsx";
import { NotFound } from "../ui/NotFound.tsx";
import { ForgotForm, LinkForm, SignInForm } from "./forms.tsx";
import { OwnPage } from "./OwnPage.tsx";
import { MovedTitle, PortalFrame } from "./PortalFrame.tsx";
import { STEPS, type Step, stepLink } from "./steps.ts";

const route = getRouteApi("/portal/$portalName/$step");

interface StepProps {
  clinic: string;
  portalName: string;
}

/** To one's own page, with nothing in memory of whoever was here before. */
function useArrival(portalName: string) {
  const queryClient = useQueryClient();
  const router = useRouter();
  return async () => {
    queryClient.removeQueries({ queryKey: ["portal-own"] });
    await router.navigate({ ...stepLink(portalName, "home"), replace: true });
  };
}

function Ways({ portalName, to }: { portalName: string; to: readonly ("sign-in" | "forgot" | "sign-up")[] }) {
  const { t } = useTranslation();
  return (
    <Stack gap="xs" mt="md">
      {to.map((way) =>
        way === "sign-up" ? (
          <AnchorLink key={way} to="/portal/$portalName" params={{ portalName }}>
            {t("portal.noAccount")}
          </AnchorLink>
        ) : (
          <AnchorLink key={way} {...stepLink(portalName, way)}>
            {t(way === "forgot" ? "portal.forgot" : "portal.toSignIn")}
          </AnchorLink>
        ),
      )}
    </Stack>
  );
}

function SignInStep({ clinic, portalName }: StepProps) {
  const { t } = useTranslation();
  const arrive = useArrival(portalName);
  return (
    <>
      <Title order={1} mb={4}>
        {t("portal.signIn.title")}
      </Title>
      <Text c="dimmed" mb="lg">
        {t("portal.intro", { clinic })}
      </Text>
      <SignInForm send={(typed) => portal.signIn(portalName, typed)} onDone={arrive} />
      <Ways portalName={portalName} to={["forgot", "sign-up"]} />
    </>
  );
}

function ConfirmStep({ clinic, portalName }: StepProps) {
  const { t } = useTranslation();
  const arrive = useArrival(portalName);
  const [token] = useState(() => takeToken("portal-confirm"));
  const done = async () => {
    dropToken("portal-confirm");
    await arrive();
  };
  if (token === "") return <Over portalName={portalName} />;
  return (
    <>
      <Title order={1} mb={4}>
        {t("portal.confirm.title")}
      </Title>
      <Text c="dimmed" mb="lg">
        {t("portal.confirm.intro", { clinic })}
      </Text>
      <LinkForm
        action={t("portal.confirm.submit")}
        send={(password) => portal.confirm(portalName, { token, password })}
        onDone={done}
      />
      <Ways portalName={portalName} to={["forgot"]} />
    </>
  );
}

function ForgotStep({ clinic, portalName }: StepProps) {
  const { t } = useTranslation();
  const [sendsLetters, setSendsLetters] = useState<boolean | null>(null);
  if (sendsLetters !== null) {
    return (
      <Stack role="status">
        <MovedTitle>{t(sendsLetters ? "portal.asked.title" : "portal.asked.noMail")}</MovedTitle>
        <Text>{t(sendsLetters ? "portal.asked.text" : "portal.asked.noMailText", { clinic })}</Text>
        <Ways portalName={portalName} to={["sign-in"]} />
      </Stack>
    );
  }
  return (
    <>
      <Title order={1} mb={4}>
        {t("portal.forgotTitle")}
      </Title>
      <Text c="dimmed" mb="lg">
        {t("portal.forgotIntro")}
      </Text>
      <ForgotForm
        send={(email) => portal.askForReset(portalName, email)}
        onDone={({ sends_letters: sends }) => setSendsLetters(sends)}
      />
      <Ways portalName={portalName} to={["sign-in"]} />
    </>
  );
}

function ResetStep({ portalName }: StepProps) {
  const { t } = useTranslation();
  const [token] = useState(() => takeToken("portal-reset"));
  const [isDone, setIsDone] = useState(false);
  const done = () => {
    dropToken("portal-reset");
    setIsDone(true);
  };
  if (isDone) {
    return (
      <Stack role="status">
        <MovedTitle>{t("portal.reset.done")}</MovedTitle>
        <Ways portalName={portalName} to={["sign-in"]} />
      </Stack>
    );
  }
  if (token === "") return <Over portalName={portalName} />;
  return (
    <>
      <Title order={1} mb="lg">
        {t("portal.reset.title")}
      </Title>
      <LinkForm
        isNew
        action={t("portal.reset.submit")}
        send={(password) => portal.reset(portalName, { token, password })}
        onDone={done}
      />
      <Ways portalName={portalName} to={["forgot"]} />
    </>
  );
}

function Over({ portalName }: { portalName: string }) {
  const { t } = useTranslation();
  return (
    <>
      <Title order={1} mb={4}>
        {t("portal.linkOverTitle")}
      </Title>
      <Text>{t("portal.linkOver")}</Text>
      <Ways portalName={portalName} to={["forgot", "sign-in"]} />
    </>
  );
}

const PAGES = { "sign-in": SignInStep, confirm: ConfirmStep, forgot: ForgotStep, reset: ResetStep, home: OwnPage };
const TITLES = {
  "sign-in": "portal.signIn.title",
  confirm: "portal.confirm.title",
  forgot: "portal.forgotTitle",
  reset: "portal.reset.title",
  home: "portal.own.title",
} as const satisfies Record<Step, string>;

/** See the head of this file. */
export function PortalStepPage() {
  const { t } = useTranslation();
  const { portalName, step } = route.useParams();
  const known = STEPS.find((one) => one === step);
  if (known === undefined) return <NotFound />;
  const Page = PAGES[known];
  return (
    <PortalFrame title={t(TITLES[known])} portalName={portalName}>
      {({ name }) => <Page key={known} clinic={name} portalName={portalName} />}
    </PortalFrame>
  );
}

import { Button, Text, TextInput } from "@mantine/core";
import IconInbox from "@tabler/icons-react/dist/esm/icons/IconInbox.mjs";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { webhooks } from "../api.ts";
import { useTranslation } from "../i18n/words.ts";
import { inboxQuery } from "../inbox/queries.ts";
import { Callout } from "../ui/Callout.tsx";
import { LimitedInput } from "../ui/LimitedInput.tsx";
import { useFieldWords, useProblemWords } from "../ui/problem-words.ts";
import { completeUrl, NAME_MAX_CHARACTERS } from "./draft.ts";
import { type Form, fieldId } from "./form.ts";
import { Section } from "./Section.tsx";
import classes from "./Where.module.css";

/** Services that we know, each with the one thing that goes wrong most often there. */
const TIPS = ["zapier", "make", "n8n", "n8n_test", "slack", "power_automate", "google_script"] as const;

/** Asks the server about an address once for each text; it looks the address up and sends nothing there. */
function useUrlCheck() {
  const asked = useRef("");
  const check = useMutation({ mutationFn: webhooks.checkUrl });
  const ask = (url: string) => {
    if (url === asked.current) return;
    asked.current = url;
    if (url === "") check.reset();
    else check.mutate(url);
  };
  return { check, ask };
}

function Verdict({ check }: { check: ReturnType<typeof useUrlCheck>["check"] }) {
  const { t } = useTranslation();
  const words = useProblemWords();
  const fieldWords = useFieldWords();
  if (check.isPending) return <Callout tone="calm" text={t("webhooks.where.checking")} />;
  if (check.isError) return <Callout tone="warn" text={words(check.error)} />;
  if (check.data === undefined) {
    return (
      <Text size="sm" c="dimmed">
        {t("webhooks.where.idle")}
      </Text>
    );
  }
  if (!check.data.ok) return <Callout tone="bad" text={fieldWords(check.data)} />;
  const { host, known_host } = check.data;
  const known = TIPS.find((name) => name === known_host);
  if (known === undefined) return <Callout tone="good" text={t("webhooks.where.fine", { host })} />;
  return (
    <Callout
      tone={known === "n8n_test" || known === "slack" ? "warn" : "good"}
      title={t("webhooks.where.known", { host, known_host })}
      text={t(`webhooks.where.tip.${known}`)}
    />
  );
}

/** Puts the test inbox's address in, and its name where there is none yet. */
function useInboxAddress({ draft, change }: Form, ask: (url: string) => void) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () => queryClient.fetchQuery(inboxQuery),
    onSuccess: ({ url }) => {
      change({ url, name: draft.name === "" ? t("webhooks.where.inboxName") : draft.name });
      ask(url);
    },
  });
}

/** The first thing to type. Not while somebody is choosing above which webhook this is about. */
function useFirstFocus(): void {
  useEffect(() => {
    if (!(document.activeElement instanceof HTMLSelectElement)) document.getElementById(fieldId("url"))?.focus();
  }, []);
}

function Address({ form, ask }: { form: Form; ask: (url: string) => void }) {
  const { t } = useTranslation();
  const words = useProblemWords();
  const { draft, change, errors } = form;
  const fill = useInboxAddress(form, ask);
  useFirstFocus();
  const leave = () => {
    const url = completeUrl(draft.url);
    if (url !== draft.url) change({ url });
    ask(url);
  };
  return (
    <div className={classes.address}>
      <TextInput
        id={fieldId("url")}
        className={classes.grow}
        label={t("webhooks.where.address")}
        placeholder="https://"
        type="url"
        inputMode="url"
        autoComplete="off"
        spellCheck={false}
        data-autofocus
        value={draft.url}
        error={errors.url ?? (fill.isError && words(fill.error))}
        onChange={(event) => change({ url: event.currentTarget.value })}
        onBlur={leave}
      />
      <Button
        variant="default"
        leftSection={<IconInbox size={16} aria-hidden="true" />}
        loading={fill.isPending}
        onClick={() => fill.mutate()}
      >
        {t("webhooks.where.useInbox")}
      </Button>
    </div>
  );
}

/** Where: the address, looked up when the field is left, and a name. */
export function Where({ form }: { form: Form }) {
  const { t } = useTranslation();
  const { draft, change, errors } = form;
  const { check, ask } = useUrlCheck();
  return (
    <Section number={1} title={t("webhooks.where.title")} text={t("webhooks.where.text")}>
      <Address form={form} ask={ask} />
      <div aria-live="polite" className={classes.verdict}>
        {errors.url === undefined && <Verdict check={check} />}
      </div>
      <LimitedInput
        id={fieldId("name")}
        label={t("webhooks.where.name")}
        description={t("webhooks.where.nameText")}
        max={NAME_MAX_CHARACTERS}
        value={draft.name}
        error={errors.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
      />
    </Section>
  );
}

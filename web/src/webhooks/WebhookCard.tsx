import { Button, Group, Paper, Switch, Text, Title, VisuallyHidden } from "@mantine/core";
import "../ui/switch.css";
import { EVENTS, eventDefinition } from "@hookwell/sdk";
import IconPencil from "@tabler/icons-react/dist/esm/icons/IconPencil.mjs";
import IconTrash from "@tabler/icons-react/dist/esm/icons/IconTrash.mjs";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { webhooks as api } from "../api.ts";
import type { Webhook } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { useLanguage, useMay } from "../session/queries.ts";
import { Callout } from "../ui/Callout.tsx";
import { ButtonLink } from "../ui/links.tsx";
import { useProblemWords } from "../ui/problem-words.ts";
import { QuietLine } from "../ui/QuietLine.tsx";
import { StateBadge } from "../ui/StateBadge.tsx";
import { useWhen } from "../ui/when.ts";
import { badgeOf, healthOf, STATE_TONES } from "./health.ts";
import { activityQuery, webhooksQuery } from "./queries.ts";
import classes from "./WebhookCard.module.css";

const SevenDays = lazy(() => import("./SevenDays.tsx"));
const ConfirmDialog = lazy(async () => ({ default: (await import("../ui/ConfirmDialog.tsx")).ConfirmDialog }));

function useHealthSentence(webhook: Webhook): string {
  const { t } = useTranslation();
  const when = useWhen();
  const { sentence, moment } = healthOf(webhook);
  return t(`webhooks.health.${sentence}`, {
    when: moment === null ? "" : when(moment, "on"),
    known: moment === null ? "no" : "yes",
    waiting: webhook.waiting_count,
  });
}

function Sent({ webhook }: { webhook: Webhook }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const events = webhook.events.map((event) => EVENTS[event].label[language]).join(" · ");
  const { practitioner } = webhook.include;
  // The account event carries the patient whatever is ticked; the card must not say otherwise.
  const patient = webhook.events.some((event) => eventDefinition(event).patientAlways)
    ? "all"
    : webhook.include.patient;
  return (
    <dl className={classes.facts}>
      <dt>{t("webhooks.card.when")}</dt>
      <dd>{events === "" ? t("webhooks.card.nothing") : events}</dd>
      <dt>{t("webhooks.card.with")}</dt>
      <dd>
        {t("webhooks.card.practitioner", { extent: practitioner })}
        {" · "}
        {t("webhooks.card.patient", { extent: patient })}
        {webhook.recipient !== null && ` · ${t("webhooks.card.recipient", { name: webhook.recipient.organisation })}`}
      </dd>
    </dl>
  );
}

/** Nothing while it loads or cannot: the sentence above says how it does. Its place is kept, so that nothing jumps. */
function Days({ webhook }: { webhook: Webhook }) {
  const { data } = useQuery(activityQuery);
  const days = data?.data.find(({ webhook_id }) => String(webhook_id) === String(webhook.id))?.days;
  return (
    <div className={classes.days}>
      <Suspense fallback={null}>
        {data !== undefined && days !== undefined && <SevenDays days={days} max={data.counted_max} />}
      </Suspense>
    </div>
  );
}

/** Turning on happens at once, and says what waited; turning off asks first, because events are then missed. */
function useSwitch(webhook: Webhook) {
  const { t } = useTranslation();
  const [said, setSaid] = useState<string | null>(null);
  const queryClient = useQueryClient();
  const [asking, setAsking] = useState(false);
  const change = useMutation({
    mutationFn: (enabled: boolean) => api.change(webhook.id, { enabled }),
    onSuccess: async (_changed, enabled) => {
      setAsking(false);
      setSaid(enabled ? t("webhooks.turnedOn", { name: webhook.name, waiting: webhook.waiting_count }) : null);
      await queryClient.invalidateQueries({ queryKey: webhooksQuery.queryKey });
    },
  });
  const toggle = (on: boolean) => (on ? change.mutate(true) : setAsking(true));
  const close = () => {
    setAsking(false);
    change.reset();
  };
  return { asking, close, change, toggle, said: webhook.enabled ? said : null };
}

function useRemoval(webhook: Webhook) {
  const queryClient = useQueryClient();
  const [asking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: () => api.remove(webhook.id),
    onSuccess: async () => {
      setAsking(false);
      await queryClient.invalidateQueries({ queryKey: webhooksQuery.queryKey });
    },
  });
  return { asking, ask: () => setAsking(true), close: () => setAsking(false), remove };
}

function Questions({
  webhook,
  power,
  removal,
}: {
  webhook: Webhook;
  power: ReturnType<typeof useSwitch>;
  removal: ReturnType<typeof useRemoval>;
}) {
  const { t } = useTranslation();
  const values = { name: webhook.name, waiting: webhook.waiting_count };
  return (
    <Suspense fallback={null}>
      {power.asking && (
        <ConfirmDialog
          title={t("webhooks.turnOff.title", values)}
          action={t("webhooks.turnOff.action")}
          pending={power.change.isPending}
          error={power.change.error}
          onConfirm={() => power.change.mutate(false)}
          onClose={power.close}
        >
          {t("webhooks.turnOff.text", values)}
        </ConfirmDialog>
      )}
      {removal.asking && (
        <ConfirmDialog
          title={t("webhooks.delete.title", values)}
          action={t("webhooks.delete.action")}
          danger
          pending={removal.remove.isPending}
          error={removal.remove.error}
          onConfirm={() => removal.remove.mutate()}
          onClose={removal.close}
        >
          {t("webhooks.delete.text", values)}
        </ConfirmDialog>
      )}
    </Suspense>
  );
}

/** One webhook: how it is, what it sends, on or off. */
export function WebhookCard({ webhook, onEdit }: { webhook: Webhook; onEdit: () => void }) {
  const { t } = useTranslation();
  const problemWords = useProblemWords();
  const health = useHealthSentence(webhook);
  const power = useSwitch(webhook);
  const removal = useRemoval(webhook);
  const mayManage = useMay("manage");
  const { name } = webhook;
  return (
    <Paper withBorder radius="lg" component="article" aria-label={name} className={classes.card}>
      <div className={classes.top}>
        <div className={classes.names}>
          <div className={classes.title}>
            <Title order={3}>{name}</Title>
            <StateBadge tone={STATE_TONES[badgeOf(webhook)]} word={t(`webhooks.state.${badgeOf(webhook)}`)} />
          </div>
          <Text size="sm" c="dimmed">
            {webhook.url_host}
          </Text>
        </div>
        {mayManage && (
          <Switch
            size="md"
            labelPosition="left"
            className={classes.switch}
            checked={webhook.enabled}
            disabled={power.change.isPending || webhook.events.length === 0}
            label={
              <>
                {t(webhook.enabled ? "webhooks.on" : "webhooks.off")}
                <VisuallyHidden>{` · ${name}`}</VisuallyHidden>
              </>
            }
            onChange={(event) => power.toggle(event.currentTarget.checked)}
          />
        )}
      </div>
      <Text size="sm">{health}</Text>
      <QuietLine said={power.said} subject={null} webhook={Number(webhook.id)} />
      <div aria-live="polite">
        {power.change.isError && !power.asking && <Callout tone="bad" text={problemWords(power.change.error)} />}
      </div>
      <Days webhook={webhook} />
      <Sent webhook={webhook} />
      <Group gap="xs">
        {mayManage && (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPencil size={15} aria-hidden="true" />}
            onClick={onEdit}
            aria-label={t("webhooks.editName", { name })}
          >
            {t("webhooks.edit")}
          </Button>
        )}
        <ButtonLink
          size="xs"
          variant="default"
          to="/deliveries"
          search={{ webhook: Number(webhook.id) }}
          aria-label={t("webhooks.deliveriesOf", { name })}
        >
          {t("webhooks.deliveries")}
        </ButtonLink>
        {mayManage && (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconTrash size={15} aria-hidden="true" />}
            onClick={removal.ask}
            aria-label={t("webhooks.deleteName", { name })}
          >
            {t("webhooks.delete.action")}
          </Button>
        )}
      </Group>
      <Questions webhook={webhook} power={power} removal={removal} />
    </Paper>
  );
}

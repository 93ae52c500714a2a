import { EVENTS, type EventName, eventsOfGroup, GROUP_NAMES, GROUPS, type GroupName } from "@hookwell/sdk";
import { Button, Paper, Text, Title } from "@mantine/core";
import IconCheck from "@tabler/icons-react/dist/esm/icons/IconCheck.mjs";
import { lazy, Suspense, useState } from "react";
import type { Webhook } from "../api-types.ts";
import { withWords } from "../i18n/setup.ts";
import { useTranslation } from "../i18n/words.ts";
import { useLanguage, useMay, useMe } from "../session/queries.ts";
import { CopyButton } from "../ui/CopyButton.tsx";
import classes from "./WebhooksPage.module.css";

const ExampleDialog = lazy(() => withWords(["preview", "webhooks"], import("./ExampleDialog.tsx")));

const isOn = (webhook: Webhook): boolean => webhook.enabled && webhook.state !== "not_set_up";

function Heard({ by }: { by: Webhook[] }) {
  const { t } = useTranslation();
  const heard = by.some(isOn);
  const names = by
    .map((webhook) => (isOn(webhook) ? webhook.name : t("webhooks.nameOff", { name: webhook.name })))
    .join(", ");
  return (
    <span className={classes.heard} data-heard={heard || undefined}>
      {heard && <IconCheck size={16} aria-hidden="true" />}
      <span>{by.length === 0 ? t("webhooks.heardByNone") : t("webhooks.heardBy", { names })}</span>
    </span>
  );
}

function EventRow({ event, by, onExample }: { event: EventName; by: Webhook[]; onExample: () => void }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { label, sentence } = EVENTS[event];
  return (
    <li className={classes.event}>
      <div>
        <div className={classes.eventName}>
          <Text fw={600}>{label[language]}</Text>
          <span className={classes.technical}>
            <code>{event}</code>
            <CopyButton text={event} what={event} />
          </span>
        </div>
        <Text size="sm" c="dimmed">
          {sentence[language]}
        </Text>
      </div>
      <div className={classes.aside}>
        <Heard by={by} />
        <Button
          variant="subtle"
          size="compact-sm"
          ml={-8}
          onClick={onExample}
          aria-label={t("webhooks.exampleOf", { event: label[language] })}
        >
          {t("webhooks.example")}
        </Button>
      </div>
    </li>
  );
}

function GroupHead({ group, onConfigure }: { group: GroupName; onConfigure: () => void }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { clinic } = useMe();
  const mayManage = useMay("manage");
  const { label, needsAcademy } = GROUPS[group];
  const closed = needsAcademy && !clinic.has_academy;
  return (
    <div className={classes.groupHead}>
      <Title order={3} id={`group-${group}`}>
        {label[language]}
      </Title>
      {closed && (
        <Text size="sm" c="dimmed" className={classes.reason} id={`closed-${group}`}>
          {t("webhooks.needsAcademy")}
        </Text>
      )}
      {mayManage && (
        <Button
          size="sm"
          variant={closed ? "default" : "light"}
          disabled={closed}
          onClick={onConfigure}
          aria-label={t("webhooks.configureGroup", { group: label[language] })}
          aria-describedby={closed ? `closed-${group}` : undefined}
        >
          {t("webhooks.configure")}
        </Button>
      )}
    </div>
  );
}

function Group({
  group,
  webhooks,
  onConfigure,
  onExample,
}: {
  group: GroupName;
  webhooks: Webhook[];
  onConfigure: () => void;
  onExample: (event: EventName) => void;
}) {
  const events = eventsOfGroup(group);
  const hears = (event: EventName) => webhooks.filter((webhook) => webhook.events.includes(event));
  return (
    <Paper withBorder radius="lg" className={classes.group} component="section" aria-labelledby={`group-${group}`}>
      <GroupHead group={group} onConfigure={onConfigure} />
      <ul className={classes.events}>
        {events.map((event) => (
          <EventRow key={event} event={event} by={hears(event)} onExample={() => onExample(event)} />
        ))}
      </ul>
    </Paper>
  );
}

/** The five groups, in the documented order. */
export function EventGroups({
  webhooks,
  onConfigure,
}: {
  webhooks: Webhook[];
  onConfigure: (group: GroupName) => void;
}) {
  const { t } = useTranslation();
  const [example, setExample] = useState<EventName | null>(null);
  return (
    <section aria-labelledby="what-can-trigger">
      <Title order={2} id="what-can-trigger" mb="sm">
        {t("webhooks.triggers")}
      </Title>
      <div className={classes.groups}>
        {GROUP_NAMES.map((group) => (
          <Group
            key={group}
            group={group}
            webhooks={webhooks}
            onConfigure={() => onConfigure(group)}
            onExample={setExample}
          />
        ))}
      </div>
      <Suspense fallback={null}>
        {example !== null && <ExampleDialog event={example} onClose={() => setExample(null)} />}
      </Suspense>
    </section>
  );
}

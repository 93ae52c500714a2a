import { EVENTS, isEventName } from "@hookwell/sdk";
import { Paper, Text, Title } from "@mantine/core";
import type { InboxMessage } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { useLanguage, useTimeFormat } from "../session/queries.ts";
import { HeaderTable } from "../ui/HeaderTable.tsx";
import { JsonText } from "../ui/JsonText.tsx";
import { AnchorLink } from "../ui/links.tsx";
import { StateBadge } from "../ui/StateBadge.tsx";
import { formatMoment } from "../ui/time.ts";
import classes from "./InboxPage.module.css";

const REFUSALS = ["no-signature", "malformed-header", "mismatch", "too-old", "too-new"] as const;

/** A reason this page does not know yet is told as "other". */
function refusalOf(reason: string): (typeof REFUSALS)[number] | "other" {
  return REFUSALS.find((known) => known === reason) ?? "other";
}

function useLabel(event: string | null): string {
  const { t } = useTranslation();
  const language = useLanguage();
  return isEventName(event) ? EVENTS[event].label[language] : (event ?? t("inbox.unknownEvent"));
}

function Top({ message: { event, signature, test, received_at } }: { message: InboxMessage }) {
  const { t } = useTranslation();
  const label = useLabel(event);
  const format = useTimeFormat();
  return (
    <div className={classes.top}>
      <Title order={2} fz="1rem">
        {label}
      </Title>
      {event !== null && (
        <Text size="xs" c="dimmed" component="code">
          {event}
        </Text>
      )}
      <StateBadge
        tone={signature.verified ? "good" : "bad"}
        word={t(signature.verified ? "inbox.verified" : "inbox.notVerified")}
      />
      {test && <StateBadge tone="calm" word={t("inbox.test")} />}
      <time className={classes.time} dateTime={received_at}>
        {formatMoment(received_at, format)}
      </time>
    </div>
  );
}

/** One message as it arrived: what it is about, whether its signature is genuine, and every byte of it. */
export function Message({ message }: { message: InboxMessage }) {
  const { t } = useTranslation();
  const { event, signature, delivery_id, headers, body } = message;
  return (
    <Paper withBorder radius="lg" component="article" className={classes.message} aria-label={useLabel(event)}>
      <Top message={message} />
      {!signature.verified && signature.reason !== null && (
        <Text size="sm" c="var(--hw-bad)">
          {t(`inbox.reason.${refusalOf(signature.reason)}`)}
        </Text>
      )}
      <JsonText isBody text={body} label={t("inbox.body")} />
      <HeaderTable headers={headers} label={t("inbox.headers")} />
      {delivery_id !== null && (
        <Text size="sm">
          <AnchorLink to="/deliveries/$deliveryId" params={{ deliveryId: delivery_id }}>
            {t("inbox.toDelivery")}
          </AnchorLink>
        </Text>
      )}
    </Paper>
  );
}

import { EVENTS } from "@hookwell/sdk";
import { Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { memo } from "react";
import type { Delivery } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { useLanguage } from "../session/queries.ts";
import rows from "../ui/rows.module.css";
import { StateBadge } from "../ui/StateBadge.tsx";
import { useWhen } from "../ui/when.ts";
import classes from "./DeliveriesPage.module.css";
import type { DeliveryFilters } from "./filters.ts";
import { useDeliverySentence } from "./sentence.ts";
import { DELIVERY_TONES } from "./state.ts";
import { useSubjectWords } from "./subject.ts";

/** One delivery in the list; the whole row is a link to its drawer. It is drawn again only when it has changed. */
export const DeliveryRow = memo(({ delivery, filters }: { delivery: Delivery; filters: DeliveryFilters }) => {
  const { t } = useTranslation();
  const language = useLanguage();
  const when = useWhen();
  const sentence = useDeliverySentence();
  const subject = useSubjectWords();
  return (
    <Link
      to="/deliveries/$deliveryId"
      params={{ deliveryId: delivery.id }}
      search={filters}
      className={`${rows.entry} ${classes.row}`}
      resetScroll={false}
    >
      <span className={rows.badge}>
        <StateBadge tone={DELIVERY_TONES[delivery.state]} word={t(`deliveries.state.${delivery.state}`)} />
      </span>
      <span className={classes.what}>
        <Text component="span" fw={600} size="sm">
          {EVENTS[delivery.event].label[language]}
          {/* The space is for who hears the row; the eye has the margin. */}
          {delivery.test && <span className={classes.test}> {t("deliveries.test")}</span>}
        </Text>
        <Text component="span" size="sm" c="dimmed">
          {!delivery.test && `${subject(delivery.subject, delivery.subject_name)} · `}
          {sentence(delivery)}
        </Text>
      </span>
      <Text component="span" size="sm" className={classes.webhook}>
        {delivery.webhook.name}
      </Text>
      <Text component="time" size="sm" c="dimmed" dateTime={delivery.created_at} className={classes.time}>
        {when(delivery.created_at, "alone")}
      </Text>
    </Link>
  );
});

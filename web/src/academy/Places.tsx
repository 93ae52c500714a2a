// Who has access to one course or webinar, and taking it away.
import { Button, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Item, items, type Place } from "../api/academy.ts";
import { useTranslation } from "../i18n/words.ts";
import { useIntent } from "../intent.ts";
import { ConfirmDialog } from "../ui/ConfirmDialog.tsx";
import { AnchorLink } from "../ui/links.tsx";
import rows from "../ui/rows.module.css";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";
import { useWhen } from "../ui/when.ts";
import { type OnSaid, useRefresh } from "./act.ts";
import { placesQuery } from "./queries.ts";

function TakeAway({ item, place, onSaid }: { item: Item; place: Place; onSaid: OnSaid }) {
  const { t } = useTranslation();
  const refresh = useRefresh();
  const [asking, setAsking] = useState(false);
  const { name } = place.patient;
  const take = useIntent(() => items.take(item, place.patient.id), {
    onSuccess: async () => {
      await refresh();
      onSaid({ text: t("academy.said.took", { name }), subject: null });
    },
  });
  const close = () => {
    setAsking(false);
    take.reset();
  };
  return (
    <>
      <Button
        variant="subtle"
        size="compact-sm"
        aria-label={t("academy.takeName", { name })}
        onClick={() => setAsking(true)}
      >
        {t("academy.take")}
      </Button>
      {asking && (
        <ConfirmDialog
          title={t("academy.takeTitle", { name })}
          action={t("academy.take")}
          keep={t("academy.keep")}
          danger
          pending={take.isPending}
          error={take.error}
          onConfirm={() => take.start()}
          onClose={close}
        >
          {t("academy.takeText", { name })}
        </ConfirmDialog>
      )}
    </>
  );
}

function PlaceRow({ item, place, onSaid }: { item: Item; place: Place; onSaid: OnSaid }) {
  const { t } = useTranslation();
  const when = useWhen();
  return (
    <div className={rows.row}>
      <span className={rows.main}>
        <AnchorLink to="/patients/$patientId" params={{ patientId: String(place.patient.id) }} size="sm" fw={600}>
          {place.patient.name}
        </AnchorLink>
        <span className={rows.under}>{`${t(`academy.how.${place.how}`)}, ${when(place.since, "since")}`}</span>
      </span>
      {place.how !== "membership" && <TakeAway item={item} place={place} onSaid={onSaid} />}
    </div>
  );
}

/** See the head of this file. What a membership gives ends with the membership, not here. */
export function Places({ item, onSaid }: { item: Item; onSaid: OnSaid }) {
  const { t } = useTranslation();
  const query = useQuery(placesQuery(item));
  return (
    <section aria-labelledby="who">
      <div className={rows.head}>
        <Title order={2} id="who">
          {t("academy.who")}
        </Title>
      </div>
      {query.data === undefined ? (
        query.isError ? (
          <LoadFailed error={query.error} retry={() => query.refetch()} />
        ) : (
          <LoadingRows rows={3} />
        )
      ) : query.data.length === 0 ? (
        <Text c="dimmed">{t("academy.nobody")}</Text>
      ) : (
        <ul className={rows.list} aria-labelledby="who">
          {query.data.map((place) => (
            <li key={place.patient.id}>
              <PlaceRow item={item} place={place} onSaid={onSaid} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

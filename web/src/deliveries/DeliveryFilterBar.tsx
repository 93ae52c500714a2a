// What the list of deliveries is narrowed by. The days and the id are behind a button, until one of them is set.
import { Button, NativeSelect, SegmentedControl, TextInput } from "@mantine/core";
import "../ui/segmented.css";
import { EVENT_NAMES, EVENTS } from "@hookwell/sdk";
import IconX from "@tabler/icons-react/dist/esm/icons/IconX.mjs";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useId, useState } from "react";
import { useTranslation } from "../i18n/words.ts";
import { useLanguage } from "../session/queries.ts";
import { DayField } from "../ui/DayField.tsx";
import { Filters } from "../ui/Filters.tsx";
import { webhooksQuery } from "../webhooks/queries.ts";
import { DELIVERY_FILTERS, type DeliveryFilters, deliveryFilters, readDeliveryId } from "./filters.ts";
import { useSubjectWords } from "./subject.ts";

const ANY = "";
const ALL = "all";
/** Longer than any id; what is longer was pasted by mistake. */
const ID_TYPED_MAX = 200;

interface Props {
  filters: DeliveryFilters;
  onChange: (filters: DeliveryFilters) => void;
}
type Set = (changes: Partial<Record<keyof DeliveryFilters, string>>) => void;

/** The filter that only links set; taking it away shows the others again. */
function SubjectChip({ subject, onRemove }: { subject: string; onRemove: () => void }) {
  const { t } = useTranslation();
  const words = useSubjectWords();
  const about = t("deliveries.about", { subject: words(subject) });
  return (
    <Button
      variant="light"
      size="sm"
      rightSection={<IconX size={15} aria-hidden="true" />}
      aria-label={t("deliveries.filter.remove", { about })}
      onClick={onRemove}
    >
      {about}
    </Button>
  );
}

function State({ filters, set }: { filters: DeliveryFilters; set: Set }) {
  const { t } = useTranslation();
  return (
    <SegmentedControl
      aria-label={t("deliveries.filter.state")}
      value={filters.state ?? ALL}
      onChange={(state) => set({ state })}
      data={[ALL, ...DELIVERY_FILTERS].map((value) => ({
        value,
        label: t(`deliveries.filter.${value as "all" | (typeof DELIVERY_FILTERS)[number]}`),
      }))}
    />
  );
}

function Choices({ filters, set }: { filters: DeliveryFilters; set: Set }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const webhooks = useQuery(webhooksQuery);
  const names = (webhooks.data ?? []).map((webhook) => ({ value: String(webhook.id), label: webhook.name }));
  const chosen = filters.webhook?.toString();
  // Without a choice of its own it would read "all", and could not be taken off.
  if (chosen !== undefined && webhooks.data !== undefined && !names.some(({ value }) => value === chosen)) {
    names.push({ value: chosen, label: t("deliveries.filter.deletedWebhook") });
  }
  return (
    <>
      <NativeSelect
        aria-label={t("deliveries.filter.webhook")}
        value={filters.webhook ?? ANY}
        onChange={(event) => set({ webhook: event.currentTarget.value })}
        data={[{ value: ANY, label: t("deliveries.filter.anyWebhook") }, ...names]}
      />
      <NativeSelect
        aria-label={t("deliveries.filter.event")}
        value={filters.event ?? ANY}
        onChange={(event) => set({ event: event.currentTarget.value })}
        data={[
          { value: ANY, label: t("deliveries.filter.anyEvent") },
          ...EVENT_NAMES.map((event) => ({ value: event, label: EVENTS[event].label[language] })),
        ]}
      />
    </>
  );
}

/** An id is pasted as a whole; what is none yet is said, and changes nothing. */
function IdField({ id, set }: { id: string; set: Set }) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(id);
  // Another way to the same page, such as Back or "show all", changes the address without typing.
  useEffect(() => setTyped((before) => ((readDeliveryId(before) ?? "") === id ? before : id)), [id]);
  const isWrong = typed.trim() !== "" && readDeliveryId(typed) === null;
  return (
    <TextInput
      type="search"
      label={t("deliveries.filter.id")}
      maxLength={ID_TYPED_MAX}
      value={typed}
      error={isWrong ? t("deliveries.filter.notAnId") : undefined}
      onChange={({ currentTarget: { value } }) => {
        setTyped(value);
        set({ id: value });
      }}
    />
  );
}

function More({ filters, set }: { filters: DeliveryFilters; set: Set }) {
  const { t } = useTranslation();
  return (
    <>
      <DayField label={t("deliveries.filter.from")} day={filters.from ?? ANY} onChange={(from) => set({ from })} />
      <DayField
        label={t("deliveries.filter.to")}
        min={filters.from}
        day={filters.to ?? ANY}
        onChange={(to) => set({ to })}
      />
      <IdField id={filters.id ?? ""} set={set} />
    </>
  );
}

/** See the head of this file. */
export function DeliveryFilterBar({ filters, onChange }: Props) {
  const { t } = useTranslation();
  const more = useId();
  const isSet = [filters.from, filters.to, filters.id].some((one) => one !== undefined);
  const [isOpen, setIsOpen] = useState(isSet);
  const set: Set = (changes) => onChange(deliveryFilters({ ...filters, ...changes }));
  // The fields stay when the last of them is emptied: somebody is typing in it.
  const setMore: Set = (changes) => {
    setIsOpen(true);
    set(changes);
  };
  return (
    <Filters second={isOpen || isSet ? <More filters={filters} set={setMore} /> : null} secondId={more}>
      <State filters={filters} set={set} />
      <Choices filters={filters} set={set} />
      {filters.subject !== undefined && (
        <SubjectChip subject={filters.subject} onRemove={() => set({ subject: ANY })} />
      )}
      {!isSet && (
        <Button variant="subtle" aria-expanded={isOpen} aria-controls={more} onClick={() => setIsOpen(!isOpen)}>
          {t(isOpen ? "deliveries.filter.fewer" : "deliveries.filter.more")}
        </Button>
      )}
    </Filters>
  );
}

// Above the schedule: which week, as a week or as a list, and whose.
import { ActionIcon, Button, NativeSelect, SegmentedControl, Text } from "@mantine/core";
import "../ui/segmented.css";
import IconLeft from "@tabler/icons-react/dist/esm/icons/IconChevronLeft.mjs";
import IconRight from "@tabler/icons-react/dist/esm/icons/IconChevronRight.mjs";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "../i18n/words.ts";
import { useTimeFormat } from "../session/queries.ts";
import { addDays, formatDays } from "../ui/time.ts";
import { practitionersQuery, servicesQuery } from "./queries.ts";
import classes from "./ScheduleBar.module.css";
import { DAYS_OF_WEEK, type ScheduleSearch } from "./week.ts";

/** What of the address is to be different; null takes it out. */
export type Change = { [Key in keyof ScheduleSearch]?: ScheduleSearch[Key] | null };

interface Props {
  days: string[];
  today: string;
  search: ScheduleSearch;
  onShow: (change: Change) => void;
}

function WeekPicker({ days, today, onShow }: Omit<Props, "search">) {
  const { t } = useTranslation();
  const { locale } = useTimeFormat();
  const [first = today] = days;
  const last = days.at(-1) ?? first;
  return (
    <div className={classes.weeks}>
      <Button variant="default" size="sm" disabled={days.includes(today)} onClick={() => onShow({ day: null })}>
        {t("schedule.thisWeek")}
      </Button>
      <ActionIcon
        variant="default"
        size={36}
        aria-label={t("schedule.previous")}
        onClick={() => onShow({ day: addDays(first, -DAYS_OF_WEEK) })}
      >
        <IconLeft size={18} aria-hidden="true" />
      </ActionIcon>
      <ActionIcon
        variant="default"
        size={36}
        aria-label={t("schedule.next")}
        onClick={() => onShow({ day: addDays(first, DAYS_OF_WEEK) })}
      >
        <IconRight size={18} aria-hidden="true" />
      </ActionIcon>
      <Text fw={600} ml={4} aria-live="polite">
        {formatDays(first, last, locale)}
      </Text>
    </div>
  );
}

function Filter({
  label,
  all,
  rows,
  value,
  onChange,
}: {
  label: string;
  all: string;
  rows: readonly { id: number; name: string }[];
  value: number | undefined;
  onChange: (id: number | null) => void;
}) {
  return (
    <NativeSelect
      className={classes.filter}
      aria-label={label}
      data={[{ value: "", label: all }, ...rows.map(({ id, name }) => ({ value: String(id), label: name }))]}
      value={value ?? ""}
      onChange={({ currentTarget }) => onChange(currentTarget.value === "" ? null : Number(currentTarget.value))}
    />
  );
}

/** See the head of this file. */
export function ScheduleBar({ search, onShow, ...week }: Props) {
  const { t } = useTranslation();
  const services = useQuery(servicesQuery).data ?? [];
  const practitioners = useQuery(practitionersQuery).data ?? [];
  return (
    <div className={classes.bar}>
      <WeekPicker {...week} onShow={onShow} />
      <div className={classes.narrow}>
        <Filter
          label={t("schedule.practitioner")}
          all={t("schedule.allPractitioners")}
          rows={practitioners}
          value={search.practitioner}
          onChange={(practitioner) => onShow({ practitioner })}
        />
        <Filter
          label={t("schedule.service")}
          all={t("schedule.allServices")}
          rows={services}
          value={search.service}
          onChange={(service) => onShow({ service })}
        />
        <SegmentedControl
          aria-label={t("schedule.view")}
          data={[
            { value: "week", label: t("schedule.asWeek") },
            { value: "list", label: t("schedule.asList") },
          ]}
          value={search.view ?? "week"}
          onChange={(view) => onShow({ view: view === "list" ? "list" : null })}
        />
      </div>
    </div>
  );
}

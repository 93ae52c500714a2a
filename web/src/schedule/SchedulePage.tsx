// The schedule: one week of consults, and the dialogs in which they are made and changed. After each action a quiet line
// says what was done and, to managers, leads to what was sent because of it.
import { ActionIcon, Button, Group, Text } from "@mantine/core";
import IconLeft from "@tabler/icons-react/dist/esm/icons/IconChevronLeft.mjs";
import IconRight from "@tabler/icons-react/dist/esm/icons/IconChevronRight.mjs";
import IconPlus from "@tabler/icons-react/dist/esm/icons/IconPlus.mjs";
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Consult } from "../api-types.ts";
import { useMe, useTimeFormat } from "../session/queries.ts";
import { PageHeader } from "../ui/PageHeader.tsx";
import { QuietLine } from "../ui/QuietLine.tsx";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";
import { addDays, dayInZone, dayOf, formatDays } from "../ui/time.ts";
import { consultsQuery } from "./queries.ts";
import classes from "./SchedulePage.module.css";
import { Week } from "./Week.tsx";
import { DAYS_OF_WEEK, daysOfWeek } from "./week.ts";

const ScheduleDialog = lazy(() => import("./ScheduleDialog.tsx"));
const ConsultDialog = lazy(() => import("./ConsultDialog.tsx"));
const route = getRouteApi("/shell/schedule");

function WeekPicker({ days, today, onShow }: { days: string[]; today: string; onShow: (day: string | null) => void }) {
  const { t } = useTranslation();
  const { locale } = useTimeFormat();
  const [first = today] = days;
  const last = days.at(-1) ?? first;
  return (
    <Group gap="xs" mb="md">
      <Button variant="default" size="sm" disabled={days.includes(today)} onClick={() => onShow(null)}>
        {t("schedule.thisWeek")}
      </Button>
      <ActionIcon
        variant="default"
        size={36}
        aria-label={t("schedule.previous")}
        onClick={() => onShow(addDays(first, -DAYS_OF_WEEK))}
      >
        <IconLeft size={18} aria-hidden="true" />
      </ActionIcon>
      <ActionIcon
        variant="default"
        size={36}
        aria-label={t("schedule.next")}
        onClick={() => onShow(addDays(first, DAYS_OF_WEEK))}
      >
        <IconRight size={18} aria-hidden="true" />
      </ActionIcon>
      <Text fw={600} ml={4} aria-live="polite">
        {formatDays(first, last, locale)}
      </Text>
    </Group>
  );
}

function useWeek() {
  const { time_zone } = useMe().clinic;
  const { day } = route.useSearch();
  const navigate = route.useNavigate();
  const today = dayInZone(new Date(), time_zone);
  const show = (wanted: string | null) =>
    navigate({ search: wanted === null ? {} : { day: wanted }, resetScroll: false });
  return { today, day: day ?? today, days: daysOfWeek(day ?? today), show };
}

function Consults({
  query,
  ...week
}: {
  query: UseQueryResult<Consult[]>;
  days: string[];
  today: string;
  onOpen: (id: number) => void;
}) {
  if (query.data !== undefined) return <Week consults={query.data} {...week} />;
  if (query.isError) return <LoadFailed error={query.error} retry={() => query.refetch()} />;
  return <LoadingRows rows={4} height={72} />;
}

function NewButton({ onClick }: { onClick: () => void }) {
  const { t } = useTranslation();
  return (
    <Button leftSection={<IconPlus size={16} aria-hidden="true" />} onClick={onClick}>
      {t("schedule.new")}
    </Button>
  );
}

/** What was done last, and with which consult. */
interface Said {
  text: string;
  consultId: number;
}

/** See the head of this file. */
export function SchedulePage() {
  const { t } = useTranslation();
  const { today, day, days, show } = useWeek();
  const [first = today] = days;
  const consults = useQuery(consultsQuery(first, addDays(first, DAYS_OF_WEEK)));
  const [isNew, setIsNew] = useState(false);
  const [openId, setOpenId] = useState<number | null>(null);
  const [said, setSaid] = useState<Said | null>(null);
  const open = consults.data?.find((consult) => consult.id === openId);
  return (
    <>
      <PageHeader title={t("schedule.title")} action={<NewButton onClick={() => setIsNew(true)} />} />
      <WeekPicker days={days} today={today} onShow={show} />
      <div className={classes.said}>
        {open === undefined && (
          <QuietLine said={said?.text ?? null} subject={said?.consultId ? `consult:${said.consultId}` : null} />
        )}
      </div>
      <Consults query={consults} days={days} today={today} onOpen={setOpenId} />
      <Suspense fallback={null}>
        {isNew && (
          <ScheduleDialog
            day={days.includes(today) ? today : day}
            onClose={() => setIsNew(false)}
            onDone={(consult) => {
              setIsNew(false);
              setSaid({ text: t("schedule.said.scheduled"), consultId: consult.id });
              void show(dayOf(consult.start_time));
            }}
          />
        )}
        {open !== undefined && (
          <ConsultDialog
            key={open.id}
            consult={open}
            said={said?.consultId === open.id ? said.text : null}
            onSaid={(text) => setSaid({ text, consultId: open.id })}
            onClose={() => setOpenId(null)}
          />
        )}
      </Suspense>
    </>
  );
}

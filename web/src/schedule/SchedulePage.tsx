// The schedule: one week of consults, side by side or as a list, and the dialogs in which they are made and changed. After
// each action a quiet line says what was done and, to managers, leads to what was sent because of it.
import { Button } from "@mantine/core";
import IconCalendar from "@tabler/icons-react/dist/esm/icons/IconCalendarOff.mjs";
import IconPlus from "@tabler/icons-react/dist/esm/icons/IconPlus.mjs";
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import type { Consult, ScheduledConsult } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { useMe } from "../session/queries.ts";
import { PageHeader } from "../ui/PageHeader.tsx";
import { QuietLine } from "../ui/QuietLine.tsx";
import { Empty, LoadFailed, LoadingRows } from "../ui/states.tsx";
import { addDays, dayInZone, dayOf } from "../ui/time.ts";
import type { OnSaid } from "./act.ts";
import { List } from "./List.tsx";
import { consultsQuery } from "./queries.ts";
import { type Change, ScheduleBar } from "./ScheduleBar.tsx";
import classes from "./SchedulePage.module.css";
import { Week } from "./Week.tsx";
import { DAYS_OF_WEEK, daysOfWeek, matching, type ScheduleSearch } from "./week.ts";

const ScheduleDialog = lazy(() => import("./ScheduleDialog.tsx"));
const ConsultDialog = lazy(() => import("./ConsultDialog.tsx"));
const route = getRouteApi("/shell/schedule");

function useWeek() {
  const { time_zone } = useMe().clinic;
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const today = dayInZone(new Date(), time_zone);
  const day = search.day ?? today;
  const show = (change: Change) => navigate({ search: changed(search, change), resetScroll: false });
  const days = daysOfWeek(day);
  return { today, day, days, first: days[0] ?? today, search, show };
}

function changed(search: ScheduleSearch, change: Change): ScheduleSearch {
  const entries = Object.entries({ ...search, ...change }).filter(([, value]) => value !== null);
  return Object.fromEntries(entries);
}

function Consults({
  query,
  search,
  onShow,
  ...week
}: {
  query: UseQueryResult<Consult[]>;
  search: ScheduleSearch;
  onShow: (change: Change) => void;
  days: string[];
  today: string;
  onOpen: (id: number) => void;
}) {
  const { t } = useTranslation();
  if (query.data === undefined) {
    if (query.isError) return <LoadFailed error={query.error} retry={() => query.refetch()} />;
    return <LoadingRows rows={4} height={72} />;
  }
  const consults = matching(query.data, search);
  if (consults.length === 0 && query.data.length > 0) {
    return (
      <Empty icon={IconCalendar} title={t("schedule.nothingMatches")}>
        <Button variant="default" size="sm" mt="xs" onClick={() => onShow({ practitioner: null, service: null })}>
          {t("schedule.showAll")}
        </Button>
      </Empty>
    );
  }
  return search.view === "list" ? <List consults={consults} {...week} /> : <Week consults={consults} {...week} />;
}

function NewButton({ onClick }: { onClick: () => void }) {
  const { t } = useTranslation();
  return (
    <Button leftSection={<IconPlus size={16} aria-hidden="true" />} onClick={onClick}>
      {t("schedule.new")}
    </Button>
  );
}

/** What was done last, with which consult, and what the deliveries are about: null where there were several. */
interface Said {
  text: string;
  consultId: number;
  subject: string | null;
}

const NEVER: Said = { text: "", consultId: 0, subject: null };

/** What was said last, and how the dialogs say more. */
function useSaid() {
  const { t } = useTranslation();
  const [said, setSaid] = useState<Said>(NEVER);
  return {
    said,
    sayScheduled: ({ id, series }: ScheduledConsult) => {
      const text =
        series === undefined
          ? t("schedule.said.scheduled")
          : t("schedule.said.scheduledMany", { count: series.consult_ids.length });
      setSaid({ text, consultId: id, subject: series === undefined ? `consult:${id}` : null });
    },
    sayOf: (consultId: number): OnSaid => {
      return (text, about) => setSaid({ text, consultId, subject: about === "series" ? null : `consult:${consultId}` });
    },
  };
}

/** See the head of this file. */
export function SchedulePage() {
  const { t } = useTranslation();
  const { today, day, days, first, search, show } = useWeek();
  const consults = useQuery(consultsQuery(first, addDays(first, DAYS_OF_WEEK)));
  const [isNew, setIsNew] = useState(false);
  const [openId, setOpenId] = useState<number | null>(null);
  const { said, sayScheduled, sayOf } = useSaid();
  const open = consults.data?.find((consult) => consult.id === openId);
  const scheduled = (consult: ScheduledConsult) => {
    setIsNew(false);
    sayScheduled(consult);
    // What was just made is to be seen, whatever was looked for before.
    const isHidden = matching([consult], search).length === 0;
    void show({ day: dayOf(consult.start_time), ...(isHidden ? { practitioner: null, service: null } : {}) });
  };
  return (
    <>
      <PageHeader title={t("schedule.title")} action={<NewButton onClick={() => setIsNew(true)} />} />
      <ScheduleBar days={days} today={today} search={search} onShow={show} />
      <div className={classes.said}>
        {open === undefined && <QuietLine said={said.text || null} subject={said.subject} />}
      </div>
      <Consults query={consults} search={search} onShow={show} days={days} today={today} onOpen={setOpenId} />
      <Suspense fallback={null}>
        {isNew && (
          <ScheduleDialog day={days.includes(today) ? today : day} onClose={() => setIsNew(false)} onDone={scheduled} />
        )}
        {open !== undefined && (
          <ConsultDialog
            key={open.id}
            consult={open}
            said={said.consultId === open.id ? said : null}
            onSaid={sayOf(open.id)}
            onClose={() => setOpenId(null)}
          />
        )}
      </Suspense>
    </>
  );
}

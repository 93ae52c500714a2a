import { Text, Title, UnstyledButton, VisuallyHidden } from "@mantine/core";
import IconRepeat from "@tabler/icons-react/dist/esm/icons/IconRepeat.mjs";
import type { Consult } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { useTimeFormat } from "../session/queries.ts";
import { formatDate, formatDay, formatTime, formatWeekday } from "../ui/time.ts";
import classes from "./Week.module.css";
import { consultsOfDay } from "./week.ts";
import { onlyPatient, seatedIn } from "./who.ts";

type OpenConsult = (id: number) => void;

function ConsultCard({ consult, onOpen }: { consult: Consult; onOpen: () => void }) {
  const { t } = useTranslation();
  const format = useTimeFormat();
  const { service, practitioner, cancelled, series_id } = consult;
  const who = onlyPatient(consult)?.patient.name ?? t("schedule.patients", { count: seatedIn(consult).length });
  return (
    <UnstyledButton className={classes.card} data-cancelled={cancelled || undefined} onClick={onOpen}>
      <span className={classes.time}>
        <span>{formatTime(consult.start_time, format)} –</span> <span>{formatTime(consult.end_time, format)}</span>
        {series_id !== null && (
          <>
            <IconRepeat size={13} aria-hidden="true" className={classes.repeats} />
            <VisuallyHidden>{t("schedule.repeats")}</VisuallyHidden>
          </>
        )}
      </span>
      <span className={classes.service}>{service.name}</span>
      <span className={classes.who}>{who}</span>
      <span className={classes.practitioner}>{practitioner.name}</span>
      {cancelled && <span className={classes.cancelled}>{t("schedule.cancelled")}</span>}
    </UnstyledButton>
  );
}

function Day({ day, isToday, list, onOpen }: { day: string; isToday: boolean; list: Consult[]; onOpen: OpenConsult }) {
  const { t } = useTranslation();
  const { locale } = useTimeFormat();
  return (
    <section className={classes.day} data-today={isToday || undefined} aria-label={formatDay(day, locale)}>
      <Title order={2} className={classes.name}>
        <span className={classes.weekday}>{isToday ? t("schedule.today") : formatWeekday(day, locale)}</span>
        <span>{formatDate(day, locale)}</span>
      </Title>
      {list.length === 0 ? (
        <Text size="sm" c="dimmed" className={classes.none}>
          {t("schedule.none")}
        </Text>
      ) : (
        <ul className={classes.list}>
          {list.map((consult) => (
            <li key={consult.id}>
              <ConsultCard consult={consult} onOpen={() => onOpen(consult.id)} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** Seven days side by side; on a narrow screen, below each other. */
export function Week({
  days,
  today,
  consults,
  onOpen,
}: {
  days: string[];
  today: string;
  consults: Consult[];
  onOpen: OpenConsult;
}) {
  return (
    <div className={classes.frame}>
      <div className={classes.week}>
        {days.map((day) => (
          <Day key={day} day={day} isToday={day === today} list={consultsOfDay(consults, day)} onOpen={onOpen} />
        ))}
      </div>
    </div>
  );
}

// The week as a list, day by day: one line a consult, to be walked through with the arrow keys.
import { Text, Title, UnstyledButton, VisuallyHidden } from "@mantine/core";
import IconRepeat from "@tabler/icons-react/dist/esm/icons/IconRepeat.mjs";
import type { KeyboardEvent } from "react";
import type { Consult } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { useTimeFormat } from "../session/queries.ts";
import { formatDay, formatTime } from "../ui/time.ts";
import classes from "./List.module.css";
import { consultsOfDay } from "./week.ts";
import { onlyPatient, seatedIn } from "./who.ts";

interface Props {
  days: string[];
  today: string;
  consults: Consult[];
  onOpen: (id: number) => void;
}

function Line({ consult, onOpen }: { consult: Consult; onOpen: (id: number) => void }) {
  const { t } = useTranslation();
  const format = useTimeFormat();
  const { service, practitioner, cancelled, series_id } = consult;
  const who = onlyPatient(consult)?.patient.name ?? t("schedule.patients", { count: seatedIn(consult).length });
  return (
    <UnstyledButton className={classes.line} data-cancelled={cancelled || undefined} onClick={() => onOpen(consult.id)}>
      <span className={classes.time}>
        {formatTime(consult.start_time, format)} – {formatTime(consult.end_time, format)}
      </span>
      <span className={classes.what}>
        <span className={classes.service}>
          {service.name}
          {series_id !== null && (
            <>
              <IconRepeat size={14} aria-hidden="true" className={classes.repeats} />
              <VisuallyHidden>{t("schedule.repeats")}</VisuallyHidden>
            </>
          )}
        </span>
        <span className={classes.who}>{who}</span>
      </span>
      <span className={classes.practitioner}>{practitioner.name}</span>
      <span className={classes.state}>
        {cancelled && <span className={classes.cancelled}>{t("schedule.cancelled")}</span>}
      </span>
    </UnstyledButton>
  );
}

const STEPS: Readonly<Record<string, (at: number, last: number) => number>> = {
  ArrowDown: (at, last) => Math.min(at + 1, last),
  ArrowUp: (at) => Math.max(at - 1, 0),
  Home: () => 0,
  End: (_, last) => last,
};

/** Arrow keys go from line to line over the days; Tab still does, too. */
function walk(event: KeyboardEvent<HTMLElement>): void {
  const step = STEPS[event.key];
  const lines = [...event.currentTarget.querySelectorAll("button")];
  const at = lines.indexOf(event.target as HTMLButtonElement);
  if (step === undefined || at === -1 || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  lines[step(at, lines.length - 1)]?.focus();
}

function Day({
  day,
  isToday,
  list,
  onOpen,
}: { day: string; isToday: boolean; list: Consult[] } & Pick<Props, "onOpen">) {
  const { t } = useTranslation();
  const { locale } = useTimeFormat();
  return (
    <section data-today={isToday || undefined} className={classes.day} aria-label={formatDay(day, locale)}>
      <Title order={2} className={classes.name}>
        {formatDay(day, locale)}
        {isToday && <span className={classes.today}>{t("schedule.today")}</span>}
      </Title>
      {list.length === 0 ? (
        <Text size="sm" c="dimmed" className={classes.none}>
          {t("schedule.none")}
        </Text>
      ) : (
        <ul className={classes.lines}>
          {list.map((consult) => (
            <li key={consult.id}>
              <Line consult={consult} onOpen={onOpen} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** See the head of this file. */
export function List({ days, today, consults, onOpen }: Props) {
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the lines are buttons; here their arrow keys are heard once for all
    <div className={classes.list} onKeyDown={walk}>
      {days.map((day) => (
        <Day key={day} day={day} isToday={day === today} list={consultsOfDay(consults, day)} onOpen={onOpen} />
      ))}
    </div>
  );
}

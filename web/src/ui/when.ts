import { useTranslation } from "../i18n/words.ts";
import { useMe, useTimeFormat } from "../session/queries.ts";
import { dayInZone, formatMoment, formatTime } from "./time.ts";

/** Writes a moment as people say it: "today at 2:02 p.m.", or the date and time. */
export function useWhen(): (time: string) => string {
  const { t } = useTranslation();
  const format = useTimeFormat();
  const { time_zone } = useMe().clinic;
  return (time) => {
    const isToday = dayInZone(new Date(time), time_zone) === dayInZone(new Date(), time_zone);
    return isToday ? t("shell.today", { time: formatTime(time, format) }) : formatMoment(time, format, false);
  };
}

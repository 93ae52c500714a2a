import { useTranslation } from "../i18n/words.ts";
import { useMe, useTimeFormat } from "../session/queries.ts";
import { dayInZone, formatMoment, formatSpokenMoment, formatTime } from "./time.ts";

/** Where the words stand: by themselves, or in a sentence, which asks for a preposition: "on", "since" or "until" then. */
type Place = "alone" | "on" | "since" | "until";

/** Writes a moment as people say it: "today at 14:02", by itself the bare date and time, in a sentence "on March 3, 2026 at 14:02". */
export function useWhen(): (time: string, place: Place) => string {
  const { t } = useTranslation();
  const format = useTimeFormat();
  const { time_zone } = useMe().clinic;
  return (time, place) => {
    const isToday = dayInZone(new Date(time), time_zone) === dayInZone(new Date(), time_zone);
    const clock = formatTime(time, format);
    if (place === "alone") return isToday ? t("shell.when.today", { time: clock }) : formatMoment(time, format, false);
    const today = isToday ? "yes" : "no";
    return t(`shell.when.${place}`, { today, time: isToday ? clock : formatSpokenMoment(time, format) });
  };
}

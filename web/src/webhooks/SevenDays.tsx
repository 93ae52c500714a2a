// How a webhook did in the last seven days of the clinic: bars for the eye, and the same in words.
import { Text } from "@mantine/core";
import type { ActivityDay } from "../api-types.ts";
import { FORMAT_LOCALES } from "../i18n/languages.ts";
import { useTranslation } from "../i18n/words.ts";
import { useLanguage } from "../session/queries.ts";
import { formatDay } from "../ui/time.ts";
import { barsOf, KINDS, sumOf } from "./activity.ts";
import classes from "./SevenDays.module.css";

const BAR_WIDTH = 12;
const BAR_STEP = 17;
export const BARS_HEIGHT = 34;

/** "12 delivered, 1 failed", or that nothing was sent; counting stops at `max`. */
function useCountWords(max: number): (counts: Omit<ActivityDay, "day">) => string {
  const { t } = useTranslation();
  return (counts) => {
    const told = KINDS.filter((kind) => counts[kind] > 0).map((kind) =>
      t(`webhooks.days.${kind}`, { count: counts[kind], more: counts[kind] >= max ? "yes" : "no" }),
    );
    return told.length === 0 ? t("webhooks.days.nothing") : told.join(", ");
  };
}

/** See the head of this file. `days`: the oldest first, today last. */
export default function SevenDays({ days, max }: { days: readonly ActivityDay[]; max: number }) {
  const { t } = useTranslation();
  const locale = FORMAT_LOCALES[useLanguage()];
  const words = useCountWords(max);
  const label = days.map((day) => `${formatDay(day.day, locale)}: ${words(day)}`).join(". ");
  return (
    <div className={classes.days}>
      <svg
        className={classes.bars}
        role="img"
        aria-label={label}
        width={BAR_STEP * days.length}
        height={BARS_HEIGHT}
        data-days={days.length}
      >
        {barsOf(days, BARS_HEIGHT - 2).map(({ day, parts }, index) => (
          <g key={day}>
            <title>{`${formatDay(day, locale)}: ${words(days[index] ?? sumOf([]))}`}</title>
            <rect className={classes.ground} x={index * BAR_STEP} y={0} width={BAR_WIDTH} height={BARS_HEIGHT} rx={2} />
            {parts.map(({ kind, y, height }) => (
              <rect
                key={kind}
                data-kind={kind}
                className={classes.bar}
                x={index * BAR_STEP}
                y={y + 2}
                width={BAR_WIDTH}
                height={height}
                rx={2}
              />
            ))}
          </g>
        ))}
      </svg>
      <Text size="sm" c="dimmed">
        {t("webhooks.days.sum", { words: words(sumOf(days)) })}
      </Text>
    </div>
  );
}

import { NativeSelect, Text, TextInput } from "@mantine/core";
import { useTranslation } from "../i18n/words.ts";
import { useTimeFormat } from "../session/queries.ts";
import fields from "../ui/form.module.css";
import { formatDay } from "../ui/time.ts";
import type { PlacedErrors } from "./fields.ts";
import { INTERVAL_MAX, OCCURRENCES_MAX, repeatDays, type TypedRepeats } from "./repeats.ts";
import classes from "./SchedulePage.module.css";

interface Props {
  repeats: TypedRepeats;
  /** The day of the first one; empty while it is not complete. */
  day: string;
  errors: PlacedErrors;
  onChange: (repeats: TypedRepeats) => void;
}

const EVERY = ["day", "week", "month"] as const;
const ENDS = ["count", "until"] as const;

function Every({ repeats, onChange }: Pick<Props, "repeats" | "onChange">) {
  const { t } = useTranslation();
  return (
    <NativeSelect
      label={t("schedule.repeat.label")}
      data={[
        { value: "", label: t("schedule.repeat.once") },
        ...EVERY.map((value) => ({ value, label: t(`schedule.repeat.every.${value}`) })),
      ]}
      value={repeats.every ?? ""}
      onChange={({ currentTarget }) =>
        onChange({ ...repeats, every: (currentTarget.value || null) as TypedRepeats["every"] })
      }
    />
  );
}

function End({ repeats, day, errors, onChange }: Props) {
  const { t } = useTranslation();
  const { ends, count, until } = repeats;
  return (
    <>
      <NativeSelect
        label={t("schedule.repeat.ends")}
        data={ENDS.map((value) => ({ value, label: t(`schedule.repeat.end.${value}`) }))}
        value={ends}
        onChange={({ currentTarget }) => onChange({ ...repeats, ends: currentTarget.value as TypedRepeats["ends"] })}
      />
      {ends === "count" ? (
        <TextInput
          type="number"
          min={1}
          max={OCCURRENCES_MAX}
          label={t("schedule.repeat.count")}
          value={count}
          error={errors.count}
          onChange={({ currentTarget }) => onChange({ ...repeats, count: currentTarget.value })}
        />
      ) : (
        <TextInput
          type="date"
          min={day}
          label={t("schedule.repeat.until")}
          value={until}
          error={errors.until}
          onChange={({ currentTarget }) => onChange({ ...repeats, until: currentTarget.value })}
        />
      )}
    </>
  );
}

/** Once, or how often and until when; below it, what that comes to. */
export function RepeatFields(props: Props) {
  const { t } = useTranslation();
  const { locale } = useTimeFormat();
  const { repeats, day, errors, onChange } = props;
  const { every, interval } = repeats;
  const days = repeatDays(repeats, day);
  const last = days.at(-1);
  return (
    <div className={classes.repeat}>
      <div className={fields.pair}>
        <Every repeats={repeats} onChange={onChange} />
        {every !== null && (
          <>
            <TextInput
              type="number"
              min={1}
              max={INTERVAL_MAX}
              label={t(`schedule.repeat.interval.${every}`)}
              value={interval}
              error={errors.interval}
              onChange={({ currentTarget }) => onChange({ ...repeats, interval: currentTarget.value })}
            />
            <End {...props} />
          </>
        )}
      </div>
      <Text size="sm" c="dimmed" role="status">
        {last !== undefined && t("schedule.repeat.summary", { count: days.length, day: formatDay(last, locale) })}
      </Text>
    </div>
  );
}

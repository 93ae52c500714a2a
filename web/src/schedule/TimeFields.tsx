import { TextInput } from "@mantine/core";
import { useTranslation } from "../i18n/words.ts";
import fields from "../ui/form.module.css";
import { DURATION_MAX_MINUTES, type PlacedErrors } from "./fields.ts";

export interface Times {
  /** Local to the clinic, "YYYY-MM-DDTHH:MM"; sent without an offset and read in the clinic's zone. */
  start: string;
  /** Minutes, as typed. */
  duration: string;
}

/** When a consult starts and how long it takes. */
export function TimeFields({
  times,
  errors,
  onChange,
}: {
  times: Times;
  errors: PlacedErrors;
  onChange: (changes: Partial<Times>) => void;
}) {
  const { t } = useTranslation();
  return (
    <div className={fields.pair}>
      <TextInput
        type="datetime-local"
        label={t("schedule.start")}
        value={times.start}
        error={errors.start_time}
        onChange={(event) => onChange({ start: event.currentTarget.value })}
      />
      <TextInput
        type="number"
        min={1}
        max={DURATION_MAX_MINUTES}
        label={t("schedule.duration")}
        value={times.duration}
        error={errors.duration}
        onChange={(event) => onChange({ duration: event.currentTarget.value })}
      />
    </div>
  );
}

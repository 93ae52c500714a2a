import { TextInput } from "@mantine/core";
import { useEffect, useState } from "react";
import { useTranslation } from "../i18n/words.ts";
import { isWholeDay } from "./time.ts";

interface DayFieldProps {
  label: string;
  /** "YYYY-MM-DD"; empty for none. */
  day: string;
  /** An earlier one is said to be, and changes nothing. */
  min?: string | undefined;
  /** Told whole days, and an empty field. */
  onChange: (day: string) => void;
}

/**
 * A day that a list is narrowed by. The browser tells every key: a year that is being typed begins as the year 2, so what
 * stands in the field is kept here until it is a day that somebody can mean. Left before that, it shows what holds.
 */
export function DayField({ label, day, min, onChange }: DayFieldProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(day);
  // Another way to the same page, such as Back or "show all", changes the address without typing.
  useEffect(() => setTyped(day), [day]);
  const isEarly = min !== undefined && isWholeDay(typed) && typed < min;
  return (
    <TextInput
      type="date"
      label={label}
      min={min}
      value={typed}
      error={isEarly ? t("shell.dayBeforeFirst") : undefined}
      onChange={({ currentTarget: { value } }) => {
        setTyped(value);
        if (value === "" || isWholeDay(value)) onChange(value);
      }}
      onBlur={() => setTyped(day)}
    />
  );
}

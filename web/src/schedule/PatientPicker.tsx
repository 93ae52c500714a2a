import { Checkbox, Radio, Text, TextInput } from "@mantine/core";
import "../ui/checkbox.css";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import type { Person } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import fields from "../ui/form.module.css";
import { useProblemWords } from "../ui/problem-words.ts";
import { patientsQuery } from "./queries.ts";
import classes from "./SchedulePage.module.css";

const TYPING_PAUSE_MILLISECONDS = 250;

interface Props {
  chosen: Person[];
  single: boolean;
  without?: readonly number[];
  error?: string | undefined;
  /** The keyboard begins here. */
  focus?: boolean;
  onChange: (patients: Person[]) => void;
}

function Choices({ chosen, single, without = [], name, onChange }: Props & { name: string }) {
  const { t } = useTranslation();
  const words = useProblemWords();
  const query = useQuery(patientsQuery(name));
  const isChosen = (patient: Person) => chosen.some(({ id }) => id === patient.id);
  const found = (query.data ?? []).filter((patient) => !isChosen(patient) && !without.includes(patient.id));
  const choose = (patient: Person) => {
    if (single) onChange([patient]);
    else onChange(isChosen(patient) ? chosen.filter(({ id }) => id !== patient.id) : [...chosen, patient]);
  };
  const Box = single ? Radio : Checkbox;
  return (
    <div className={classes.choices}>
      {[...chosen, ...found].map((patient) => (
        <Box key={patient.id} label={patient.name} checked={isChosen(patient)} onChange={() => choose(patient)} />
      ))}
      {query.isPending && (
        <Text size="sm" c="dimmed">
          {t("shell.loading")}
        </Text>
      )}
      {query.isError && (
        <Text size="sm" role="alert">
          {words(query.error)}
        </Text>
      )}
      {query.isSuccess && chosen.length + found.length === 0 && (
        <Text size="sm" c="dimmed">
          {t("schedule.nobody")}
        </Text>
      )}
    </div>
  );
}

/** Finds patients by name. With `single`, choosing one replaces the other; chosen ones stay in sight while searching. */
export function PatientPicker(props: Props) {
  const { t } = useTranslation();
  const { chosen, single, error, focus = false } = props;
  const [typed, setTyped] = useState("");
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (focus) search.current?.focus();
  }, [focus]);
  const [name] = useDebouncedValue(typed.trim(), TYPING_PAUSE_MILLISECONDS);
  return (
    <fieldset className={fields.group}>
      <legend className={fields.legend}>
        {t(single ? "schedule.patient" : "schedule.patientsChosen", { count: chosen.length })}
      </legend>
      <TextInput
        ref={search}
        aria-label={t("schedule.findPatient")}
        placeholder={t("schedule.findPatient")}
        type="search"
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        error={error}
      />
      <Choices {...props} name={name} />
    </fieldset>
  );
}

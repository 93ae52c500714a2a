import { Button, TextInput, UnstyledButton } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Person } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { patientsQuery } from "../schedule/queries.ts";
import classes from "../ui/form.module.css";
import { useProblemWords } from "../ui/problem-words.ts";

const TYPING_PAUSE_MILLISECONDS = 250;

interface Props {
  label: string;
  chosen: Person | null;
  error?: string | undefined;
  onChange: (person: Person | null) => void;
}

function Found({ name, onChange }: { name: string; onChange: Props["onChange"] }) {
  const { t } = useTranslation();
  const words = useProblemWords();
  const query = useQuery(patientsQuery(name));
  return (
    <ul className={classes.found}>
      {query.data?.map((person) => (
        <li key={person.id}>
          <UnstyledButton className={classes.choice} onClick={() => onChange(person)}>
            {person.name}
          </UnstyledButton>
        </li>
      ))}
      {query.data?.length === 0 && <li className={classes.none}>{t("billing.patient.nobody")}</li>}
      {query.isPending && <li className={classes.none}>{t("shell.loading")}</li>}
      {query.isError && (
        <li className={classes.none} role="alert">
          {words(query.error)}
        </li>
      )}
    </ul>
  );
}

function Search({ label, error, onChange, autoFocus }: Omit<Props, "chosen"> & { autoFocus: boolean }) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const [name] = useDebouncedValue(typed.trim(), TYPING_PAUSE_MILLISECONDS);
  return (
    <>
      <TextInput
        type="search"
        aria-label={`${label}: ${t("billing.patient.find")}`}
        placeholder={t("billing.patient.find")}
        value={typed}
        error={error}
        autoFocus={autoFocus}
        onChange={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={(event) => event.key === "Enter" && event.preventDefault()}
      />
      <Found name={name} onChange={onChange} />
    </>
  );
}

/** One patient, found by name; once chosen, the name stands there with a way to choose another one. */
export function PatientField({ label, chosen, error, onChange }: Props) {
  const { t } = useTranslation();
  const [hadChosen, setHadChosen] = useState(false);
  const choose = (person: Person | null) => {
    setHadChosen(true);
    onChange(person);
  };
  return (
    <fieldset className={classes.group}>
      <legend className={classes.legend}>{label}</legend>
      {chosen === null ? (
        <Search label={label} error={error} onChange={choose} autoFocus={hadChosen} />
      ) : (
        <div className={classes.chosen}>
          {chosen.name}
          <Button
            variant="subtle"
            size="compact-sm"
            autoFocus={hadChosen}
            aria-label={t("billing.patient.changeName", { name: chosen.name })}
            onClick={() => choose(null)}
          >
            {t("billing.patient.change")}
          </Button>
        </div>
      )}
    </fieldset>
  );
}

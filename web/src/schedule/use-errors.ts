import { useState } from "react";
import { ProblemError } from "../api.ts";
import { useTranslation } from "../i18n/words.ts";
import { useFieldWords, useProblemWords } from "../ui/problem-words.ts";
import { type consultMistakes, type PlacedErrors, placeErrors } from "./fields.ts";

type Mistakes = ReturnType<typeof consultMistakes>;

/** What the server may say no to here, by its code; in the dictionaries under `schedule.refusal`. */
const REFUSALS = [
  "consult_full",
  "consult_cancelled",
  "already_in_consult",
  "not_one_to_one",
  "series_too_large",
] as const;

/** One sentence for a person about anything that an act on the schedule can throw. */
export function useScheduleWords(): (error: unknown) => string {
  const { t } = useTranslation();
  const words = useProblemWords();
  return (error) => {
    const code = error instanceof ProblemError ? REFUSALS.find((known) => known === error.code) : undefined;
    return code === undefined ? words(error) : t(`schedule.refusal.${code}`);
  };
}

/** The errors of a form in the page's words: ours, found before sending, else the server's answer. */
export function useErrors(answer: unknown) {
  const { t } = useTranslation();
  const problem = useScheduleWords();
  const fieldWords = useFieldWords();
  // A refusal of the whole is worded by its code, wherever it stands.
  const isConflict = answer instanceof ProblemError && answer.status === 409;
  const words = { problem, field: isConflict ? () => problem(answer) : fieldWords };
  const [mistakes, setMistakes] = useState<Mistakes>({});
  const own = Object.entries(mistakes).map(([place, mistake]) => [place, t(`schedule.mistake.${mistake}`)]);
  const errors: PlacedErrors = own.length > 0 ? Object.fromEntries(own) : placeErrors(answer, words);
  /** Runs `act` only where nothing is wrong; else says at each field what is. */
  const check = (found: Mistakes, act: () => void) => {
    setMistakes(found);
    if (Object.keys(found).length === 0) act();
  };
  const forget = () => setMistakes({});
  return { errors, check, forget };
}

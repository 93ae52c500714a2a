import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useFieldWords, useProblemWords } from "../ui/problem-words.ts";
import { type consultMistakes, type PlacedErrors, placeErrors } from "./fields.ts";

type Mistakes = ReturnType<typeof consultMistakes>;

/** The errors of a form in the page's words: ours, found before sending, else the server's answer. */
export function useErrors(answer: unknown) {
  const { t } = useTranslation();
  const words = { problem: useProblemWords(), field: useFieldWords() };
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

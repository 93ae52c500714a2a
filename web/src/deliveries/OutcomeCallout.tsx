import { toneOf } from "@hookwell/sdk/causes";
import type { ReactNode } from "react";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "../ui/Callout.tsx";
import { JsonText } from "../ui/JsonText.tsx";
import classes from "./OutcomeCallout.module.css";
import { type Outcome, useOutcomeWords } from "./outcome.ts";

/** How a test ended (a test is never tried again), what to do about it, and the very words of the answer. */
export function OutcomeCallout({ outcome, children }: { outcome: Outcome; children?: ReactNode }) {
  const { t } = useTranslation();
  const { text, advice } = useOutcomeWords()(outcome);
  const { answerText } = outcome;
  return (
    <Callout tone={toneOf(outcome.cause)} title={text} text={advice === "" ? undefined : advice}>
      {children}
      {answerText !== null && answerText !== "" && (
        <div className={classes.answer}>
          <JsonText text={answerText} label={t("deliveries.answer")} />
        </div>
      )}
    </Callout>
  );
}

import { useTranslation } from "react-i18next";
import { FORMAT_LOCALES } from "../i18n/languages.ts";
import { useLanguage } from "../session/queries.ts";
import { Callout } from "../ui/Callout.tsx";
import { JsonText } from "../ui/JsonText.tsx";
import { formatSeconds } from "../ui/time.ts";
import { advisable, causeOf, statusWords, toneOf } from "./causes.ts";
import classes from "./OutcomeCallout.module.css";

export interface Outcome {
  outcome: string;
  status: number | null;
  durationMs: number | null;
  answerText: string | null;
}

/** "It answered 200 OK in 0.18 s", or what went wrong, in one sentence. */
export function useOutcomeSentence(): (outcome: Outcome) => string {
  const { t } = useTranslation();
  const locale = FORMAT_LOCALES[useLanguage()];
  return ({ outcome, status, durationMs }) => {
    const cause = causeOf(outcome, status);
    return t(`deliveries.cause.${cause}.text`, {
      status: status === null ? "" : statusWords(status),
      timed: durationMs === null ? "no" : "yes",
      seconds: durationMs === null ? "" : formatSeconds(durationMs, locale),
    });
  };
}

/** How a test ended (a test is never tried again), what to do about it, and the very words of the answer. */
export function OutcomeCallout(outcome: Outcome) {
  const { t } = useTranslation();
  const sentence = useOutcomeSentence();
  const cause = causeOf(outcome.outcome, outcome.status);
  const advised = advisable(cause);
  const advice = advised === null ? undefined : t(`deliveries.cause.${advised}.advice`, { retrying: "no" });
  const { answerText } = outcome;
  return (
    <Callout tone={toneOf(cause)} title={sentence(outcome)} text={advice}>
      {answerText !== null && answerText !== "" && (
        <div className={classes.answer}>
          <JsonText text={answerText} label={t("deliveries.answer")} />
        </div>
      )}
    </Callout>
  );
}

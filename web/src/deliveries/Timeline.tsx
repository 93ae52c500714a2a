import { toneOf } from "@hookwell/sdk/causes";
import { Text } from "@mantine/core";
import IconAlert from "@tabler/icons-react/dist/esm/icons/IconAlertTriangle.mjs";
import IconCheck from "@tabler/icons-react/dist/esm/icons/IconCircleCheck.mjs";
import IconClock from "@tabler/icons-react/dist/esm/icons/IconClock.mjs";
import IconQuestion from "@tabler/icons-react/dist/esm/icons/IconHelpCircle.mjs";
import type { ReactNode } from "react";
import type { Attempt } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { useTimeFormat } from "../session/queries.ts";
import { JsonText } from "../ui/JsonText.tsx";
import { formatMoment } from "../ui/time.ts";
import classes from "./DeliveryDrawer.module.css";
import { type Ahead, outcomeOf, useOutcomeWords } from "./outcome.ts";

const ICONS = { good: IconCheck, warn: IconQuestion, bad: IconAlert, calm: IconClock };

/** `ahead` is null for all but the last attempt: advice on an older one has been overtaken. */
function Step({ attempt, ahead, children }: { attempt: Attempt; ahead: Ahead | null; children: ReactNode }) {
  const { t } = useTranslation();
  const format = useTimeFormat();
  const words = useOutcomeWords();
  const { answer_text, answer_truncated, late, started_at } = attempt;
  const outcome = outcomeOf(attempt);
  const tone = toneOf(outcome.cause);
  const Glyph = ICONS[tone];
  const { text, advice } = words(outcome, ahead ?? undefined);
  return (
    <li className={classes.step}>
      <span className={classes.mark} data-tone={tone}>
        <Glyph size={18} aria-hidden="true" />
      </span>
      <div>
        <Text size="sm" fw={600}>
          {text}
        </Text>
        <Text size="sm" c="dimmed">
          {t("deliveries.attempt", { number: attempt.attempt, when: formatMoment(started_at, format) })}
          {late && ` ${t("deliveries.late")}`}
        </Text>
        {ahead !== null && advice !== "" && <Text size="sm">{advice}</Text>}
        {ahead !== null && children}
        {answer_text !== null && answer_text !== "" && (
          <div className={classes.answer}>
            <JsonText text={answer_text} label={t(answer_truncated ? "deliveries.answerCut" : "deliveries.answer")} />
          </div>
        )}
      </div>
    </li>
  );
}

interface TimelineProps {
  attempts: Attempt[];
  ahead: Ahead;
  /** What can be done about the last one. */
  mend: ReactNode;
}

/** The attempts in the order they were made, and when the next one comes. */
export function Timeline({ attempts, ahead, mend }: TimelineProps) {
  const { t } = useTranslation();
  const { next } = ahead;
  return (
    <ol className={classes.steps}>
      {attempts.map((attempt, index) => (
        <Step
          key={`${attempt.attempt} ${attempt.started_at}`}
          attempt={attempt}
          ahead={index < attempts.length - 1 ? null : ahead}
        >
          {mend}
        </Step>
      ))}
      {next !== null && (
        <li className={classes.step}>
          <span className={classes.mark} data-tone="calm">
            <IconClock size={18} aria-hidden="true" />
          </span>
          <Text size="sm">{t("deliveries.nextTry", { when: next })}</Text>
        </li>
      )}
      {attempts.length === 0 && next === null && (
        <li>
          <Text size="sm" c="dimmed">
            {t("deliveries.noAttempt")}
          </Text>
        </li>
      )}
    </ol>
  );
}

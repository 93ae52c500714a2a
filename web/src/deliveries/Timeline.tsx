import { Text } from "@mantine/core";
import IconAlert from "@tabler/icons-react/dist/esm/icons/IconAlertTriangle.mjs";
import IconCheck from "@tabler/icons-react/dist/esm/icons/IconCircleCheck.mjs";
import IconClock from "@tabler/icons-react/dist/esm/icons/IconClock.mjs";
import IconQuestion from "@tabler/icons-react/dist/esm/icons/IconHelpCircle.mjs";
import { useTranslation } from "react-i18next";
import type { Attempt } from "../api-types.ts";
import { useTimeFormat } from "../session/queries.ts";
import { JsonText } from "../ui/JsonText.tsx";
import { formatMoment } from "../ui/time.ts";
import { advisable, causeOf, toneOf } from "./causes.ts";
import classes from "./DeliveryDrawer.module.css";
import { useOutcomeSentence } from "./OutcomeCallout.tsx";

const ICONS = { good: IconCheck, warn: IconQuestion, bad: IconAlert, calm: IconClock };

/** `retrying` is null for all but the last attempt: advice on an older one has been overtaken. */
function Step({ attempt, retrying }: { attempt: Attempt; retrying: "yes" | "no" | null }) {
  const { t } = useTranslation();
  const format = useTimeFormat();
  const sentence = useOutcomeSentence();
  const { outcome, status, duration_ms, answer_text, answer_truncated, late, started_at } = attempt;
  const cause = causeOf(outcome, status);
  const tone = toneOf(cause);
  const Glyph = ICONS[tone];
  const advised = retrying === null ? null : advisable(cause);
  return (
    <li className={classes.step}>
      <span className={classes.mark} data-tone={tone}>
        <Glyph size={18} aria-hidden="true" />
      </span>
      <div>
        <Text size="sm" fw={600}>
          {sentence({ outcome, status, durationMs: duration_ms, answerText: answer_text })}
        </Text>
        <Text size="sm" c="dimmed">
          {t("deliveries.attempt", { number: attempt.attempt, when: formatMoment(started_at, format) })}
          {late && ` ${t("deliveries.late")}`}
        </Text>
        {advised !== null && <Text size="sm">{t(`deliveries.cause.${advised}.advice`, { retrying })}</Text>}
        {answer_text !== null && answer_text !== "" && (
          <div className={classes.answer}>
            <JsonText text={answer_text} label={t(answer_truncated ? "deliveries.answerCut" : "deliveries.answer")} />
          </div>
        )}
      </div>
    </li>
  );
}

/** The attempts in the order they were made, and when the next one comes. */
export function Timeline({ attempts, nextAttemptAt }: { attempts: Attempt[]; nextAttemptAt: string | null }) {
  const { t } = useTranslation();
  const format = useTimeFormat();
  return (
    <ol className={classes.steps}>
      {attempts.map((attempt, index) => (
        <Step
          key={`${attempt.attempt} ${attempt.started_at}`}
          attempt={attempt}
          retrying={index < attempts.length - 1 ? null : nextAttemptAt === null ? "no" : "yes"}
        />
      ))}
      {nextAttemptAt !== null && (
        <li className={classes.step}>
          <span className={classes.mark} data-tone="calm">
            <IconClock size={18} aria-hidden="true" />
          </span>
          <Text size="sm">{t("deliveries.nextTry", { when: formatMoment(nextAttemptAt, format) })}</Text>
        </li>
      )}
      {attempts.length === 0 && nextAttemptAt === null && (
        <li>
          <Text size="sm" c="dimmed">
            {t("deliveries.noAttempt")}
          </Text>
        </li>
      )}
    </ol>
  );
}

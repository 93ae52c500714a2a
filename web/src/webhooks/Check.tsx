import { EVENTS, type EventName } from "@hookwell/sdk";
import { Button } from "@mantine/core";
import IconSend from "@tabler/icons-react/dist/esm/icons/IconSend.mjs";
import { useEffect, useRef } from "react";
import type { TestAnswer } from "../api-types.ts";
import { OutcomeCallout } from "../deliveries/OutcomeCallout.tsx";
import { outcomeOf } from "../deliveries/outcome.ts";
import { useTranslation } from "../i18n/words.ts";
import { useLanguage } from "../session/queries.ts";
import { Callout } from "../ui/Callout.tsx";
import { useProblemWords } from "../ui/problem-words.ts";
import classes from "./Check.module.css";
import { fieldId } from "./form.ts";
import { Section } from "./Section.tsx";
import type { Saver } from "./save.ts";
import { type OpenForm, useChecked, useTest } from "./use-configure.ts";

/** A test speaks of invented people: who would receive patients' data need not be told yet. */
const NEEDED = ["url"] as const;

function Answer({ answer: { result }, onUse }: { answer: TestAnswer; onUse: (url: string) => void }) {
  const { t } = useTranslation();
  const { moved_to } = result;
  return (
    <OutcomeCallout outcome={outcomeOf(result)}>
      {moved_to !== null && (
        <Button mt="xs" size="xs" variant="default" onClick={() => onUse(moved_to)}>
          {t("deliveries.useNewAddress")}
        </Button>
      )}
    </OutcomeCallout>
  );
}

/** Brings the news of a test into sight. */
function useInSight(status: string) {
  const result = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (status === "success" || status === "error") result.current?.scrollIntoView({ block: "nearest" });
  }, [status]);
  return result;
}

/** Check: sends the previewed event about invented people, and shows in place what the receiver really answered. */
export function Check({ form, saver, event }: { form: OpenForm; saver: Saver; event: EventName }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const words = useProblemWords();
  const test = useTest(saver, form, event);
  const checked = useChecked(form, NEEDED);
  const result = useInSight(test.status);
  const useNew = (url: string) => {
    form.change({ url });
    test.reset();
    document.getElementById(fieldId("url"))?.focus();
  };
  return (
    <Section number={4} title={t("webhooks.check.title")} text={t("webhooks.check.text")}>
      <div className={classes.row}>
        <Button
          variant="light"
          leftSection={<IconSend size={16} aria-hidden="true" />}
          loading={test.isPending}
          onClick={() => checked(() => test.start())}
        >
          {t("webhooks.check.send")}
        </Button>
        <span className={classes.which}>{t("webhooks.check.which", { event: EVENTS[event].label[language] })}</span>
      </div>
      <div ref={result} aria-live="polite" data-test-result>
        {test.isPending && <Callout tone="calm" text={t("webhooks.check.sending")} />}
        {test.isError && <Callout tone="bad" text={words(test.error)} />}
        {test.isSuccess && <Answer answer={test.data} onUse={useNew} />}
      </div>
    </Section>
  );
}

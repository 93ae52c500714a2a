import { Button, Paper, Text } from "@mantine/core";
import { useTranslation } from "../i18n/words.ts";
import { useIsEmbedded } from "../session/queries.ts";
import classes from "./Starter.module.css";

const STEPS = ["choose", "test", "watch"] as const;

/** For a clinic without webhooks: three steps to a first success, with no other system needed. */
export function Starter({ onStart }: { onStart: () => void }) {
  const { t } = useTranslation();
  const isEmbedded = useIsEmbedded(); // the test inbox and the schedule are not in the frame
  return (
    <Paper withBorder radius="lg" p={{ base: "md", sm: "xl" }}>
      <Text fw={600} size="lg">
        {t("webhooks.starter.title")}
      </Text>
      <Text c="dimmed">{t("webhooks.starter.text")}</Text>
      <ol className={classes.steps}>
        {STEPS.map((step, index) => (
          <li key={step} className={classes.step}>
            <span className={classes.number} aria-hidden="true">
              {index + 1}
            </span>
            <div>
              <Text fw={600}>{t(`webhooks.starter.${step}`)}</Text>
              <Text size="sm" c="dimmed">
                {t(isEmbedded && step === "watch" ? "webhooks.starter.watchEmbedded" : `webhooks.starter.${step}Text`)}
              </Text>
            </div>
          </li>
        ))}
      </ol>
      <Button onClick={onStart}>{t("webhooks.starter.start")}</Button>
    </Paper>
  );
}

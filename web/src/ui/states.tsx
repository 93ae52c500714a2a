// The four things a list can be besides full: loading, could not load, nothing matches, nothing yet. Each page words
// the last two itself.
import { Button, Skeleton, Stack, Text, VisuallyHidden } from "@mantine/core";
import type { Icon } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "./Callout.tsx";
import { useProblemWords } from "./problem-words.ts";
import classes from "./states.module.css";

/** Grey rows of the height that the content will have, so that nothing jumps. */
export function LoadingRows({ rows = 4, height = 56 }: { rows?: number; height?: number }) {
  const { t } = useTranslation();
  return (
    <Stack gap="sm" aria-busy="true">
      <VisuallyHidden role="status">{t("shell.loading")}</VisuallyHidden>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are alike and never change places.
        <Skeleton key={row} height={height} radius="md" />
      ))}
    </Stack>
  );
}

/** Says what went wrong and offers to try again. */
export function LoadFailed({ error, retry }: { error: unknown; retry: () => void }) {
  const { t } = useTranslation();
  const words = useProblemWords();
  return (
    <div role="alert">
      <Callout tone="bad" title={t("shell.couldNotLoad")} text={words(error)}>
        <Button mt="sm" size="xs" variant="default" onClick={retry}>
          {t("shell.tryAgain")}
        </Button>
      </Callout>
    </div>
  );
}

/** Nothing here: why, and what to do about it. */
export function Empty({
  icon: Glyph,
  title,
  text,
  children,
}: {
  icon: Icon;
  title: string;
  text?: string;
  children?: ReactNode;
}) {
  return (
    <div className={classes.empty}>
      <span className={classes.symbol}>
        <Glyph size={28} aria-hidden="true" />
      </span>
      <Text fw={600}>{title}</Text>
      {text !== undefined && (
        <Text c="dimmed" maw="34rem">
          {text}
        </Text>
      )}
      {children}
    </div>
  );
}

import { Button, Stack } from "@mantine/core";
import type { ErrorComponentProps } from "@tanstack/react-router";
import { ProblemError } from "../api.ts";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "./Callout.tsx";
import { LoadFailed } from "./states.tsx";

/** The error boundary: a refusal of the server can be tried again; a bug of ours asks for a reload. */
export function Crash({ error, reset }: ErrorComponentProps) {
  const { t } = useTranslation();
  if (error instanceof ProblemError) {
    return (
      <Stack p="lg">
        <LoadFailed error={error} retry={() => window.location.reload()} />
      </Stack>
    );
  }
  const reload = () => {
    reset();
    window.location.reload();
  };
  return (
    <Stack p="lg" role="alert">
      <Callout tone="bad" title={t("shell.crash.title")} text={t("shell.crash.text")}>
        <Button mt="sm" size="xs" variant="default" onClick={reload}>
          {t("shell.crash.reload")}
        </Button>
      </Callout>
    </Stack>
  );
}

// A file that was found good: what would come of it, whether anything is to be sent, and starting it.
import { Button, Radio, Stack, Text } from "@mantine/core";
import "../ui/checkbox.css";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Import, imports } from "../api/imports.ts";
import { useTranslation } from "../i18n/words.ts";
import { useIntent } from "../intent.ts";
import { Callout } from "../ui/Callout.tsx";
import { ConfirmDialog } from "../ui/ConfirmDialog.tsx";
import { IMPORTS } from "./queries.ts";

type Choice = "silent" | "loud";

function Sending({ job, choice, onChange }: { job: Import; choice: Choice; onChange: (choice: Choice) => void }) {
  const { t } = useTranslation();
  // Adding patients is no sign-up on the portal: there is no event that could be sent.
  if (job.kind === "patients") return <Text size="sm">{t("import.send.never")}</Text>;
  return (
    <Radio.Group
      label={t("import.send.label")}
      value={choice}
      onChange={(value) => onChange(value === "loud" ? "loud" : "silent")}
    >
      <Stack gap="sm" mt="xs">
        <Radio value="silent" label={t("import.send.silent")} description={t("import.send.silentText")} />
        <Radio
          value="loud"
          label={t("import.send.loud")}
          description={t("import.send.loudText", { count: job.events })}
        />
      </Stack>
    </Radio.Group>
  );
}

/** See the head of this file. */
export function GoOn({ job }: { job: Import }) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const [choice, setChoice] = useState<Choice>("silent");
  const [asking, setAsking] = useState(false);
  const start = useIntent((intent) => imports.start(job.id, choice === "loud", intent), {
    onSuccess: async () => {
      setAsking(false);
      await queryClient.invalidateQueries({ queryKey: IMPORTS });
    },
  });
  const close = () => {
    setAsking(false);
    start.reset();
  };
  return (
    <>
      <Callout tone="good" title={t(`import.wouldCreate.${job.kind}`, { count: job.records })} />
      <Sending job={job} choice={choice} onChange={setChoice} />
      <div>
        <Button onClick={() => setAsking(true)}>{t("import.start")}</Button>
      </div>
      {asking && (
        <ConfirmDialog
          title={t("import.startTitle")}
          action={t("import.start")}
          pending={start.isPending}
          error={start.error}
          onConfirm={() => start.start()}
          onClose={close}
        >
          <Stack gap="xs">
            <span>{t(`import.wouldCreate.${job.kind}`, { count: job.records })}</span>
            <strong>{t(`import.confirm.${choice}`, { count: job.events })}</strong>
            <span>{t("import.confirm.all")}</span>
          </Stack>
        </ConfirmDialog>
      )}
    </>
  );
}

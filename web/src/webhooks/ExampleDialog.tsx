import { EVENTS, type EventName } from "@hookwell/sdk";
import { Stack, Text } from "@mantine/core";
import { useTranslation } from "../i18n/words.ts";
import { useLanguage } from "../session/queries.ts";
import { Dialog } from "../ui/Dialog.tsx";
import { JsonText } from "../ui/JsonText.tsx";
import { previewText } from "./preview.ts";

/** The sample of an event with everything in it, when it is sent and when it is not. */
export default function ExampleDialog({ event, onClose }: { event: EventName; onClose: () => void }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { label, sentence, firesNot } = EVENTS[event];
  const text = previewText(event, { practitioner: "all", patient: "all" }, { oneParticipantPerRequest: false });
  return (
    <Dialog onClose={onClose} size="lg" title={t("webhooks.exampleOf", { event: label[language] })}>
      <Stack gap="xs">
        <Text size="sm">{sentence[language]}</Text>
        <Text size="sm" c="dimmed">
          {firesNot[language]}
        </Text>
        <Text size="sm" c="dimmed">
          {t("webhooks.exampleNote")}
        </Text>
        <JsonText isBody text={text} label={t("preview.json")} />
      </Stack>
    </Dialog>
  );
}

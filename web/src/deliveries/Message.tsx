// What a delivery sent, or will send: patients stand in it as dots until somebody says why they are to be seen.
import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { deliveries } from "../api.ts";
import type { DeliveryDetail } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { useIntent } from "../intent.ts";
import { useIsEmbedded } from "../session/queries.ts";
import { Callout } from "../ui/Callout.tsx";
import { JsonText } from "../ui/JsonText.tsx";
import { useProblemWords } from "../ui/problem-words.ts";

const REASON_MAX_CHARACTERS = 200;

function Reveal({ id, onShown }: { id: string; onShown: (body: string) => void }) {
  const { t } = useTranslation();
  const words = useProblemWords();
  const [reason, setReason] = useState<string | null>(null);
  const [isMissing, setMissing] = useState(false);
  const reveal = useIntent((intent, why: string) => deliveries.reveal(id, why, intent), {
    // Asked for twice with one key, it is told once; then there is nothing to show.
    onSuccess: ({ body }) => body !== null && onShown(body),
  });
  if (reason === null) {
    return (
      <Group gap="sm">
        <Text size="sm" c="dimmed">
          {t("deliveries.reveal.hidden")}
        </Text>
        <Button size="xs" variant="default" onClick={() => setReason("")}>
          {t("deliveries.reveal.show")}
        </Button>
      </Group>
    );
  }
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (reason.trim() === "") setMissing(true);
    else reveal.start(reason.trim());
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="xs">
        <TextInput
          label={t("deliveries.reveal.why")}
          description={t("deliveries.reveal.whyText")}
          maxLength={REASON_MAX_CHARACTERS}
          value={reason}
          error={isMissing && t("deliveries.reveal.missing")}
          data-autofocus
          ref={focusOnce}
          onChange={(event) => {
            setReason(event.currentTarget.value);
            setMissing(false);
          }}
        />
        <div role="alert">{reveal.isError && <Callout tone="bad" text={words(reveal.error)} />}</div>
        <Group gap="sm">
          <Button type="submit" size="xs" variant="default" loading={reveal.isPending}>
            {t("deliveries.reveal.show")}
          </Button>
          <Button size="xs" variant="subtle" onClick={() => setReason(null)}>
            {t("shell.cancel")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** The button that was pressed is gone by then. */
function focusOnce(input: HTMLInputElement | null): void {
  input?.focus();
}

/** See the head of this file. `revealed` is kept by the drawer, so that what is copied for a developer is the same text. */
export function Message({
  delivery: { id, request },
  revealed,
  onShown,
}: {
  delivery: DeliveryDetail;
  revealed: string | null;
  onShown: (body: string) => void;
}) {
  const { t } = useTranslation();
  const isEmbedded = useIsEmbedded(); // patients are revealed to people of the clinic, who sign in
  if (request.body === null) {
    return <Callout tone="calm" text={t(request.veiled ? "embed.veiled" : "deliveries.bodyGone")} />;
  }
  return (
    <Stack gap="sm">
      {request.body_masked && revealed === null && !isEmbedded && <Reveal id={id} onShown={onShown} />}
      {request.body_masked && isEmbedded && (
        <Text size="sm" c="dimmed">
          {t("embed.masked")}
        </Text>
      )}
      <JsonText isBody text={revealed ?? request.body} label={t("deliveries.body")} />
    </Stack>
  );
}

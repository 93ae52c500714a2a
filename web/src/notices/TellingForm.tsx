// Where the other system is told, and of what: for a new one, and for the one that is there. Its address is never shown again.
import { Checkbox, Stack, TextInput } from "@mantine/core";
import "../ui/checkbox.css";
import { operationalWebhook as api, NOTICE_KINDS, type NoticeKind, type OperationalWebhook } from "../api/notices.ts";
import { useTranslation } from "../i18n/words.ts";
import type { Intent } from "../intent.ts";
import { FormBody } from "../ui/FormBody.tsx";
import { useForm } from "../ui/form.ts";
import { useProblemWords } from "../ui/problem-words.ts";
import { KINDS } from "./words.ts";

const URL_MAX_CHARACTERS = 2_048;

interface Typed {
  url: string;
  events: NoticeKind[];
}

interface Wanted<Answer> {
  start: () => Typed;
  /** The address may stay empty: then the one that is there is kept. */
  isChange: boolean;
  send: (typed: Typed, intent: Intent) => Promise<Answer>;
  done: (answer: Answer) => unknown;
}

function useFields<Answer>({ start, isChange, send, done }: Wanted<Answer>) {
  const { t } = useTranslation();
  return useForm({
    start,
    fields: ["url", "events"],
    mistakes: ({ url, events }) => ({
      ...(url.trim() === "" && !isChange ? { url: t("notices.telling.mistake.url") } : {}),
      ...(events.length === 0 ? { events: t("notices.telling.mistake.events") } : {}),
    }),
    send,
    done,
    words: useProblemWords(),
    // The check of an address has sentences of its own, for every way in which one can be wrong.
    say: (error) => (error.field === "url" ? t("notices.telling.mistake.refused") : undefined),
  });
}

function Fields<Answer>({ onClose, ...wanted }: Wanted<Answer> & { onClose: () => void }) {
  const { t } = useTranslation();
  const form = useFields(wanted);
  return (
    <FormBody form={form} action={t("notices.telling.save")} onClose={onClose}>
      <TextInput
        label={t(wanted.isChange ? "notices.telling.newAddress" : "notices.telling.address")}
        description={t(wanted.isChange ? "notices.telling.newAddressHint" : "notices.telling.addressHint")}
        value={form.typed.url}
        maxLength={URL_MAX_CHARACTERS}
        error={form.errors.url}
        autoComplete="off"
        onChange={(event) => form.type({ url: event.currentTarget.value })}
        data-autofocus
      />
      <Checkbox.Group
        label={t("notices.telling.events")}
        value={form.typed.events}
        error={form.errors.events}
        onChange={(chosen) => form.type({ events: NOTICE_KINDS.filter((kind) => chosen.includes(kind)) })}
      >
        <Stack gap="xs" mt="xs">
          {NOTICE_KINDS.map((kind) => (
            <Checkbox
              key={kind}
              value={kind}
              label={t(`notices.kind.${KINDS[kind].key}.short`)}
              description={<code>{kind}</code>}
            />
          ))}
        </Stack>
      </Checkbox.Group>
    </FormBody>
  );
}

export function NewAddress({ onDone, onClose }: { onDone: (secret: string | undefined) => void; onClose: () => void }) {
  return (
    <Fields
      start={() => ({ url: "", events: [...NOTICE_KINDS] })}
      isChange={false}
      send={({ url, events }, intent) => api.create({ url: url.trim(), events }, intent)}
      done={({ secret }) => onDone(secret)}
      onClose={onClose}
    />
  );
}

/** A new address keeps the secret. One that asked us to stop is told again once it has another address. */
export function ChangedAddress({
  webhook,
  onDone,
  onClose,
}: {
  webhook: OperationalWebhook;
  onDone: () => Promise<void>;
  onClose: () => void;
}) {
  const isGone = webhook.off_reason === "receiver_gone";
  return (
    <Fields
      start={() => ({ url: "", events: webhook.events })}
      isChange
      send={({ url, events }, intent) => {
        const address = url.trim();
        return api.change(
          { events, ...(address === "" ? {} : { url: address, ...(isGone ? { enabled: true } : {}) }) },
          intent,
        );
      }}
      done={onDone}
      onClose={onClose}
    />
  );
}

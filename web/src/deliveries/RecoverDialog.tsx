// Which deliveries are sent again: it shows how many there are before it asks.
import { Button, Checkbox, Group, Stack, Text, TextInput } from "@mantine/core";
import "../ui/checkbox.css";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type RecoverCount, type RecoverRange, recoveries } from "../api/recoveries.ts";
import { useTranslation } from "../i18n/words.ts";
import { useMe } from "../session/queries.ts";
import { Callout } from "../ui/Callout.tsx";
import { type FormErrors, useForm } from "../ui/form.ts";
import { AskingDialog } from "../ui/leaving.tsx";
import { useRefusalWords } from "../ui/refusals.ts";
import { addDays, dayInZone } from "../ui/time.ts";
import { recoverCountQuery, recoveryQuery } from "./queries.ts";
import { useRecoverWords } from "./recover-words.ts";

const DAYS_BACK = 7;

interface Typed {
  from: string;
  to: string;
  failed: boolean;
  off: boolean;
}

function rangeOf({ from, to, failed, off }: Typed): RecoverRange {
  const states = [...(failed ? (["failed"] as const) : []), ...(off ? (["off"] as const) : [])];
  return { from, states, ...(to === "" ? {} : { to }) };
}

function useMistakes(): (typed: Typed) => FormErrors {
  const { t } = useTranslation();
  return ({ from, to, failed, off }) => ({
    ...(from === "" && { from: t("deliveries.recover.mistake.from") }),
    ...(to !== "" && to <= from && { to: t("deliveries.recover.mistake.to") }),
    ...(!failed && !off && { states: t("deliveries.recover.mistake.which") }),
  });
}

function Times({ form }: { form: ReturnType<typeof useRecoverForm> }) {
  const { t } = useTranslation();
  const { typed, errors, type } = form;
  return (
    <>
      <TextInput
        type="datetime-local"
        label={t("deliveries.recover.from")}
        value={typed.from}
        error={errors.from}
        onChange={(event) => type({ from: event.currentTarget.value })}
        data-autofocus
      />
      <TextInput
        type="datetime-local"
        label={t("deliveries.recover.to")}
        description={t("deliveries.recover.toHint")}
        value={typed.to}
        error={errors.to}
        onChange={(event) => type({ to: event.currentTarget.value })}
      />
    </>
  );
}

function Which({ form }: { form: ReturnType<typeof useRecoverForm> }) {
  const { t } = useTranslation();
  const { typed, errors, type } = form;
  return (
    <Checkbox.Group
      label={t("deliveries.recover.which")}
      error={errors.states}
      value={rangeOf(typed).states}
      onChange={(states: string[]) => type({ failed: states.includes("failed"), off: states.includes("off") })}
    >
      <Stack gap="xs" mt="xs">
        {(["failed", "off"] as const).map((state) => (
          <Checkbox
            key={state}
            value={state}
            label={t(`deliveries.recover.${state}`)}
            description={t(`deliveries.recover.${state}Text`)}
          />
        ))}
      </Stack>
    </Checkbox.Group>
  );
}

function Count({ count, error }: { count: RecoverCount | null; error: Error | null }) {
  const { t } = useTranslation();
  const words = useRefusalWords(useRecoverWords());
  if (error !== null) return <Callout tone="bad" text={words(error)} />;
  if (count === null) return <Text size="sm">{t("deliveries.recover.counting")}</Text>;
  const { found, left_out, counted_all } = count;
  return (
    <Callout
      tone={found === 0 ? "warn" : "calm"}
      title={t(counted_all ? "deliveries.recover.count" : "deliveries.recover.atLeast", { count: found })}
    >
      {left_out > 0 && <div>{t("deliveries.recover.leftOut", { count: left_out })}</div>}
      {found > 0 && <div>{t("deliveries.recover.order")}</div>}
    </Callout>
  );
}

function useRecoverForm(webhook: number, onDone: () => void) {
  const { time_zone } = useMe().clinic;
  const queryClient = useQueryClient();
  return useForm({
    start: (): Typed => {
      const from = `${addDays(dayInZone(new Date(), time_zone), -DAYS_BACK)}T00:00`;
      return { from, to: "", failed: true, off: true };
    },
    fields: ["from", "to", "states"],
    mistakes: useMistakes(),
    send: (typed, intent) => recoveries.start(webhook, rangeOf(typed), intent),
    done: async () => {
      onDone();
      await queryClient.invalidateQueries({ queryKey: recoveryQuery(webhook).queryKey });
    },
    words: useRefusalWords(useRecoverWords()),
  });
}

function Body({ webhook, onDone, onClose }: { webhook: number; onDone: () => void; onClose: () => void }) {
  const { t } = useTranslation();
  const form = useRecoverForm(webhook, onDone);
  const mistakes = useMistakes()(form.typed);
  const range = Object.keys(mistakes).length === 0 ? rangeOf(form.typed) : null;
  const { data, error } = useQuery(recoverCountQuery(webhook, range));
  const found = data?.found ?? 0;
  return (
    <form ref={form.element} onSubmit={form.submit} noValidate>
      <Stack>
        <Text size="sm">{t("deliveries.recover.intro")}</Text>
        <Times form={form} />
        <Which form={form} />
        <div aria-live="polite">{range !== null && <Count count={data ?? null} error={error} />}</div>
        <div role="alert">{form.errors.other !== undefined && <Callout tone="bad" text={form.errors.other} />}</div>
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onClose}>
            {t("shell.cancel")}
          </Button>
          <Button type="submit" loading={form.isPending} disabled={range !== null && found === 0}>
            {t("deliveries.recover.start", { count: found })}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** See the head of this file. */
export function RecoverDialog({ webhook, onClose }: { webhook: number; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <AskingDialog title={t("deliveries.recover.open")} onClose={onClose}>
      {(leave) => <Body webhook={webhook} onDone={onClose} onClose={leave} />}
    </AskingDialog>
  );
}

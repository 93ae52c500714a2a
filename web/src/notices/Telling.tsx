// The one other system that is told of notices, such as a help desk: set up, shown, removed.
import { Button, Group, Stack, Text, Title } from "@mantine/core";
import IconPlus from "@tabler/icons-react/dist/esm/icons/IconPlus.mjs";
import { queryOptions, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { operationalWebhook as api, type OperationalWebhook } from "../api/notices.ts";
import { ProblemError } from "../api.ts";
import { useTranslation } from "../i18n/words.ts";
import { useIntent } from "../intent.ts";
import { ConfirmDialog } from "../ui/ConfirmDialog.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { AskingDialog } from "../ui/leaving.tsx";
import rows from "../ui/rows.module.css";
import { LoadFailed } from "../ui/states.tsx";
import { useWhen } from "../ui/when.ts";
import { SecretText } from "../webhooks/SecretOnce.tsx";
import { noticesQuery } from "./queries.ts";
import { ChangedAddress, NewAddress } from "./TellingForm.tsx";
import { TellingSecret } from "./TellingSecret.tsx";

/** Null where none is set up, which is no failure. */
const operationalQuery = queryOptions({
  queryKey: ["operational-webhook"],
  queryFn: async ({ signal }): Promise<OperationalWebhook | null> => {
    try {
      return await api.get(signal);
    } catch (error) {
      if (error instanceof ProblemError && error.status === 404) return null;
      throw error;
    }
  },
});

function useRefresh(): () => Promise<void> {
  const queryClient = useQueryClient();
  return () => queryClient.invalidateQueries({ queryKey: operationalQuery.queryKey });
}

/** The form, and after it the secret, this once. */
function SetUp({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const refresh = useRefresh();
  const [made, setMade] = useState<{ secret: string | undefined } | null>(null);
  if (made !== null) {
    return (
      <Dialog title={t("notices.telling.ready")} size="40rem" closeOnClickOutside={false} onClose={onClose}>
        <Stack>
          <SecretText secret={made.secret}>{t("notices.telling.secretText")}</SecretText>
          <Group justify="flex-end">
            <Button onClick={onClose}>{t("shell.done")}</Button>
          </Group>
        </Stack>
      </Dialog>
    );
  }
  const show = async (secret: string | undefined) => {
    setMade({ secret });
    await refresh();
  };
  return (
    <AskingDialog title={t("notices.telling.setUp")} onClose={onClose}>
      {(leave) => <NewAddress onDone={show} onClose={leave} />}
    </AskingDialog>
  );
}

function Remove({ host }: { host: string }) {
  const { t } = useTranslation();
  const refresh = useRefresh();
  const [asking, setAsking] = useState(false);
  const remove = useIntent(api.remove, { onSuccess: refresh });
  const close = () => {
    setAsking(false);
    remove.reset();
  };
  return (
    <>
      <Button variant="default" size="xs" onClick={() => setAsking(true)}>
        {t("notices.telling.remove")}
      </Button>
      {asking && (
        <ConfirmDialog
          title={t("notices.telling.removeTitle", { host })}
          action={t("notices.telling.remove")}
          danger
          pending={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.start()}
          onClose={close}
        >
          {t("notices.telling.removeText")}
        </ConfirmDialog>
      )}
    </>
  );
}

function Change({ webhook }: { webhook: OperationalWebhook }) {
  const { t } = useTranslation();
  const refresh = useRefresh();
  const [isOpen, setIsOpen] = useState(false);
  const done = async () => {
    setIsOpen(false);
    await refresh();
  };
  return (
    <>
      <Button variant="default" size="xs" onClick={() => setIsOpen(true)}>
        {t("notices.telling.change")}
      </Button>
      {isOpen && (
        <AskingDialog title={t("notices.telling.changeTitle")} onClose={() => setIsOpen(false)}>
          {(leave) => <ChangedAddress webhook={webhook} onDone={done} onClose={leave} />}
        </AskingDialog>
      )}
    </>
  );
}

function Shown({ webhook }: { webhook: OperationalWebhook }) {
  const { t } = useTranslation();
  const refresh = useRefresh();
  const when = useWhen();
  const { last_delivered_at: delivered, last_failed_at: failed } = webhook;
  const hasFailed = failed !== null && (delivered === null || Date.parse(failed) > Date.parse(delivered));
  const health = !webhook.enabled
    ? t(webhook.off_reason === "you" ? "notices.telling.offByYou" : "notices.telling.off")
    : hasFailed
      ? t("notices.telling.failed", { when: when(failed, "on") })
      : delivered === null
        ? t("notices.telling.quiet")
        : t("notices.telling.delivered", { when: when(delivered, "on") });
  return (
    <div className={rows.list}>
      <div className={rows.row}>
        <span className={rows.main}>
          <span className={rows.name}>{webhook.url_host}</span>
          <span className={rows.under}>{health}</span>
          {webhook.previous_secret_valid_until !== null && (
            <span className={rows.under}>
              {t("notices.telling.oldSecret", { when: when(webhook.previous_secret_valid_until, "until") })}
            </span>
          )}
        </span>
        <Group gap="xs">
          <Change webhook={webhook} />
          <TellingSecret
            host={webhook.url_host}
            isRunning={webhook.previous_secret_valid_until !== null}
            onMade={refresh}
          />
          <Remove host={webhook.url_host} />
        </Group>
      </div>
    </div>
  );
}

/** See the head of this file. */
export function Telling() {
  const { t } = useTranslation();
  const query = useQuery(operationalQuery);
  const sendsEmail = useInfiniteQuery(noticesQuery).data?.pages[0]?.email_is_set_up;
  const email = sendsEmail === undefined ? "unknown" : sendsEmail ? "yes" : "no";
  const [isNew, setIsNew] = useState(false);
  return (
    <section aria-labelledby="telling">
      <div className={rows.head}>
        <div>
          <Title order={2} id="telling">
            {t("notices.telling.title")}
          </Title>
          <Text c="dimmed" size="sm" maw="44rem">
            {t("notices.telling.intro", { email })}
          </Text>
        </div>
        {query.data === null && (
          <Button
            variant="default"
            size="sm"
            leftSection={<IconPlus size={16} aria-hidden="true" />}
            onClick={() => setIsNew(true)}
          >
            {t("notices.telling.setUp")}
          </Button>
        )}
      </div>
      {query.isError && <LoadFailed error={query.error} retry={() => query.refetch()} />}
      {query.data != null && <Shown webhook={query.data} />}
      {isNew && <SetUp onClose={() => setIsNew(false)} />}
    </section>
  );
}

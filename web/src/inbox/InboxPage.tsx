// The test inbox: a receiver on this very server, so that a webhook can be seen to work with no other system.
import { Button, Group, Paper, Text } from "@mantine/core";
import IconInbox from "@tabler/icons-react/dist/esm/icons/IconInbox.mjs";
import IconTrash from "@tabler/icons-react/dist/esm/icons/IconTrash.mjs";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { inbox } from "../api.ts";
import type { Inbox } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { ManagersOnly } from "../session/ManagersOnly.tsx";
import { Callout } from "../ui/Callout.tsx";
import { CopyButton } from "../ui/CopyButton.tsx";
import { ButtonLink } from "../ui/links.tsx";
import { PageHeader } from "../ui/PageHeader.tsx";
import { useProblemWords } from "../ui/problem-words.ts";
import { Empty, LoadFailed, LoadingRows } from "../ui/states.tsx";
import classes from "./InboxPage.module.css";
import { Message } from "./Message.tsx";
import { INBOX_REFRESH_MILLISECONDS, inboxQuery } from "./queries.ts";

function EmptyButton({ count }: { count: number }) {
  const { t } = useTranslation();
  const words = useProblemWords();
  const queryClient = useQueryClient();
  const empty = useMutation({
    mutationFn: inbox.empty,
    onSuccess: () => queryClient.invalidateQueries({ queryKey: inboxQuery.queryKey }),
  });
  return (
    <>
      {empty.isError && <Callout tone="bad" text={words(empty.error)} />}
      <Button
        variant="default"
        size="xs"
        leftSection={<IconTrash size={15} aria-hidden="true" />}
        disabled={count === 0}
        loading={empty.isPending}
        onClick={() => empty.mutate()}
      >
        {t("inbox.empty")}
      </Button>
    </>
  );
}

function Messages({ url, messages }: Inbox) {
  const { t } = useTranslation();
  return (
    <>
      <Paper withBorder radius="lg" p="md" mb="lg">
        <Text size="sm" fw={600}>
          {t("inbox.address")}
        </Text>
        <Group gap={6} wrap="nowrap" align="center">
          <code className={classes.address}>{url}</code>
          <CopyButton text={url} what={t("inbox.addressWhat")} />
        </Group>
      </Paper>
      <Group justify="space-between" mb="sm">
        <Text fw={600} role="status">
          {t("inbox.count", { count: messages.length })}
        </Text>
        <EmptyButton count={messages.length} />
      </Group>
      {messages.length === 0 ? (
        <Empty icon={IconInbox} title={t("inbox.nothing")} text={t("inbox.nothingText")}>
          <ButtonLink to="/consults/export/webhooks" variant="default" mt="sm">
            {t("inbox.toWebhooks")}
          </ButtonLink>
        </Empty>
      ) : (
        <ul className={classes.list} aria-label={t("inbox.title")}>
          {messages.map((message) => (
            <li key={message.id}>
              <Message message={message} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Content() {
  const { t } = useTranslation();
  const query = useQuery({ ...inboxQuery, refetchInterval: INBOX_REFRESH_MILLISECONDS });
  return (
    <>
      <PageHeader title={t("inbox.title")} />
      <div className={classes.note}>
        <Callout tone="calm" title={t("inbox.note")} text={t("inbox.noteText")} />
      </div>
      {query.data !== undefined ? (
        <Messages {...query.data} />
      ) : query.isError ? (
        <LoadFailed error={query.error} retry={() => query.refetch()} />
      ) : (
        <LoadingRows rows={3} height={110} />
      )}
    </>
  );
}

/** For managers, because messages may hold patients' data. */
export function InboxPage() {
  return (
    <ManagersOnly what="inbox">
      <Content />
    </ManagersOnly>
  );
}

// What a manager should know of the webhooks: the list, read as soon as it is opened, and who else is told.
import { Group, Text } from "@mantine/core";
import IconBell from "@tabler/icons-react/dist/esm/icons/IconBell.mjs";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { notices as api, type Notice } from "../api/notices.ts";
import { useTranslation } from "../i18n/words.ts";
import { ManagersOnly } from "../session/ManagersOnly.tsx";
import { PagedList } from "../ui/PagedList.tsx";
import { PageHeader } from "../ui/PageHeader.tsx";
import rows from "../ui/rows.module.css";
import { StateBadge } from "../ui/StateBadge.tsx";
import { Empty, LoadFailed, LoadingRows } from "../ui/states.tsx";
import { useWhen } from "../ui/when.ts";
import { noticesQuery, unreadQuery } from "./queries.ts";
import { Telling } from "./Telling.tsx";
import { WhereLink } from "./WhereLink.tsx";
import { useNoticeWords } from "./words.ts";

/** Whoever opens the list has read it, up to what it shows; what is new stays marked until the page is opened again. */
function useReadOnOpening(newest: Notice | undefined, hasUnread: boolean): void {
  const queryClient = useQueryClient();
  const upTo = hasUnread ? newest?.id : undefined;
  useEffect(() => {
    if (upTo === undefined) return;
    // A failure leaves them unread, which the next opening makes up for.
    api.readAll(upTo).then(
      () => queryClient.invalidateQueries({ queryKey: unreadQuery.queryKey }),
      () => {},
    );
  }, [upTo, queryClient]);
}

function Undelivered({ notice }: { notice: Notice }) {
  const { t } = useTranslation();
  const emails = notice.email.given_up;
  return (
    <>
      {emails > 0 && <span className={rows.under}>{t("notices.emailFailed", { count: emails })}</span>}
      {notice.operational_webhook.given_up > 0 && <span className={rows.under}>{t("notices.systemFailed")}</span>}
    </>
  );
}

function NoticeRow({ notice }: { notice: Notice }) {
  const { t } = useTranslation();
  const when = useWhen();
  const { title, text, tone } = useNoticeWords()(notice);
  return (
    <div className={rows.row}>
      <span className={rows.main}>
        <span className={rows.name}>{title}</span>
        <span className={rows.under}>{text}</span>
        <Undelivered notice={notice} />
        <WhereLink notice={notice} />
      </span>
      <Group component="span" gap="sm" wrap="nowrap" className={rows.aside}>
        <Text component="time" size="sm" dateTime={notice.created_at}>
          {when(notice.created_at, "alone")}
        </Text>
        {notice.read_at === null && <StateBadge tone={tone} word={t("notices.new")} />}
      </Group>
    </div>
  );
}

function List() {
  const { t } = useTranslation();
  const query = useInfiniteQuery(noticesQuery);
  const list = query.data?.pages.flatMap((page) => page.data) ?? [];
  useReadOnOpening(
    list[0],
    list.some((notice) => notice.read_at === null),
  );
  if (query.data === undefined) {
    return query.isError ? <LoadFailed error={query.error} retry={() => query.refetch()} /> : <LoadingRows rows={4} />;
  }
  if (list.length === 0) return <Empty icon={IconBell} title={t("notices.nothing")} text={t("notices.nothingText")} />;
  return (
    <PagedList
      label={t("notices.title")}
      more={t("notices.more")}
      entries={list}
      keyOf={(notice) => notice.id}
      query={query}
    >
      {(notice) => <NoticeRow notice={notice} />}
    </PagedList>
  );
}

function Content() {
  const { t } = useTranslation();
  return (
    <div className={rows.sections}>
      <div>
        <PageHeader title={t("notices.title")} intro={t("notices.intro")} />
        <List />
      </div>
      <Telling />
    </div>
  );
}

/** For managers; others read who can see them. */
export function NoticesPage() {
  return (
    <ManagersOnly what="notices">
      <Content />
    </ManagersOnly>
  );
}

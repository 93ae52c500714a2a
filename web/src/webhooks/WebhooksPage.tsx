// The Webhooks page: everything that can trigger one, by group, and below it the clinic's webhooks. It owns which dialog
// is open; the dialogs load when they are first needed.

import type { GroupName } from "@hookwell/sdk";
import { Anchor, Button, Stack, Text, Title } from "@mantine/core";
import IconPlus from "@tabler/icons-react/dist/esm/icons/IconPlus.mjs";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useLocation } from "@tanstack/react-router";
import { lazy, type MouseEvent, Suspense, useEffect, useState } from "react";
import type { Webhook } from "../api-types.ts";
import { withWords } from "../i18n/setup.ts";
import { useTranslation } from "../i18n/words.ts";
import { ManagersOnly } from "../session/ManagersOnly.tsx";
import { useIsEmbedded, useMay } from "../session/queries.ts";
import { Callout } from "../ui/Callout.tsx";
import { PageHeader } from "../ui/PageHeader.tsx";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";
import { EventGroups } from "./EventGroups.tsx";
import { keepOpen, loadOpen } from "./kept-draft.ts";
import { webhooksQuery } from "./queries.ts";
import { Starter } from "./Starter.tsx";
import { WebhookCard } from "./WebhookCard.tsx";
import classes from "./WebhooksPage.module.css";

const Banner = lazy(() => withWords(["notices"], import("../notices/Banner.tsx")));
const ConfigureDialog = lazy(() =>
  withWords(["deliveries", "embed", "preview", "webhooks"], import("./ConfigureDialog.tsx")),
);

const route = getRouteApi("/shell/consults/export/webhooks");

/** What the dialog is about: a group's events first, and the webhook that is edited, or a new one. */
export interface Target {
  group: GroupName | null;
  webhookId: string | number | null;
  /** An address to begin with in place of the stored one: where the other system says that it has moved to. */
  newAddress?: string | undefined;
}

/** What there is, at the top, because the list of events stands before it; and the way down to it. */
function Summary({ list }: { list: Webhook[] }) {
  const { t } = useTranslation();
  const troubled = list.filter(({ state }) => state === "needs_attention" || state === "off_by_us").length;
  const off = list.filter(({ state }) => state === "off_by_you" || state === "not_set_up").length;
  const values = { count: list.length, troubled, off };
  return (
    <Text className={classes.summary}>
      {t("webhooks.summary", values)}{" "}
      <Anchor href="#your-webhooks" underline="always" onClick={toYours}>
        {t(list.length === 0 ? "webhooks.toStarter" : "webhooks.toYours")}
      </Anchor>
    </Text>
  );
}

/** The focus goes along, so that the keyboard goes on from there. */
function toYours(event: MouseEvent): void {
  event.preventDefault();
  const heading = document.getElementById("your-webhooks");
  heading?.scrollIntoView({ block: "start" });
  heading?.focus({ preventScroll: true });
}

const cardId = ({ id }: Webhook) => `webhook-${id}`;

/** A notice leads to the card of its webhook, which is there only once the list is. */
function useCardOfAddress(list: Webhook[]): void {
  const hash = useLocation({ select: (location) => location.hash });
  const isThere = list.some((webhook) => cardId(webhook) === hash);
  useEffect(() => {
    if (isThere) document.getElementById(hash)?.scrollIntoView({ block: "start" });
  }, [hash, isThere]);
}

function YourWebhooks({
  list,
  onEdit,
  onNew,
}: {
  list: Webhook[];
  onEdit: (webhook: Webhook) => void;
  onNew: () => void;
}) {
  const { t } = useTranslation();
  const mayManage = useMay("manage");
  useCardOfAddress(list);
  return (
    <section aria-labelledby="your-webhooks">
      <div className={classes.sectionHead}>
        <Title order={2} id="your-webhooks" tabIndex={-1} className={classes.yours}>
          {t("webhooks.yours")}
        </Title>
        {list.length > 0 && mayManage && (
          <Button variant="default" size="sm" leftSection={<IconPlus size={16} aria-hidden="true" />} onClick={onNew}>
            {t("webhooks.new")}
          </Button>
        )}
      </div>
      {list.length === 0 ? (
        mayManage ? (
          <Starter onStart={onNew} />
        ) : (
          <Text c="dimmed">{t("webhooks.heardByNone")}</Text>
        )
      ) : (
        <ul className={classes.cards}>
          {list.map((webhook) => (
            <li key={webhook.id} id={cardId(webhook)}>
              <WebhookCard webhook={webhook} onEdit={() => onEdit(webhook)} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** What a reload or a link that says `?edit=` asks for. */
function useAsked() {
  const { edit } = route.useSearch();
  const newAddress = useLocation({ select: ({ state }) => state.newAddress });
  const navigate = route.useNavigate();
  const [asked, setAsked] = useState<Target | null>(loadOpen);
  useEffect(() => {
    if (edit === undefined) return;
    setAsked({ group: null, webhookId: edit, newAddress });
    // Taken out of the address at once: closing the dialog must not count as leaving the page.
    void navigate({ search: {}, replace: true });
  }, [edit, newAddress, navigate]);
  return { asked, answered: () => setAsked(null) };
}

/** Which dialog is open, and whether one was asked for whose webhook is gone. */
function useTarget({ data, isFetching }: { data: Webhook[] | undefined; isFetching: boolean }) {
  const { asked, answered } = useAsked();
  const [target, setTarget] = useState<Target | null>(null);
  const [isGone, setGone] = useState(false);
  const open = (next: Target | null) => {
    keepOpen(next);
    setGone(false);
    setTarget(next);
  };
  useEffect(() => {
    if (asked === null || data === undefined) return;
    const isThere = asked.webhookId === null || data.some(({ id }) => String(id) === String(asked.webhookId));
    // The list at hand may be older than the webhook.
    if (!isThere && isFetching) return;
    open(isThere ? asked : null);
    setGone(!isThere);
    answered();
  });
  return { target, open, isGone };
}

function Content() {
  const { t } = useTranslation();
  const isEmbedded = useIsEmbedded();
  const list = useQuery(webhooksQuery);
  const { target, open, isGone } = useTarget(list);
  return (
    <>
      <PageHeader
        {...(isEmbedded ? {} : { trail: [t("shell.nav.consults"), t("shell.nav.export"), t("shell.nav.webhooks")] })}
        title={t("webhooks.title")}
        intro={t("webhooks.intro")}
      />
      {list.isPending && <LoadingRows rows={5} height={120} />}
      {list.isError && list.data === undefined && <LoadFailed error={list.error} retry={() => list.refetch()} />}
      <div role="alert">{isGone && <Callout tone="warn" text={t("webhooks.notFound")} />}</div>
      {list.data !== undefined && (
        <Stack gap="2.5rem">
          <Suspense fallback={null}>
            <Banner webhooks={list.data} />
          </Suspense>
          <Summary list={list.data} />
          <EventGroups
            webhooks={list.data}
            // Always a new one at first: nobody shall change a webhook without having chosen it.
            onConfigure={(group) => open({ group, webhookId: null })}
          />
          <YourWebhooks
            list={list.data}
            onEdit={(webhook) => open({ group: null, webhookId: webhook.id })}
            onNew={() => open({ group: null, webhookId: null })}
          />
        </Stack>
      )}
      <Suspense fallback={null}>
        {target !== null && list.data !== undefined && (
          <ConfigureDialog target={target} webhooks={list.data} onTarget={open} onClose={() => open(null)} />
        )}
      </Suspense>
    </>
  );
}

/** For managers; others read who can change it. */
export function WebhooksPage() {
  return (
    <ManagersOnly what="webhooks">
      <Content />
    </ManagersOnly>
  );
}

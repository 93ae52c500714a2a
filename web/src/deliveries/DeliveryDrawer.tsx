// One delivery, as a drawer over the list and an address of its own.
import { Button, Drawer, Stack, Text, Title } from "@mantine/core";
import "./drawer.css";
import { EVENTS } from "@hookwell/sdk";
import IconRefresh from "@tabler/icons-react/dist/esm/icons/IconRefresh.mjs";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { deliveries } from "../api.ts";
import type { DeliveryDetail } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { useIntent } from "../intent.ts";
import { useLanguage, useMay } from "../session/queries.ts";
import { Callout } from "../ui/Callout.tsx";
import { CopyButton } from "../ui/CopyButton.tsx";
import { useReturnFocus } from "../ui/focus.ts";
import { AnchorLink } from "../ui/links.tsx";
import { useProblemWords } from "../ui/problem-words.ts";
import { QuietLine } from "../ui/QuietLine.tsx";
import { StateBadge } from "../ui/StateBadge.tsx";
import "../ui/scroll-lock.ts";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";
import { useWhen } from "../ui/when.ts";
import classes from "./DeliveryDrawer.module.css";
import { MendAddress } from "./MendAddress.tsx";
import { Message } from "./Message.tsx";
import { outcomeOf } from "./outcome.ts";
import { deliveryQuery } from "./queries.ts";
import { useDeliverySentence, useNextTry, useWebhookNow } from "./sentence.ts";
import { DELIVERY_TONES, resendObstacle } from "./state.ts";
import { useSubjectWords } from "./subject.ts";
import { Timeline } from "./Timeline.tsx";

const ForDeveloper = lazy(() => import("./ForDeveloper.tsx"));
const route = getRouteApi("/shell/deliveries/$deliveryId");

function Resend({ delivery }: { delivery: DeliveryDetail }) {
  const { t } = useTranslation();
  const webhook = useWebhookNow(delivery.webhook.id);
  const obstacle = resendObstacle(delivery, webhook);
  const words = useProblemWords();
  const queryClient = useQueryClient();
  const resend = useIntent((intent) => deliveries.resend(delivery.id, intent), {
    onSuccess: async () => {
      await Promise.all([
        queryClient.invalidateQueries({ queryKey: deliveryQuery(delivery.id).queryKey }),
        queryClient.invalidateQueries({ queryKey: ["deliveries"] }),
      ]);
    },
  });
  return (
    <Stack gap="xs" align="flex-start">
      <Button
        variant="light"
        leftSection={<IconRefresh size={16} aria-hidden="true" />}
        disabled={obstacle !== null}
        loading={resend.isPending}
        onClick={() => resend.start()}
      >
        {t("deliveries.resend")}
      </Button>
      {obstacle !== null && (
        <Text size="xs" c="dimmed">
          {t(`deliveries.noResend.${obstacle}`)}
        </Text>
      )}
      <QuietLine said={resend.isSuccess ? t("deliveries.queued") : null} subject={null} sends={false} />
      <div role="alert">{resend.isError && <Callout tone="bad" text={words(resend.error)} />}</div>
    </Stack>
  );
}

/** When it is tried next, or the delivery that goes first. */
function NextTry({ delivery }: { delivery: DeliveryDetail }) {
  const { t } = useTranslation();
  const next = useNextTry()(delivery, "alone");
  const filters = route.useSearch();
  const earlier = delivery.waiting?.delivery ?? null;
  return (
    <>
      {next !== null && (
        <>
          <dt>{t("deliveries.facts.next")}</dt>
          <dd>{next}</dd>
        </>
      )}
      {earlier !== null && (
        <>
          <dt>{t("deliveries.facts.waitsFor")}</dt>
          <dd>
            <AnchorLink
              to="/deliveries/$deliveryId"
              params={{ deliveryId: earlier }}
              search={filters}
              resetScroll={false}
              size="sm"
            >
              {t("deliveries.facts.earlier")}
            </AnchorLink>
          </dd>
        </>
      )}
    </>
  );
}

function Facts({ delivery }: { delivery: DeliveryDetail }) {
  const { t } = useTranslation();
  const when = useWhen();
  const subject = useSubjectWords();
  return (
    <dl className={classes.facts}>
      <dt>{t("deliveries.facts.webhook")}</dt>
      <dd>{delivery.webhook.name}</dd>
      <dt>{t("deliveries.facts.happened")}</dt>
      <dd>{when(delivery.created_at, "alone")}</dd>
      <NextTry delivery={delivery} />
      {/* A test is about nothing that exists. */}
      {!delivery.test && (
        <>
          <dt>{t("deliveries.facts.about")}</dt>
          <dd>{subject(delivery.subject, delivery.subject_name)}</dd>
        </>
      )}
      <dt>{t("deliveries.facts.id")}</dt>
      <dd className={classes.id}>
        <code>{delivery.id}</code>
        <CopyButton text={delivery.id} what={t("deliveries.facts.idWhat")} />
      </dd>
    </dl>
  );
}

function Head({ delivery }: { delivery: DeliveryDetail }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const sentence = useDeliverySentence();
  const { attempts } = delivery;
  const told = { ...delivery, attempts: attempts.length, last_attempt: attempts.at(-1) ?? null };
  return (
    <div>
      <div className={classes.head}>
        <Title order={3} fz="1.125rem">
          {EVENTS[delivery.event].label[language]}
        </Title>
        <StateBadge tone={DELIVERY_TONES[delivery.state]} word={t(`deliveries.state.${delivery.state}`)} />
        {delivery.test && <StateBadge tone="calm" word={t("deliveries.test")} />}
      </div>
      <Text role="status">{sentence(told)}</Text>
    </div>
  );
}

function Developer({ delivery, body }: { delivery: DeliveryDetail; body: string | null }) {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  return (
    <div>
      <Button variant="subtle" size="compact-sm" ml={-8} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {t(isOpen ? "deliveries.developer.close" : "deliveries.developer.open")}
      </Button>
      {isOpen && (
        <div className={classes.developer}>
          <Suspense fallback={<LoadingRows rows={2} />}>
            <ForDeveloper delivery={delivery} body={body} />
          </Suspense>
        </div>
      )}
    </div>
  );
}

/** What can be done about the last attempt; nothing once it is delivered, or where the webhook is gone. */
function Mend({ delivery: { attempts, webhook, state } }: { delivery: DeliveryDetail }) {
  const now = useWebhookNow(webhook.id);
  const last = attempts.at(-1);
  if (last === undefined || now === "deleted" || state === "delivered") return null;
  return <MendAddress webhookId={webhook.id} cause={outcomeOf(last).cause} movedTo={last.moved_to} />;
}

function Detail({ delivery }: { delivery: DeliveryDetail }) {
  const { t } = useTranslation();
  const mayManage = useMay("manage");
  const [revealed, setRevealed] = useState<string | null>(null);
  const { attempts, request, tries_until: until } = delivery;
  const next = useNextTry()(delivery, "on");
  return (
    <Stack gap="lg">
      <Head delivery={delivery} />
      <Facts delivery={delivery} />
      {mayManage && <Resend delivery={delivery} />}
      <section aria-labelledby="attempts">
        <Title order={4} fz="1rem" mb="xs" id="attempts">
          {t("deliveries.attempts")}
        </Title>
        <Timeline attempts={attempts} ahead={{ next, until }} mend={mayManage && <Mend delivery={delivery} />} />
      </section>
      <section aria-labelledby="sent">
        <Title order={4} fz="1rem" mb="xs" id="sent">
          {t("deliveries.message")}
        </Title>
        <Message delivery={delivery} revealed={revealed} onShown={setRevealed} />
      </section>
      <Developer delivery={delivery} body={revealed ?? request.body} />
    </Stack>
  );
}

/** See the head of this file. Closing goes back to the list with its filters. */
export function DeliveryDrawer() {
  const { t } = useTranslation();
  const { deliveryId } = route.useParams();
  const navigate = route.useNavigate();
  const query = useQuery(deliveryQuery(deliveryId));
  useReturnFocus();
  return (
    <Drawer
      opened
      position="right"
      size="xl"
      onClose={() => navigate({ to: "/deliveries", search: (filters) => filters, resetScroll: false })}
      title={t("deliveries.one")}
      closeButtonProps={{ "aria-label": t("shell.close") }}
    >
      {query.data !== undefined ? (
        <Detail key={deliveryId} delivery={query.data} />
      ) : query.isError ? (
        <LoadFailed error={query.error} retry={() => query.refetch()} />
      ) : (
        <LoadingRows rows={4} />
      )}
    </Drawer>
  );
}

// One membership: what was charged, what comes next, and every act on it. Each act is one call, told by the quiet line.
import { Title } from "@mantine/core";
import IconOff from "@tabler/icons-react/dist/esm/icons/IconFileOff.mjs";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { Membership } from "../api/memberships.ts";
import { ProblemError } from "../api.ts";
import { BackLink } from "../billing/BackLink.tsx";
import classes from "../billing/InvoicePage.module.css";
import { useSaid } from "../billing/said.ts";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "../ui/Callout.tsx";
import { AnchorLink, ButtonLink } from "../ui/links.tsx";
import { NotFound } from "../ui/NotFound.tsx";
import { PageHeader } from "../ui/PageHeader.tsx";
import { QuietLine } from "../ui/QuietLine.tsx";
import { StateBadge } from "../ui/StateBadge.tsx";
import { Empty, LoadFailed, LoadingRows } from "../ui/states.tsx";
import { MembershipActs } from "./MembershipActs.tsx";
import { useNextWords } from "./MembershipRow.tsx";
import { membershipQuery } from "./queries.ts";
import { MEMBERSHIP_TONES } from "./state.ts";
import { Timeline } from "./Timeline.tsx";

const route = getRouteApi("/shell/memberships/$membershipId");

function Facts({ membership }: { membership: Membership }) {
  const { t } = useTranslation();
  const next = useNextWords();
  const { client, plan, payment_source: source, payments_made: made, number_of_payments: of } = membership;
  return (
    <dl className={classes.facts}>
      <div>
        <dt>{t("billing.client")}</dt>
        <dd>
          <AnchorLink to="/memberships" search={{ patient: client.id }} size="sm">
            {client.name}
          </AnchorLink>
        </dd>
      </div>
      <div>
        <dt>{t("memberships.kind")}</dt>
        <dd>{t(`memberships.type.${plan.type}`)}</dd>
      </div>
      <div>
        <dt>{t("memberships.next.label")}</dt>
        <dd>{next(membership)}</dd>
      </div>
      <div>
        <dt>{t("memberships.paymentsLabel")}</dt>
        <dd>{of === null ? t("memberships.payments", { count: made }) : t("memberships.paymentsOf", { made, of })}</dd>
      </div>
      <div>
        <dt>{t("memberships.source.label")}</dt>
        <dd>{t(`memberships.source.${source}`)}</dd>
      </div>
    </dl>
  );
}

/** What somebody has to do before it goes on. */
function Needed({ membership }: { membership: Membership }) {
  const { t } = useTranslation();
  const { state, last_charge: charge, plan, invoices } = membership;
  const isOpen = state === "pending" || state === "active";
  const unpaid = invoices.at(-1);
  if (!isOpen || charge === null || charge.outcome === "paid") return null;
  const text = t(plan.type === "academy_membership" ? "memberships.needed.mark" : "memberships.needed.pay");
  return (
    <Callout tone="warn" title={t(`memberships.needed.${charge.outcome}`)} text={text}>
      {unpaid !== undefined && (
        <ButtonLink
          to="/billing/invoices/$invoiceId"
          params={{ invoiceId: String(unpaid) }}
          variant="default"
          size="xs"
          mt="sm"
        >
          {t("memberships.needed.open")}
        </ButtonLink>
      )}
    </Callout>
  );
}

function Shown({ membership }: { membership: Membership }) {
  const { t } = useTranslation();
  const [said, setSaid] = useSaid();
  const { state, plan, client, subject } = membership;
  return (
    <>
      <PageHeader title={t("memberships.titleOf", { name: client.name, plan: plan.name })} />
      <div className={classes.status}>
        <StateBadge tone={MEMBERSHIP_TONES[state]} word={t(`memberships.state.${state}`)} />
        <QuietLine said={said?.text ?? null} subject={said?.subject ?? null} sends={said?.sends ?? true} />
      </div>
      <Needed membership={membership} />
      <MembershipActs membership={membership} onSaid={(text, sends) => setSaid({ text, subject, sends })} />
      <div className={classes.columns}>
        <section className={classes.card} aria-labelledby="timeline">
          <Title order={2} id="timeline" mb="sm">
            {t("memberships.timeline.title")}
          </Title>
          <Timeline membership={membership} />
        </section>
        <section className={classes.card} aria-labelledby="details">
          <Title order={2} id="details" mb="sm">
            {t("billing.details")}
          </Title>
          <Facts membership={membership} />
        </section>
      </div>
    </>
  );
}

function Gone() {
  const { t } = useTranslation();
  return (
    <>
      <PageHeader title={t("memberships.gone")} />
      <Empty icon={IconOff} title={t("billing.goneText")}>
        <ButtonLink to="/memberships" variant="default" mt="sm">
          {t("memberships.all")}
        </ButtonLink>
      </Empty>
    </>
  );
}

function One({ id }: { id: number }) {
  const query = useQuery(membershipQuery(id));
  if (query.data !== undefined) return <Shown membership={query.data} />;
  if (query.error instanceof ProblemError && query.error.status === 404) return <Gone />;
  if (query.isError) return <LoadFailed error={query.error} retry={() => query.refetch()} />;
  return <LoadingRows rows={3} height={120} />;
}

/** See the head of this file. */
export function MembershipPage() {
  const { t } = useTranslation();
  const id = Number(route.useParams().membershipId);
  if (!Number.isSafeInteger(id) || id < 1) return <NotFound />;
  return (
    <>
      <BackLink to="/memberships">{t("memberships.all")}</BackLink>
      <One key={id} id={id} />
    </>
  );
}

import { useQuery } from "@tanstack/react-query";
import type { Invoice } from "../api/billing.ts";
import type { Membership } from "../api/memberships.ts";
import { formatDate } from "../billing/dates.ts";
import { INVOICE_TONES } from "../billing/state.ts";
import { useMoney } from "../billing/use-money.ts";
import { useTranslation } from "../i18n/words.ts";
import { useMe, useTimeFormat } from "../session/queries.ts";
import { AnchorLink } from "../ui/links.tsx";
import { StateBadge } from "../ui/StateBadge.tsx";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";
import { dayInZone } from "../ui/time.ts";
import classes from "./MembershipPage.module.css";
import { chargesQuery } from "./queries.ts";
import { type Step, timelineOf } from "./timeline.ts";

function Charge({ invoice }: { invoice: Invoice }) {
  const { t } = useTranslation();
  const money = useMoney()(invoice.currency);
  const { id, invoice_number: number, status, total } = invoice;
  return (
    <div className={classes.line}>
      <span>
        {t("memberships.timeline.charge")}{" "}
        <AnchorLink to="/billing/invoices/$invoiceId" params={{ invoiceId: String(id) }} size="sm">
          {number}
        </AnchorLink>
      </span>
      <StateBadge tone={INVOICE_TONES[status]} word={t(`billing.status.${status}`)} />
      <span className={classes.amount}>{money.format(total)}</span>
    </div>
  );
}

function useStepWords(): (step: Exclude<Step, { kind: "charge" }>) => string {
  const { t } = useTranslation();
  return (step) => {
    if (step.kind === "lastCharge") return t(`memberships.timeline.lastCharge.${step.outcome}`);
    if (step.kind === "cancelled") return t(`memberships.timeline.cancelled.${step.reason}`);
    if (step.kind === "accessEnds" && !step.isAhead) return t("memberships.timeline.accessEnded");
    return t(`memberships.timeline.${step.kind}`);
  };
}

function One({ step }: { step: Step }) {
  const { locale } = useTimeFormat();
  const words = useStepWords();
  return (
    <li className={classes.step} data-ahead={step.isAhead || undefined}>
      {step.kind === "charge" ? <Charge invoice={step.invoice} /> : <div>{words(step)}</div>}
      <time dateTime={step.day} className={classes.day}>
        {formatDate(step.day, locale)}
      </time>
    </li>
  );
}

/** What was charged and done, and what comes next. */
export function Timeline({ membership }: { membership: Membership }) {
  const { t } = useTranslation();
  const { time_zone } = useMe().clinic;
  const charges = useQuery(chargesQuery(membership));
  if (charges.isError) return <LoadFailed error={charges.error} retry={() => charges.refetch()} />;
  if (charges.data === undefined && membership.invoices.length > 0) return <LoadingRows rows={3} height={40} />;
  const steps = timelineOf(membership, charges.data ?? [], dayInZone(new Date(), time_zone));
  return (
    <ol className={classes.steps} aria-label={t("memberships.timeline.title")}>
      {steps.map((step) => (
        <One key={step.kind === "charge" ? step.invoice.id : step.kind} step={step} />
      ))}
    </ol>
  );
}

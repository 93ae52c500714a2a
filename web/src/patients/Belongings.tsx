// What there is of one patient elsewhere in the clinic, a short list each, with the way to the whole.
import { Text, Title } from "@mantine/core";
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { type Credit, invoices } from "../api/billing.ts";
import { type Membership, memberships } from "../api/memberships.ts";
import type { Consult } from "../api-types.ts";
import { formatDate } from "../billing/dates.ts";
import { InvoiceRow } from "../billing/InvoiceRow.tsx";
import { BILLING, creditsQuery } from "../billing/queries.ts";
import { useMoney } from "../billing/use-money.ts";
import { useTranslation } from "../i18n/words.ts";
import { useMe, useTimeFormat } from "../session/queries.ts";
import { AnchorLink } from "../ui/links.tsx";
import rows from "../ui/rows.module.css";
import { StateBadge } from "../ui/StateBadge.tsx";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";
import { addDays, dayInZone, dayOf, formatDay, formatTime } from "../ui/time.ts";
import { consultsOfQuery } from "./queries.ts";

/** What the server lists at once. */
const CONSULT_DAYS = 62;
const NEWEST_ROWS = 5;

function Section<Row extends { id: number }>({
  id,
  title,
  none,
  query,
  show,
  aside,
}: {
  id: string;
  title: string;
  none: string;
  query: UseQueryResult<Row[]>;
  show: (row: Row) => ReactNode;
  aside?: ReactNode;
}) {
  return (
    <section aria-labelledby={id}>
      <div className={rows.head}>
        <Title order={2} id={id}>
          {title}
        </Title>
        {query.data !== undefined && query.data.length > 0 && aside}
      </div>
      {query.data === undefined ? (
        query.isError ? (
          <LoadFailed error={query.error} retry={() => query.refetch()} />
        ) : (
          <LoadingRows rows={1} />
        )
      ) : query.data.length === 0 ? (
        <Text c="dimmed">{none}</Text>
      ) : (
        <ul className={rows.list} aria-labelledby={id}>
          {query.data.map((row) => (
            <li key={row.id}>{show(row)}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

function ConsultRow({ consult }: { consult: Consult }) {
  const { t } = useTranslation();
  const format = useTimeFormat();
  const day = dayOf(consult.start_time);
  return (
    <Link to="/schedule" search={{ day }} className={rows.row}>
      <span className={rows.main}>
        <span className={rows.name}>{consult.service.name}</span>
        <span className={rows.under}>{consult.practitioner.name}</span>
      </span>
      {consult.cancelled && <StateBadge tone="calm" word={t("patients.isCancelled")} />}
      <span
        className={rows.aside}
      >{`${formatDay(day, format.locale)}, ${formatTime(consult.start_time, format)}`}</span>
    </Link>
  );
}

/** From today on. */
export function Consults({ patientId }: { patientId: number }) {
  const { t } = useTranslation();
  const today = dayInZone(new Date(), useMe().clinic.time_zone);
  const query = useQuery(consultsOfQuery(patientId, { from: today, to: addDays(today, CONSULT_DAYS) }));
  return (
    <Section
      id="consults"
      title={t("patients.consults")}
      none={t("patients.noConsults")}
      query={query}
      show={(consult) => <ConsultRow consult={consult} />}
    />
  );
}

function CreditRow({ credit }: { credit: Credit }) {
  const { t } = useTranslation();
  const { locale } = useTimeFormat();
  const money = useMoney()(credit.currency);
  const { kind, name, value, remaining, expires_on: expires } = credit;
  const left = t("patients.left", { remaining: money.format(remaining), value: money.format(value) });
  return (
    <div className={rows.row}>
      <span className={rows.main}>
        <span className={rows.name}>{name}</span>
        <span className={rows.under}>{t(`patients.creditKind.${kind}`)}</span>
      </span>
      <span className={rows.aside}>
        {expires === null ? t("patients.forever") : t("patients.until", { day: formatDate(expires, locale) })}
      </span>
      <span className={rows.number}>{left}</span>
    </div>
  );
}

/** What this patient can still pay with. */
export function Credits({ patientId }: { patientId: number }) {
  const { t } = useTranslation();
  return (
    <Section
      id="credits"
      title={t("patients.credits")}
      none={t("patients.noCredits")}
      query={useQuery(creditsQuery(patientId))}
      show={(credit) => <CreditRow credit={credit} />}
    />
  );
}

/** The newest, and the way to all. */
export function Invoices({ patientId }: { patientId: number }) {
  const { t } = useTranslation();
  const query = useQuery({
    queryKey: [...BILLING, "invoices-of", patientId],
    queryFn: async ({ signal }) => (await invoices.list({ patient: patientId }, signal)).data.slice(0, NEWEST_ROWS),
  });
  return (
    <Section
      id="invoices"
      title={t("patients.invoices")}
      none={t("patients.noInvoices")}
      query={query}
      show={(invoice) => <InvoiceRow invoice={invoice} />}
      aside={
        <AnchorLink to="/billing" search={{ patient: patientId }} size="sm">
          {t("patients.allInvoices")}
        </AnchorLink>
      }
    />
  );
}

function MembershipRow({ membership }: { membership: Membership }) {
  const { t } = useTranslation();
  const { id, plan, state } = membership;
  const tone = state === "active" ? "good" : state === "pending" ? "warn" : "calm";
  return (
    <Link to="/memberships/$membershipId" params={{ membershipId: String(id) }} className={rows.row}>
      <span className={`${rows.main} ${rows.name}`}>{plan.name}</span>
      <StateBadge tone={tone} word={t(`memberships.state.${state}`)} />
    </Link>
  );
}

/** The newest first. */
export function Memberships({ patientId }: { patientId: number }) {
  const { t } = useTranslation();
  const query = useQuery({
    queryKey: [...BILLING, "memberships-of", patientId],
    queryFn: async ({ signal }) => (await memberships.list({ patient: patientId }, signal)).data,
  });
  return (
    <Section
      id="memberships"
      title={t("patients.memberships")}
      none={t("patients.noMemberships")}
      query={query}
      show={(membership) => <MembershipRow membership={membership} />}
    />
  );
}

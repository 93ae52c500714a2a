import { Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Membership } from "../api/memberships.ts";
import { formatDate } from "../billing/dates.ts";
import { useTranslation } from "../i18n/words.ts";
import { useTimeFormat } from "../session/queries.ts";
import list from "../ui/rows.module.css";
import { StateBadge } from "../ui/StateBadge.tsx";
import classes from "./MembershipsPage.module.css";
import { MEMBERSHIP_TONES } from "./state.ts";

/** What comes next, or what it ended with. */
export function useNextWords(): (membership: Membership) => string {
  const { t } = useTranslation();
  const { locale } = useTimeFormat();
  return ({ state, next_charge_on: next, retry_on: retry, access_until: until, last_charge: charge }) => {
    if (retry !== null) return t("memberships.next.retry", { day: formatDate(retry, locale) });
    if (charge?.outcome === "awaiting" && state !== "cancelled") return t("memberships.next.awaiting");
    if (state === "cancelled") {
      return until === null
        ? t("memberships.next.none")
        : t("memberships.next.until", { day: formatDate(until, locale) });
    }
    if (state === "paused") return t("memberships.next.paused");
    return next === null ? t("memberships.next.none") : t("memberships.next.charge", { day: formatDate(next, locale) });
  };
}

/** One membership in the list; the whole row is a link to its page. */
export function MembershipRow({ membership }: { membership: Membership }) {
  const { t } = useTranslation();
  const next = useNextWords();
  const { id, plan, client, state, payments_made: made, number_of_payments: of } = membership;
  return (
    <Link
      to="/memberships/$membershipId"
      params={{ membershipId: String(id) }}
      className={`${list.entry} ${classes.row}`}
    >
      <span className={`${list.what} ${classes.what}`}>
        <Text component="span" fw={600} size="sm">
          {client.name}
        </Text>
        <Text component="span" size="sm" c="dimmed">
          {plan.name}
        </Text>
      </span>
      <span className={list.badge}>
        <StateBadge tone={MEMBERSHIP_TONES[state]} word={t(`memberships.state.${state}`)} />
      </span>
      <Text component="span" size="sm" c="dimmed" className={classes.next}>
        {next(membership)}
      </Text>
      <Text component="span" size="sm" c="dimmed" className={classes.payments}>
        {of === null ? t("memberships.payments", { count: made }) : t("memberships.paymentsOf", { made, of })}
      </Text>
    </Link>
  );
}

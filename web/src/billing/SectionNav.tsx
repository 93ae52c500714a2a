import { Link, type LinkProps } from "@tanstack/react-router";
import { useTranslation } from "../i18n/words.ts";
import classes from "./SectionNav.module.css";

type Step = readonly [to: NonNullable<LinkProps["to"]>, label: string];

/** The pages of one section, below its title. */
export function SectionNav({ label, steps }: { label: string; steps: readonly Step[] }) {
  return (
    <nav aria-label={label}>
      <ul className={classes.list}>
        {steps.map(([to, name]) => (
          <li key={to}>
            <Link
              to={to}
              className={classes.link}
              activeOptions={{ exact: true, includeSearch: false }}
              activeProps={{ "data-active": "true" }}
            >
              {name}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Invoices, packages, gift certificates. */
export function BillingNav() {
  const { t } = useTranslation();
  const steps: Step[] = [
    ["/billing", t("billing.nav.invoices")],
    ["/billing/packages", t("billing.nav.packages")],
    ["/billing/gift-certificates", t("billing.nav.giftCertificates")],
  ];
  return <SectionNav label={t("shell.nav.billing")} steps={steps} />;
}

/** Memberships and the plans that they are of. */
export function MembershipsNav() {
  const { t } = useTranslation();
  const steps: Step[] = [
    ["/memberships", t("memberships.nav.memberships")],
    ["/memberships/plans", t("memberships.nav.plans")],
  ];
  return <SectionNav label={t("shell.nav.memberships")} steps={steps} />;
}

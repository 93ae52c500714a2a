import { useTranslation } from "../i18n/words.ts";
import type { Amounts } from "./amounts.ts";
import classes from "./Sums.module.css";
import type { Money } from "./use-money.ts";

/** Subtotal, taxes and total, and what of it came in where that is known. In whole numbers of the smallest unit. */
export function Sums({
  sums,
  money,
  balance,
}: {
  sums: Amounts;
  money: Money;
  balance?: { paid: number; owed: number };
}) {
  const { t } = useTranslation();
  return (
    <dl className={classes.sums}>
      <dt>{t("billing.sum.subtotal")}</dt>
      <dd>{money.formatMinor(sums.subtotal)}</dd>
      <dt>{t("billing.sum.taxes")}</dt>
      <dd>{money.formatMinor(sums.taxes)}</dd>
      <dt className={classes.strong}>{t("billing.sum.total")}</dt>
      <dd className={classes.strong}>{money.formatMinor(sums.total)}</dd>
      {balance !== undefined && (
        <>
          <dt>{t("billing.sum.paid")}</dt>
          <dd>{money.formatMinor(balance.paid)}</dd>
          <dt className={classes.strong}>{t(balance.owed < 0 ? "billing.sum.over" : "billing.sum.owed")}</dt>
          <dd className={classes.strong}>{money.formatMinor(Math.abs(balance.owed))}</dd>
        </>
      )}
    </dl>
  );
}

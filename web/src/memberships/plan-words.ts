import type { Plan } from "../api/memberships.ts";
import { lineAmounts } from "../billing/amounts.ts";
import { minorOf, rateThousandths } from "../billing/money.ts";
import { useMoney } from "../billing/use-money.ts";
import { useTranslation } from "../i18n/words.ts";

/** A plan in one line: "$113.00 every month · 12 payments". Its price is told with taxes. */
export function usePlanWords(): (plan: Plan) => string {
  const { t } = useTranslation();
  const moneyOf = useMoney();
  return ({
    price,
    tax_rate,
    currency,
    recurrence_interval: every,
    number_of_payments: count,
    credit_value: credit,
  }) => {
    const money = moneyOf(currency);
    const unitPrice = minorOf(price, money.exponent);
    const { total } = lineAmounts({ unitPrice, units: 1, discount: 0, rate: rateThousandths(tax_rate) });
    return [
      t(`memberships.every.${every}`, { amount: money.formatMinor(total) }),
      ...(count === null ? [] : [t("memberships.plan.paymentsCount", { count })]),
      ...(credit === null ? [] : [t("memberships.plan.gives", { amount: money.format(credit) })]),
    ].join(" · ");
  };
}

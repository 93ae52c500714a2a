import { Text, VisuallyHidden } from "@mantine/core";
import type { Invoice, LineItem } from "../api/billing.ts";
import { useTranslation } from "../i18n/words.ts";
import { balanceOf } from "./amounts.ts";
import classes from "./InvoicePage.module.css";
import { minorOf, withMark } from "./money.ts";
import { Sums } from "./Sums.tsx";
import type { Money } from "./use-money.ts";

function Row({ line, money }: { line: LineItem; money: Money }) {
  const { t } = useTranslation();
  const { description, units, unit_price, discount, tax_rate, total } = line;
  return (
    <tr>
      <th scope="row" className={classes.description}>
        {description}
        {discount > 0 && (
          <Text size="xs" c="dimmed">
            {t("billing.line.discounted", { amount: money.format(discount) })}
          </Text>
        )}
      </th>
      <td data-label={t("billing.line.price")}>
        {units === 1 ? money.format(unit_price) : `${units} × ${money.format(unit_price)}`}
      </td>
      <td data-label={t("billing.line.tax")}>{`${withMark(String(tax_rate), money.locale)}\u00a0%`}</td>
      <td data-label={t("billing.sum.total")} className={classes.amount}>
        {money.format(total)}
      </td>
    </tr>
  );
}

/** What is billed, and what it comes to, as the server reckons it. */
export function InvoiceLines({ invoice, money }: { invoice: Invoice; money: Money }) {
  const { t } = useTranslation();
  const { line_items: lines, subtotal, taxes, total } = invoice;
  const minor = (amount: number) => minorOf(amount, money.exponent);
  return (
    <>
      {lines.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t("billing.noLines")}
        </Text>
      ) : (
        <table className={classes.lines}>
          <caption>
            <VisuallyHidden>{t("billing.lines")}</VisuallyHidden>
          </caption>
          <thead>
            <tr>
              <th scope="col">{t("billing.line.description")}</th>
              <th scope="col">{t("billing.line.price")}</th>
              <th scope="col">{t("billing.line.tax")}</th>
              <th scope="col">{t("billing.sum.total")}</th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <Row key={line.id} line={line} money={money} />
            ))}
          </tbody>
        </table>
      )}
      <div className={classes.sums}>
        <Sums
          sums={{ subtotal: minor(subtotal), taxes: minor(taxes), total: minor(total) }}
          money={money}
          balance={balanceOf(invoice, money.exponent)}
        />
      </div>
    </>
  );
}

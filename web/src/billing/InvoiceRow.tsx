import { Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Invoice } from "../api/billing.ts";
import { useTranslation } from "../i18n/words.ts";
import { useTimeFormat } from "../session/queries.ts";
import list from "../ui/rows.module.css";
import { StateBadge } from "../ui/StateBadge.tsx";
import { balanceOf } from "./amounts.ts";
import classes from "./BillingPage.module.css";
import { formatDate } from "./dates.ts";
import { INVOICE_TONES } from "./state.ts";
import { useMoney } from "./use-money.ts";

/** One record in the list; the whole row is a link to its page. */
export function InvoiceRow({ invoice }: { invoice: Invoice }) {
  const { t } = useTranslation();
  const { locale } = useTimeFormat();
  const money = useMoney()(invoice.currency);
  const { id, type, status, invoice_number: number, invoice_date: date, client, total } = invoice;
  const { owed } = balanceOf(invoice, money.exponent);
  return (
    <Link
      to="/billing/invoices/$invoiceId"
      params={{ invoiceId: String(id) }}
      className={`${list.entry} ${classes.row}`}
    >
      <span className={`${list.what} ${classes.what}`}>
        <Text component="span" fw={600} size="sm">
          {client.name}
        </Text>
        <Text component="span" size="sm" c="dimmed">
          {`${t(`billing.type.${type}`)} · ${number}`}
        </Text>
      </span>
      <span className={`${list.badge} ${classes.badge}`}>
        <StateBadge tone={INVOICE_TONES[status]} word={t(`billing.status.${status}`)} />
      </span>
      <Text component="time" size="sm" c="dimmed" dateTime={date} className={classes.date}>
        {formatDate(date, locale)}
      </Text>
      <span className={`${list.money} ${classes.money}`}>
        <Text component="span" fw={600} size="sm">
          {money.format(total)}
        </Text>
        {owed > 0 && status !== "draft" && (
          <Text component="span" size="xs" c="dimmed">
            {t("billing.owedIs", { amount: money.formatMinor(owed) })}
          </Text>
        )}
      </span>
    </Link>
  );
}

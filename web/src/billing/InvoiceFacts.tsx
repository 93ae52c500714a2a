import type { Invoice } from "../api/billing.ts";
import { useTranslation } from "../i18n/words.ts";
import { useTimeFormat } from "../session/queries.ts";
import { AnchorLink } from "../ui/links.tsx";
import { formatDay } from "../ui/time.ts";
import classes from "./InvoicePage.module.css";

/** Who is billed, who pays, who treated, and when. */
export function InvoiceFacts({ invoice }: { invoice: Invoice }) {
  const { t } = useTranslation();
  const { locale } = useTimeFormat();
  const { client, payer, practitioner, invoice_date: date, invoice_number: number, type } = invoice;
  return (
    <dl className={classes.facts}>
      <div>
        <dt>{t("billing.client")}</dt>
        <dd>
          <AnchorLink to="/billing" search={{ patient: client.id }} size="sm">
            {client.name}
          </AnchorLink>
        </dd>
      </div>
      <div>
        <dt>{t("billing.payer")}</dt>
        <dd>{payer === null ? t("billing.payerIsClient") : payer.name}</dd>
      </div>
      <div>
        <dt>{t("billing.practitioner")}</dt>
        <dd>{practitioner === null ? t("billing.noPractitioner") : practitioner.name}</dd>
      </div>
      <div>
        <dt>{t("billing.date")}</dt>
        <dd>{formatDay(date, locale)}</dd>
      </div>
      <div>
        <dt>{t("billing.number")}</dt>
        <dd>{number}</dd>
      </div>
      <div>
        <dt>{t("billing.kind")}</dt>
        <dd>{t(`billing.type.${type}`)}</dd>
      </div>
    </dl>
  );
}

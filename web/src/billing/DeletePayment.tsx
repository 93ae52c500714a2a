import { type Invoice, type Payment, payments } from "../api/billing.ts";
import { useTranslation } from "../i18n/words.ts";
import { Callout } from "../ui/Callout.tsx";
import { ConfirmDialog } from "../ui/ConfirmDialog.tsx";
import { useAct } from "./act.ts";
import type { Money } from "./use-money.ts";
import { useBillingWords } from "./words.ts";

/** A payment that was a mistake: the invoice is as if it had never been there. */
export function DeletePayment({
  invoice,
  payment,
  money,
  onClose,
  onDone,
}: {
  invoice: Invoice;
  payment: Payment;
  money: Money;
  onClose: () => void;
  onDone: () => void;
}) {
  const { t } = useTranslation();
  const words = useBillingWords();
  const remove = useAct(() => payments.remove({ invoiceId: invoice.id, paymentId: payment.id }), onDone);
  return (
    <ConfirmDialog
      title={t("billing.payment.deleteTitle", { amount: money.format(payment.total) })}
      action={t("billing.payment.delete")}
      keep={t("billing.keep")}
      danger
      pending={remove.isPending}
      onConfirm={() => remove.start()}
      onClose={onClose}
    >
      {t(payment.from_package ? "billing.payment.deleteCreditText" : "billing.payment.deleteText")}
      <div role="alert">{remove.isError && <Callout tone="bad" text={words(remove.error)} />}</div>
    </ConfirmDialog>
  );
}

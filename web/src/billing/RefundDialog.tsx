import { Text } from "@mantine/core";
import { type Invoice, type Payment, payments } from "../api/billing.ts";
import { useTranslation } from "../i18n/words.ts";
import { FormBody } from "../ui/FormBody.tsx";
import { AskingDialog } from "../ui/leaving.tsx";
import { AmountField } from "./AmountField.tsx";
import { leftOf } from "./amounts.ts";
import { useForm } from "./form.ts";
import { partOf } from "./mistakes.ts";
import { majorOf, readAmount } from "./money.ts";
import type { Money } from "./use-money.ts";

interface Props {
  invoice: Invoice;
  payment: Payment;
  money: Money;
  onClose: () => void;
  onDone: () => void;
}

function Body({ invoice, payment, money, onClose, onDone }: Props) {
  const { t } = useTranslation();
  const left = leftOf(payment, money.exponent);
  const { typed, type, ...form } = useForm({
    start: () => ({ amount: money.typed(left) }),
    fields: ["total"],
    mistakes: ({ amount }) => partOf(amount, left, money.exponent),
    send: ({ amount }, intent) => {
      const total = majorOf(Number(readAmount(amount, money.exponent)), money.exponent);
      return payments.refund({ invoiceId: invoice.id, paymentId: payment.id }, total, intent);
    },
    done: onDone,
  });
  return (
    <FormBody form={form} action={t("billing.payment.refund")} onClose={onClose}>
      <Text size="sm">
        {t(payment.from_package ? "billing.payment.refundCreditText" : "billing.payment.refundText", {
          method: t(`billing.method.${payment.payment_method}`),
          amount: money.formatMinor(left),
        })}
      </Text>
      <AmountField
        currency={money}
        label={t("billing.payment.amount")}
        value={typed.amount}
        error={form.errors.total}
        data-autofocus
        onChange={(event) => type({ amount: event.currentTarget.value })}
      />
    </FormBody>
  );
}

/** Gives money back, all or in part, or value back to the credit that it came from. */
export default function RefundDialog(props: Props) {
  const { t } = useTranslation();
  return (
    <AskingDialog title={t("billing.payment.refund")} onClose={props.onClose}>
      {(leave) => <Body {...props} onClose={leave} />}
    </AskingDialog>
  );
}

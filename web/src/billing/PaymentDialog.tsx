// A payment that is added or changed; one form for both. New money, or value that the patient paid in advance.
import { Checkbox, NativeSelect } from "@mantine/core";
import "../ui/checkbox.css";
import { useQuery } from "@tanstack/react-query";
import { type Credit, type Invoice, type NewPayment, type Payment, payments } from "../api/billing.ts";
import { useTranslation } from "../i18n/words.ts";
import { FormBody } from "../ui/FormBody.tsx";
import { AskingDialog } from "../ui/leaving.tsx";
import { AmountField } from "./AmountField.tsx";
import { balanceOf } from "./amounts.ts";
import { useForm } from "./form.ts";
import { isMoneyMethod, MONEY_METHODS } from "./methods.ts";
import { amountAt } from "./mistakes.ts";
import { majorOf, minorOf, readAmount } from "./money.ts";
import { creditsQuery } from "./queries.ts";
import { type Money, useMoney } from "./use-money.ts";

interface Props {
  invoice: Invoice;
  /** Null: a new one. */
  payment: Payment | null;
  onClose: () => void;
  onDone: () => void;
}

interface Typed {
  /** A method, or "credit:<id>". */
  by: string;
  amount: string;
  /** The money is here already; else it is only expected. */
  isReceived: boolean;
}

const CREDIT = "credit:";
const creditIn = (by: string, credits: readonly Credit[]): Credit | undefined =>
  credits.find(({ id }) => by === `${CREDIT}${id}`);

function typedPayment({ invoice, payment }: Props, money: Money): Typed {
  if (payment === null) {
    const { owed } = balanceOf(invoice, money.exponent);
    return { by: "debit_card", amount: owed > 0 ? money.typed(owed) : "", isReceived: true };
  }
  const amount = money.typed(minorOf(payment.total, money.exponent));
  return { by: payment.payment_method, amount, isReceived: payment.status !== "draft" };
}

function newPayment({ by, amount, isReceived }: Typed, credits: readonly Credit[], money: Money): NewPayment {
  const total = majorOf(Number(readAmount(amount, money.exponent)), money.exponent);
  const credit = creditIn(by, credits);
  if (credit !== undefined) return { payment_method: credit.kind, credit_id: credit.id, total };
  return { payment_method: isMoneyMethod(by) ? by : "other", total, status: isReceived ? "paid" : "draft" };
}

function useCredits({ invoice, payment }: Props): Credit[] {
  const query = useQuery({ ...creditsQuery(invoice.client.id), enabled: payment === null });
  return (query.data ?? []).filter(({ currency }) => currency === invoice.currency);
}

function By({
  credits,
  money,
  value,
  error,
  onChange,
}: {
  credits: Credit[];
  money: Money;
  value: string;
  error: string | undefined;
  onChange: (by: string) => void;
}) {
  const { t } = useTranslation();
  const methods = MONEY_METHODS.map((method) => ({ value: method as string, label: t(`billing.method.${method}`) }));
  const inAdvance = credits.map(({ id, name, remaining }) => {
    return { value: `${CREDIT}${id}`, label: t("billing.creditLeft", { name, amount: money.format(remaining) }) };
  });
  const data =
    credits.length === 0
      ? methods
      : [
          { group: t("billing.fromCredit"), items: inAdvance },
          { group: t("billing.newMoney"), items: methods },
        ];
  return (
    <NativeSelect
      label={t("billing.payment.by")}
      data={data}
      value={value}
      error={error}
      data-autofocus
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

/** A credit pays at most what it holds and what is owed. */
function amountFor(credit: Credit | undefined, invoice: Invoice, money: Money): string {
  const owed = Math.max(0, balanceOf(invoice, money.exponent).owed);
  return money.typed(credit === undefined ? owed : Math.min(owed, minorOf(credit.remaining, money.exponent)));
}

function Body(props: Props) {
  const { t } = useTranslation();
  const { invoice, payment, onClose, onDone } = props;
  const money = useMoney()(invoice.currency);
  const credits = useCredits(props);
  const { typed, type, ...form } = useForm<Typed, Invoice>({
    start: () => typedPayment(props, money),
    fields: ["payment_method", "total"],
    mistakes: ({ amount }) => amountAt("total", amount, money.exponent),
    send: (values, intent) => {
      const wanted = newPayment(values, credits, money);
      if (payment === null) return payments.add(invoice.id, wanted, intent);
      return payments.change({ invoiceId: invoice.id, paymentId: payment.id }, wanted, intent);
    },
    done: onDone,
  });
  const credit = creditIn(typed.by, credits);
  const choose = (by: string) => {
    const amount = payment === null ? amountFor(creditIn(by, credits), invoice, money) : typed.amount;
    type({ by, amount });
  };
  return (
    <FormBody form={form} action={t(payment === null ? "billing.addPayment" : "billing.save")} onClose={onClose}>
      <By credits={credits} money={money} value={typed.by} error={form.errors.payment_method} onChange={choose} />
      <AmountField
        currency={money}
        label={t("billing.payment.amount")}
        value={typed.amount}
        error={form.errors.total}
        onChange={(event) => type({ amount: event.currentTarget.value })}
      />
      {credit === undefined && (payment === null || payment.refunded === 0) && (
        <Checkbox
          label={t("billing.payment.isReceived")}
          description={t("billing.payment.isReceivedHint")}
          checked={typed.isReceived}
          onChange={(event) => type({ isReceived: event.currentTarget.checked })}
        />
      )}
    </FormBody>
  );
}

/** See the head of this file. */
export default function PaymentDialog(props: Props) {
  const { t } = useTranslation();
  const { payment, onClose } = props;
  return (
    <AskingDialog title={t(payment === null ? "billing.addPayment" : "billing.payment.edit")} onClose={onClose}>
      {(leave) => <Body {...props} onClose={leave} />}
    </AskingDialog>
  );
}

import { NativeSelect } from "@mantine/core";
import type { FirstPayment } from "../api/billing.ts";
import { useTranslation } from "../i18n/words.ts";
import classes from "../ui/form.module.css";
import { AmountField } from "./AmountField.tsx";
import type { Errors, Mistakes } from "./form.ts";
import { isMoneyMethod, MONEY_METHODS } from "./methods.ts";
import { amountAt } from "./mistakes.ts";
import { majorOf, readAmount } from "./money.ts";
import type { Money } from "./use-money.ts";

const LATER = "";
const PLACE = "payments.0.total";
/** Where errors of these fields have their place. */
export const FIRST_PAYMENT_FIELDS = ["payments.*.total", "payments.*.payment_method"];

/** What is paid at once with a sale. */
export interface TypedPayment {
  /** A method; empty: nothing yet. */
  by: string;
  amount: string;
}

export const firstPaymentMistakes = ({ by, amount }: TypedPayment, money: Money): Mistakes =>
  by === LATER ? {} : amountAt(PLACE, amount, money.exponent);

/** As the server takes it. */
export function firstPayments({ by, amount }: TypedPayment, money: Money): FirstPayment[] {
  if (!isMoneyMethod(by)) return [];
  const total = majorOf(Number(readAmount(amount, money.exponent)), money.exponent);
  return [{ payment_method: by, total }];
}

/** How it is paid at once, or that it is not. */
export function PaidBy({
  value,
  error,
  onChange,
}: {
  value: string;
  error: string | undefined;
  onChange: (by: string) => void;
}) {
  const { t } = useTranslation();
  return (
    <NativeSelect
      label={t("billing.payment.now")}
      data={[
        ...MONEY_METHODS.map((method) => ({ value: method as string, label: t(`billing.method.${method}`) })),
        { value: LATER, label: t("billing.payment.later") },
      ]}
      value={value}
      error={error}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

/** The same with an amount, for what may be paid in part. */
export function FirstPaymentFields({
  typed,
  money,
  errors,
  onChange,
}: {
  typed: TypedPayment;
  money: Money;
  errors: Errors;
  onChange: (typed: TypedPayment) => void;
}) {
  const { t } = useTranslation();
  return (
    <div className={classes.pair}>
      <PaidBy
        value={typed.by}
        error={errors["payments.0.payment_method"]}
        onChange={(by) => onChange({ ...typed, by })}
      />
      {typed.by !== LATER && (
        <AmountField
          currency={money}
          label={t("billing.payment.amount")}
          value={typed.amount}
          error={errors[PLACE]}
          onChange={(event) => onChange({ ...typed, amount: event.currentTarget.value })}
        />
      )}
    </div>
  );
}

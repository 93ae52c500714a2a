import { TextInput } from "@mantine/core";
import { type GiftCertificate, giftCertificates } from "../api/billing.ts";
import type { Person } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { FormBody } from "../ui/FormBody.tsx";
import classes from "../ui/form.module.css";
import { AskingDialog } from "../ui/leaving.tsx";
import { AmountField } from "./AmountField.tsx";
import { firstPayments, PaidBy } from "./FirstPayment.tsx";
import { useForm } from "./form.ts";
import { amountAt } from "./mistakes.ts";
import { majorOf, readAmount } from "./money.ts";
import { PatientField } from "./PatientField.tsx";
import { useMoney } from "./use-money.ts";

interface Props {
  onClose: () => void;
  onDone: (certificate: GiftCertificate) => void;
}

interface Typed {
  purchaser: Person | null;
  value: string;
  expiresOn: string;
  by: string;
}

function Body({ onClose, onDone }: Props) {
  const { t } = useTranslation();
  const money = useMoney()();
  // It is untaxed, so that what is paid is its value.
  const payment = ({ by, value }: Typed) => ({ by, amount: value });
  const { typed, type, ...form } = useForm<Typed, { gift_certificate: GiftCertificate }>({
    start: () => ({ purchaser: null, value: "", expiresOn: "", by: "debit_card" }),
    fields: ["purchaser_id", "value", "expires_on", "payments.*.payment_method"],
    mistakes: (values) => ({
      ...(values.purchaser === null ? { purchaser_id: "patient" as const } : {}),
      ...amountAt("value", values.value, money.exponent),
    }),
    send: (values, intent) => {
      const sale = {
        purchaser_id: values.purchaser?.id ?? 0,
        value: majorOf(Number(readAmount(values.value, money.exponent)), money.exponent),
        expires_on: values.expiresOn === "" ? null : values.expiresOn,
        payments: firstPayments(payment(values), money),
      };
      return giftCertificates.sell(sale, intent);
    },
    done: (sold) => onDone(sold.gift_certificate),
  });
  return (
    <FormBody form={form} action={t("billing.gift.sell")} onClose={onClose}>
      <PatientField
        label={t("billing.gift.purchaser")}
        chosen={typed.purchaser}
        error={form.errors.purchaser_id}
        onChange={(purchaser) => type({ purchaser })}
      />
      <div className={classes.pair}>
        <AmountField
          currency={money}
          label={t("billing.gift.value")}
          value={typed.value}
          error={form.errors.value}
          onChange={(event) => type({ value: event.currentTarget.value })}
        />
        <TextInput
          type="date"
          label={t("billing.gift.expires")}
          value={typed.expiresOn}
          error={form.errors.expires_on}
          onChange={(event) => type({ expiresOn: event.currentTarget.value })}
        />
      </div>
      <PaidBy value={typed.by} error={form.errors["payments.0.payment_method"]} onChange={(by) => type({ by })} />
    </FormBody>
  );
}

/** Sells a gift certificate; whoever brings its code can redeem it once it is paid. */
export default function SellGiftCertificate({ onClose, onDone }: Props) {
  const { t } = useTranslation();
  return (
    <AskingDialog title={t("billing.gift.sell")} onClose={onClose}>
      {(leave) => <Body onClose={leave} onDone={onDone} />}
    </AskingDialog>
  );
}

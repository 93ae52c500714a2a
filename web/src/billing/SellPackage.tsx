import { type Invoice, type Package, packages } from "../api/billing.ts";
import type { Person } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { FormBody } from "../ui/FormBody.tsx";
import { AskingDialog } from "../ui/leaving.tsx";
import { lineAmounts } from "./amounts.ts";
import {
  FIRST_PAYMENT_FIELDS,
  FirstPaymentFields,
  firstPaymentMistakes,
  firstPayments,
  type TypedPayment,
} from "./FirstPayment.tsx";
import { useForm } from "./form.ts";
import { minorOf, rateThousandths } from "./money.ts";
import { PatientField } from "./PatientField.tsx";
import { Sums } from "./Sums.tsx";
import { useMoney } from "./use-money.ts";

interface Props {
  one: Package;
  onClose: () => void;
  onDone: (invoice: Invoice) => void;
}

interface Typed {
  client: Person | null;
  payment: TypedPayment;
}

function Body({ one, onClose, onDone }: Props) {
  const { t } = useTranslation();
  const money = useMoney()(one.currency);
  const unitPrice = minorOf(one.price, money.exponent);
  const sums = lineAmounts({ unitPrice, units: 1, discount: 0, rate: rateThousandths(one.tax_rate) });
  const { typed, type, ...form } = useForm<Typed, { invoice: Invoice }>({
    start: () => ({ client: null, payment: { by: "debit_card", amount: money.typed(sums.total) } }),
    fields: ["client_id", ...FIRST_PAYMENT_FIELDS],
    mistakes: ({ client, payment }) => ({
      ...(client === null ? { client_id: "patient" as const } : {}),
      ...firstPaymentMistakes(payment, money),
    }),
    send: ({ client, payment }, intent) =>
      packages.sell(one.id, { client_id: client?.id ?? 0, payments: firstPayments(payment, money) }, intent),
    done: ({ invoice }) => onDone(invoice),
  });
  return (
    <FormBody form={form} action={t("billing.package.sell")} onClose={onClose}>
      <PatientField
        label={t("billing.client")}
        chosen={typed.client}
        error={form.errors.client_id}
        onChange={(client) => type({ client })}
      />
      <Sums sums={sums} money={money} />
      <FirstPaymentFields
        typed={typed.payment}
        money={money}
        errors={form.errors}
        onChange={(payment) => type({ payment })}
      />
    </FormBody>
  );
}

/** Sells a package to a patient: its credit opens once its record is paid in full. */
export default function SellPackage(props: Props) {
  const { t } = useTranslation();
  return (
    <AskingDialog title={t("billing.package.sellName", { name: props.one.name })} size="lg" onClose={props.onClose}>
      {(leave) => <Body {...props} onClose={leave} />}
    </AskingDialog>
  );
}

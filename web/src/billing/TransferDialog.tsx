import { Radio, Stack, Text, TextInput } from "@mantine/core";
import "../ui/checkbox.css";
import { useDebouncedValue } from "@mantine/hooks";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Invoice, type Payment, payments } from "../api/billing.ts";
import { useTranslation } from "../i18n/words.ts";
import { FormBody } from "../ui/FormBody.tsx";
import classes from "../ui/form.module.css";
import { AskingDialog } from "../ui/leaving.tsx";
import { LoadFailed } from "../ui/states.tsx";
import { AmountField } from "./AmountField.tsx";
import { balanceOf, leftOf } from "./amounts.ts";
import { useForm } from "./form.ts";
import { partOf } from "./mistakes.ts";
import { majorOf, readAmount } from "./money.ts";
import { invoicesQuery } from "./queries.ts";
import type { Money } from "./use-money.ts";

const TYPING_PAUSE_MILLISECONDS = 250;

interface Props {
  invoice: Invoice;
  payment: Payment;
  money: Money;
  onClose: () => void;
  onDone: () => void;
}

/** Only a patient's invoice may be paid too much. */
function canTake(one: Invoice, currency: string): boolean {
  const owes = one.status !== "paid" && one.status !== "no_payment_needed";
  return one.currency === currency && (one.type === "patient_invoice" || owes);
}

/** Without a number, the patient's own invoices; a credit never pays for anybody else. */
function useTargets({ invoice, payment }: Props, number: string) {
  const patient = number === "" || payment.from_package ? invoice.client.id : undefined;
  const query = useInfiniteQuery(invoicesQuery({ number: number === "" ? undefined : number, patient }));
  const found = query.data?.pages.flatMap(({ data }) => data);
  return { query, targets: found?.filter((one) => one.id !== invoice.id && canTake(one, invoice.currency)) };
}

function Targets({
  value,
  error,
  onChange,
  ...props
}: Props & { value: number | null; error: string | undefined; onChange: (id: number) => void }) {
  const { t } = useTranslation();
  const { money } = props;
  const [typed, setTyped] = useState("");
  const [number] = useDebouncedValue(typed.trim(), TYPING_PAUSE_MILLISECONDS);
  const { query, targets } = useTargets(props, number);
  const owed = (one: Invoice) => Math.max(0, balanceOf(one, money.exponent).owed);
  return (
    <fieldset className={classes.group}>
      <legend className={classes.legend}>{t("billing.payment.moveTo")}</legend>
      <TextInput
        type="search"
        aria-label={t("billing.findNumber")}
        placeholder={t("billing.findNumber")}
        value={typed}
        error={error}
        data-autofocus
        onChange={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={(event) => event.key === "Enter" && event.preventDefault()}
      />
      <Stack gap="xs" className={classes.targets}>
        {targets?.map((one) => (
          <Radio
            key={one.id}
            name="target"
            checked={one.id === value}
            onChange={() => onChange(one.id)}
            label={`${one.invoice_number} · ${one.client.name}`}
            description={
              owed(one) === 0 ? t("billing.owesNothing") : t("billing.owedIs", { amount: money.formatMinor(owed(one)) })
            }
          />
        ))}
        {targets?.length === 0 && (
          <Text size="sm" c="dimmed">
            {t("billing.payment.noTarget")}
          </Text>
        )}
        {query.isError && <LoadFailed error={query.error} retry={() => query.refetch()} />}
      </Stack>
    </fieldset>
  );
}

function Body(props: Props) {
  const { t } = useTranslation();
  const { invoice, payment, money, onClose, onDone } = props;
  const left = leftOf(payment, money.exponent);
  const { typed, type, ...form } = useForm({
    start: () => ({ toId: null as number | null, amount: money.typed(left) }),
    fields: ["to_invoice_id", "total"],
    mistakes: ({ toId, amount }) => ({
      ...(toId === null ? { to_invoice_id: "choose" as const } : {}),
      ...partOf(amount, left, money.exponent),
    }),
    send: ({ toId, amount }, intent) => {
      const total = majorOf(Number(readAmount(amount, money.exponent)), money.exponent);
      const place = { invoiceId: invoice.id, paymentId: payment.id };
      return payments.transfer(place, { to_invoice_id: toId ?? 0, total }, intent);
    },
    done: onDone,
  });
  return (
    <FormBody form={form} action={t("billing.payment.moveAction")} onClose={onClose}>
      <Targets {...props} value={typed.toId} error={form.errors.to_invoice_id} onChange={(toId) => type({ toId })} />
      <AmountField
        currency={money}
        label={t("billing.payment.amount")}
        value={typed.amount}
        error={form.errors.total}
        onChange={(event) => type({ amount: event.currentTarget.value })}
      />
    </FormBody>
  );
}

/** Money that belongs on another invoice: both are changed. */
export default function TransferDialog(props: Props) {
  const { t } = useTranslation();
  return (
    <AskingDialog title={t("billing.payment.move")} onClose={props.onClose}>
      {(leave) => <Body {...props} onClose={leave} />}
    </AskingDialog>
  );
}

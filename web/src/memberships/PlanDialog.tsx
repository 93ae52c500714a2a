// A plan of memberships, new or changed; one form for both. Its type is chosen once.
import { Checkbox, NativeSelect, Stack, Switch, Text, TextInput } from "@mantine/core";
import "../ui/checkbox.css";
import "../ui/switch.css";
import { MEMBERSHIP_TYPES, RECURRENCE_INTERVALS } from "@hookwell/sdk";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { type Plan, plans } from "../api/memberships.ts";
import { AmountField } from "../billing/AmountField.tsx";
import { type Errors, useForm } from "../billing/form.ts";
import { RateField } from "../billing/RateField.tsx";
import { type Money, useMoney } from "../billing/use-money.ts";
import { useMe } from "../session/queries.ts";
import { FormBody } from "../ui/FormBody.tsx";
import classes from "../ui/form.module.css";
import { LimitedInput } from "../ui/LimitedInput.tsx";
import { AskingDialog } from "../ui/leaving.tsx";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";
import { planInput, planMistakes, type TypedPlan, typedPlan } from "./plan-form.ts";
import { planItemsQuery } from "./queries.ts";

/** The server's limit, in characters. */
const NAME_MAX = 200;
const FIELDS = ["type", "name", "price", "tax_rate", "recurrence_interval", "number_of_payments", "credit_value"];

interface Props {
  /** Null: a new one. */
  plan: Plan | null;
  onClose: () => void;
  onDone: (plan: Plan) => void;
}

interface PartProps {
  typed: TypedPlan;
  type: (changes: Partial<TypedPlan>) => void;
  errors: Errors;
  money: Money;
}

function Kind({ typed, type, errors }: PartProps) {
  const { t } = useTranslation();
  return (
    <NativeSelect
      label={t("memberships.kind")}
      description={t(`memberships.typeHint.${typed.type}`)}
      data={MEMBERSHIP_TYPES.map((one) => ({ value: one, label: t(`memberships.type.${one}`) }))}
      value={typed.type}
      error={errors.type}
      onChange={({ currentTarget: { value } }) =>
        type({ type: MEMBERSHIP_TYPES.find((one) => one === value) ?? typed.type })
      }
    />
  );
}

function Charges({ typed, type, errors, money }: PartProps) {
  const { t } = useTranslation();
  return (
    <div className={classes.pair}>
      <AmountField
        currency={money}
        label={t("memberships.plan.price")}
        value={typed.price}
        error={errors.price}
        onChange={(event) => type({ price: event.currentTarget.value })}
      />
      <RateField
        label={t("billing.line.tax")}
        value={typed.taxRate}
        error={errors.tax_rate}
        onChange={(event) => type({ taxRate: event.currentTarget.value })}
      />
      <NativeSelect
        label={t("memberships.plan.every")}
        data={RECURRENCE_INTERVALS.map((one) => ({ value: one, label: t(`memberships.interval.${one}`) }))}
        value={typed.every}
        error={errors.recurrence_interval}
        onChange={({ currentTarget: { value } }) =>
          type({ every: RECURRENCE_INTERVALS.find((one) => one === value) ?? typed.every })
        }
      />
      <TextInput
        inputMode="numeric"
        label={t("memberships.plan.payments")}
        placeholder={t("memberships.plan.untilCancelled")}
        value={typed.payments}
        error={errors.number_of_payments}
        onChange={(event) => type({ payments: event.currentTarget.value })}
      />
      {typed.type === "clinic_package_membership" && (
        <AmountField
          currency={money}
          label={t("memberships.plan.credit")}
          placeholder={t("memberships.plan.noCredit")}
          value={typed.credit}
          error={errors.credit_value}
          onChange={(event) => type({ credit: event.currentTarget.value })}
        />
      )}
    </div>
  );
}

/** Which courses and webinars an academy membership opens. */
function Items({ typed, type }: Pick<PartProps, "typed" | "type">) {
  const { t } = useTranslation();
  const query = useQuery(planItemsQuery);
  const toggle = (id: number) =>
    type({ itemIds: typed.itemIds.includes(id) ? typed.itemIds.filter((one) => one !== id) : [...typed.itemIds, id] });
  if (query.isError) return <LoadFailed error={query.error} retry={() => query.refetch()} />;
  if (query.data === undefined) return <LoadingRows rows={2} height={28} />;
  return (
    <fieldset className={classes.group}>
      <legend className={classes.legend}>{t("memberships.plan.items")}</legend>
      {query.data.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t("memberships.plan.noItems")}
        </Text>
      ) : (
        <Stack gap="xs" className={classes.targets}>
          {query.data.map(({ id, name }) => (
            <Checkbox key={id} label={name} checked={typed.itemIds.includes(id)} onChange={() => toggle(id)} />
          ))}
        </Stack>
      )}
    </fieldset>
  );
}

function Body({ plan, onClose, onDone }: Props) {
  const { t } = useTranslation();
  const money = useMoney()(plan?.currency);
  const { has_academy: hasAcademy } = useMe().clinic;
  const { typed, type, ...form } = useForm<TypedPlan, Plan>({
    start: () => typedPlan(plan, money),
    fields: FIELDS,
    mistakes: (values) => planMistakes(values, money),
    send: (values, intent) => {
      const input = planInput(values, money, plan === null);
      return plan === null ? plans.create(input, intent) : plans.change(plan.id, input, intent);
    },
    done: onDone,
  });
  const part = { typed, type, errors: form.errors, money };
  return (
    <FormBody form={form} action={t("billing.save")} onClose={onClose}>
      <LimitedInput
        max={NAME_MAX}
        label={t("memberships.plan.name")}
        value={typed.name}
        error={form.errors.name}
        data-autofocus
        onChange={(event) => type({ name: event.currentTarget.value })}
      />
      {plan === null && hasAcademy && <Kind {...part} />}
      <Charges {...part} />
      {typed.type === "academy_membership" && <Items typed={typed} type={type} />}
      {plan !== null && (
        <>
          <Switch
            label={t("memberships.plan.active")}
            checked={typed.active}
            onChange={(event) => type({ active: event.currentTarget.checked })}
          />
          <Text size="sm" c="dimmed">
            {t("memberships.plan.changeHint")}
          </Text>
        </>
      )}
    </FormBody>
  );
}

/** See the head of this file. */
export default function PlanDialog(props: Props) {
  const { t } = useTranslation();
  return (
    <AskingDialog
      title={t(props.plan === null ? "memberships.plan.new" : "memberships.plan.editTitle")}
      size="lg"
      onClose={props.onClose}
    >
      {(leave) => <Body {...props} onClose={leave} />}
    </AskingDialog>
  );
}

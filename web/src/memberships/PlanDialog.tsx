// A plan of memberships, new or changed; one form for both. Its type is chosen once.
import { Checkbox, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import "../ui/checkbox.css";
import { MEMBERSHIP_TYPES, RECURRENCE_INTERVALS } from "@hookwell/sdk";
import { useQuery } from "@tanstack/react-query";
import { type Plan, plans } from "../api/memberships.ts";
import { AmountField } from "../billing/AmountField.tsx";
import { type Errors, useForm } from "../billing/form.ts";
import { OfferName, OnSale, PriceAndTax } from "../billing/OfferFields.tsx";
import { type Money, useMoney } from "../billing/use-money.ts";
import { useTranslation } from "../i18n/words.ts";
import { useMe } from "../session/queries.ts";
import { FormBody } from "../ui/FormBody.tsx";
import classes from "../ui/form.module.css";
import { AskingDialog } from "../ui/leaving.tsx";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";
import { planInput, planMistakes, type TypedPlan, typedPlan } from "./plan-form.ts";
import { planItemsQuery } from "./queries.ts";

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
      <PriceAndTax label={t("memberships.plan.price")} typed={typed} type={type} errors={errors} money={money} />
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
      <OfferName label={t("memberships.plan.name")} typed={typed} type={type} errors={form.errors} />
      {plan === null && hasAcademy && <Kind {...part} />}
      <Charges {...part} />
      {typed.type === "academy_membership" && <Items typed={typed} type={type} />}
      {plan !== null && (
        <>
          <OnSale label={t("memberships.plan.active")} typed={typed} type={type} />
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

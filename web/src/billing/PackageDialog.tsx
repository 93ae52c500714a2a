// A package that is for sale, new or changed; one form for both.
import { TextInput } from "@mantine/core";
import { type Package, packages } from "../api/billing.ts";
import { useTranslation } from "../i18n/words.ts";
import { FormBody } from "../ui/FormBody.tsx";
import classes from "../ui/form.module.css";
import { AskingDialog } from "../ui/leaving.tsx";
import { AmountField } from "./AmountField.tsx";
import { type Errors, type Mistakes, useForm } from "./form.ts";
import { amountAt } from "./mistakes.ts";
import { majorOf, minorOf, ratePercent, readAmount, readRate, withMark } from "./money.ts";
import { OfferName, OnSale, PriceAndTax, type TypedOffer } from "./OfferFields.tsx";
import { type Money, useMoney } from "./use-money.ts";

/** The server's limit, in days. */
const DAYS_MAX = 3_650;
const FIELDS = ["name", "price", "value", "tax_rate", "expires_after_days"];

interface Props {
  /** Null: a new one. */
  one: Package | null;
  onClose: () => void;
  onDone: (one: Package) => void;
}

interface Typed extends TypedOffer {
  value: string;
  /** Empty: it never expires. */
  days: string;
}

function typedPackage(one: Package | null, { exponent, locale, typed }: Money): Typed {
  if (one === null) return { name: "", price: "", value: "", taxRate: "", days: "", active: true };
  const { name, price, value, tax_rate: rate, expires_after_days: days, active } = one;
  return {
    name,
    price: typed(minorOf(price, exponent)),
    value: typed(minorOf(value, exponent)),
    taxRate: rate === 0 ? "" : withMark(String(rate), locale),
    days: days === null ? "" : String(days),
    active,
  };
}

function mistakesOf({ name, price, value, taxRate, days }: Typed, { exponent }: Money): Mistakes {
  const priceMinor = readAmount(price, exponent);
  const term = Number(days);
  return {
    ...(name.trim() === "" ? { name: "name" as const } : {}),
    ...(typeof priceMinor === "string" ? { price: priceMinor } : {}),
    ...amountAt("value", value, exponent),
    ...(readRate(taxRate.trim() || "0") === null ? { tax_rate: "rate" as const } : {}),
    ...(days.trim() !== "" && !(Number.isInteger(term) && term >= 1 && term <= DAYS_MAX)
      ? { expires_after_days: "days" as const }
      : {}),
  };
}

function inputOf({ name, price, value, taxRate, days, active }: Typed, { exponent }: Money) {
  const amount = (typed: string) => majorOf(Number(readAmount(typed, exponent)), exponent);
  return {
    name: name.trim(),
    price: amount(price),
    value: amount(value),
    tax_rate: ratePercent(readRate(taxRate.trim() || "0") ?? 0),
    expires_after_days: days.trim() === "" ? null : Number(days),
    active,
  };
}

function Amounts({
  typed,
  type,
  errors,
  money,
}: {
  typed: Typed;
  type: (changes: Partial<Typed>) => void;
  errors: Errors;
  money: Money;
}) {
  const { t } = useTranslation();
  return (
    <div className={classes.pair}>
      <PriceAndTax label={t("billing.package.price")} typed={typed} type={type} errors={errors} money={money} />
      <AmountField
        currency={money}
        label={t("billing.package.value")}
        value={typed.value}
        error={errors.value}
        onChange={(event) => type({ value: event.currentTarget.value })}
      />
      <TextInput
        inputMode="numeric"
        label={t("billing.package.term")}
        placeholder={t("billing.package.forever")}
        value={typed.days}
        error={errors.expires_after_days}
        onChange={(event) => type({ days: event.currentTarget.value })}
      />
    </div>
  );
}

function Body({ one, onClose, onDone }: Props) {
  const { t } = useTranslation();
  const money = useMoney()(one?.currency);
  const { typed, type, ...form } = useForm<Typed, Package>({
    start: () => typedPackage(one, money),
    fields: FIELDS,
    mistakes: (values) => mistakesOf(values, money),
    send: (values, intent) => {
      const input = inputOf(values, money);
      return one === null ? packages.create(input, intent) : packages.change(one.id, input, intent);
    },
    done: onDone,
  });
  return (
    <FormBody form={form} action={t("billing.save")} onClose={onClose}>
      <OfferName label={t("billing.package.name")} typed={typed} type={type} errors={form.errors} />
      <Amounts typed={typed} type={type} errors={form.errors} money={money} />
      {one !== null && <OnSale label={t("billing.package.active")} typed={typed} type={type} />}
    </FormBody>
  );
}

/** See the head of this file. */
export default function PackageDialog(props: Props) {
  const { t } = useTranslation();
  return (
    <AskingDialog
      title={t(props.one === null ? "billing.package.new" : "billing.package.editTitle")}
      size="lg"
      onClose={props.onClose}
    >
      {(leave) => <Body {...props} onClose={leave} />}
    </AskingDialog>
  );
}

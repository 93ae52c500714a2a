// What packages and plans of memberships have in common: a name, a price with its tax, and whether they are for sale.
import { Switch } from "@mantine/core";
import "../ui/switch.css";
import { useTranslation } from "../i18n/words.ts";
import { LimitedInput } from "../ui/LimitedInput.tsx";
import { AmountField } from "./AmountField.tsx";
import type { Errors } from "./form.ts";
import { RateField } from "./RateField.tsx";
import type { Money } from "./use-money.ts";

/** The server's limit, in characters. */
const NAME_MAX = 200;

export interface TypedOffer {
  name: string;
  price: string;
  taxRate: string;
  active: boolean;
}

interface Props {
  label: string;
  typed: TypedOffer;
  type: (changes: Partial<TypedOffer>) => void;
  errors: Errors;
}

/** Where the dialog begins. */
export function OfferName({ label, typed, type, errors }: Props) {
  return (
    <LimitedInput
      max={NAME_MAX}
      label={label}
      value={typed.name}
      error={errors.name}
      data-autofocus
      onChange={(event) => type({ name: event.currentTarget.value })}
    />
  );
}

/** Two fields, for a row of them. */
export function PriceAndTax({ label, typed, type, errors, money }: Props & { money: Money }) {
  const { t } = useTranslation();
  return (
    <>
      <AmountField
        currency={money}
        label={label}
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
    </>
  );
}

/** Of one that there is already. */
export function OnSale({ label, typed, type }: Pick<Props, "label" | "typed" | "type">) {
  return (
    <Switch label={label} checked={typed.active} onChange={(event) => type({ active: event.currentTarget.checked })} />
  );
}

import { Checkbox } from "@mantine/core";
import "../ui/checkbox.css";
import { useQuery } from "@tanstack/react-query";
import type { Person } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { minorOf } from "./money.ts";
import { creditsQuery } from "./queries.ts";
import type { Money } from "./use-money.ts";

/** Offers to pay a new invoice from what its patient has paid in advance; not shown where there is nothing. */
export function AutoDeduct({
  client,
  money,
  checked,
  onChange,
}: {
  client: Person;
  money: Money;
  checked: boolean;
  onChange: (checked: boolean) => void;
}) {
  const { t } = useTranslation();
  const credits = useQuery(creditsQuery(client.id));
  const usable = (credits.data ?? []).filter(({ currency }) => currency === money.code);
  const sum = usable.reduce((minor, { remaining }) => minor + minorOf(remaining, money.exponent), 0);
  if (sum === 0) return null;
  return (
    <Checkbox
      label={t("billing.autoDeduct", { amount: money.formatMinor(sum) })}
      description={usable.map(({ name }) => name).join(" · ")}
      checked={checked}
      onChange={(event) => onChange(event.currentTarget.checked)}
    />
  );
}

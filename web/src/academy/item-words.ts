import type { Item } from "../api/academy.ts";
import { useMoney } from "../billing/use-money.ts";
import { useTranslation } from "../i18n/words.ts";
import { useTimeFormat } from "../session/queries.ts";
import { useWhen } from "../ui/when.ts";

/** What a course or webinar costs, and when a webinar starts, in words. */
export function useItemWords() {
  const { t } = useTranslation();
  const money = useMoney();
  const format = useTimeFormat();
  const when = useWhen();
  const rates = new Intl.NumberFormat(format.locale, { maximumFractionDigits: 3 });
  return {
    price: ({ price, tax_rate, currency }: Item) => {
      if (price === 0) return t("academy.free");
      const amount = money(currency).format(price);
      return tax_rate === 0 ? amount : t("academy.plusTax", { price: amount, rate: rates.format(tax_rate) });
    },
    start: ({ type, starts_at }: Item) => {
      if (type === "course") return null;
      if (starts_at === null) return t("academy.noStart");
      return t("academy.starts", { when: when(starts_at, "on") });
    },
  };
}

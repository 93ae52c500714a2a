import { useMe, useTimeFormat } from "../session/queries.ts";
import { type Currency, decimalsOf, formatMinor, minorOf, typedAmount } from "./money.ts";

export interface Money extends Currency {
  locale: string;
  /** Of an amount as the server tells it. */
  format: (amount: number) => string;
  /** Of whole numbers of the smallest unit. */
  formatMinor: (minor: number) => string;
  /** For a field in which it is typed over. */
  typed: (minor: number) => string;
}

/** How to read and write amounts on this page: of one currency, the clinic's own where none is named. */
export function useMoney(): (code?: string) => Money {
  const { currency, currency_exponent } = useMe().clinic;
  const { locale } = useTimeFormat();
  return (code = currency) => {
    const exponent = code === currency ? currency_exponent : decimalsOf(code);
    const own = { code, exponent };
    return {
      ...own,
      locale,
      format: (amount) => formatMinor(minorOf(amount, exponent), own, locale),
      formatMinor: (minor) => formatMinor(minor, own, locale),
      typed: (minor) => typedAmount(minor, exponent, locale),
    };
  };
}

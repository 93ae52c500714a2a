import { TextInput, type TextInputProps } from "@mantine/core";
import classes from "../ui/form.module.css";
import type { Currency } from "./money.ts";

/** An amount, typed with a point or a comma; the currency stands behind it. */
export function AmountField({ currency, ...props }: TextInputProps & { currency: Currency }) {
  return (
    <TextInput
      inputMode={currency.exponent === 0 ? "numeric" : "decimal"}
      autoComplete="off"
      rightSection={
        <span className={classes.code} aria-hidden="true">
          {currency.code.toUpperCase()}
        </span>
      }
      rightSectionWidth={52}
      {...props}
    />
  );
}

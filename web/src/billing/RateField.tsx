import { TextInput, type TextInputProps } from "@mantine/core";
import classes from "../ui/form.module.css";

/** A tax rate in percent, typed with a point or a comma; empty is none. */
export function RateField(props: TextInputProps) {
  return (
    <TextInput
      inputMode="decimal"
      autoComplete="off"
      rightSection={
        <span className={classes.code} aria-hidden="true">
          %
        </span>
      }
      {...props}
    />
  );
}

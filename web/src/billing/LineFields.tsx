import { LINE_ITEMS_MAX } from "@hookwell/sdk";
import { ActionIcon, Button, TextInput } from "@mantine/core";
import IconPlus from "@tabler/icons-react/dist/esm/icons/IconPlus.mjs";
import IconTrash from "@tabler/icons-react/dist/esm/icons/IconTrash.mjs";
import { useTranslation } from "../i18n/words.ts";
import formClasses from "../ui/form.module.css";
import { LimitedInput } from "../ui/LimitedInput.tsx";
import { AmountField } from "./AmountField.tsx";
import { sumOf } from "./amounts.ts";
import type { Errors } from "./form.ts";
import classes from "./LineFields.module.css";
import { DESCRIPTION_MAX, emptyLine, readLine, type TypedLine } from "./lines.ts";
import { RateField } from "./RateField.tsx";
import { Sums } from "./Sums.tsx";
import type { Money } from "./use-money.ts";

interface Props {
  lines: TypedLine[];
  money: Money;
  errors: Errors;
  onChange: (lines: TypedLine[]) => void;
}

interface LineProps {
  line: TypedLine;
  /** Its place, from 0. */
  at: number;
  money: Money;
  errors: Errors;
  onChange: (changes: Partial<TypedLine>) => void;
}

function Prices({ line, at, money, errors, onChange }: LineProps) {
  const { t } = useTranslation();
  const error = (field: string) => errors[`line_items.${at}.${field}`];
  return (
    <div className={classes.prices}>
      <AmountField
        currency={money}
        label={t("billing.line.price")}
        value={line.unitPrice}
        error={error("unit_price")}
        onChange={(event) => onChange({ unitPrice: event.currentTarget.value })}
      />
      <TextInput
        inputMode="numeric"
        label={t("billing.line.units")}
        value={line.units}
        error={error("units")}
        onChange={(event) => onChange({ units: event.currentTarget.value })}
      />
      <AmountField
        currency={money}
        label={t("billing.line.discount")}
        value={line.discount}
        error={error("discount")}
        onChange={(event) => onChange({ discount: event.currentTarget.value })}
      />
      <RateField
        label={t("billing.line.tax")}
        value={line.taxRate}
        error={error("tax_rate")}
        onChange={(event) => onChange({ taxRate: event.currentTarget.value })}
      />
    </div>
  );
}

function Line(props: LineProps & { onRemove: (() => void) | null }) {
  const { t } = useTranslation();
  const { line, at, money, errors, onChange, onRemove } = props;
  const name = t("billing.line.one", { number: at + 1 });
  const { amounts } = readLine(line, money.exponent);
  return (
    // biome-ignore lint/a11y/useSemanticElements: the name is told, not shown; a legend would be seen.
    <div role="group" aria-label={name} className={classes.line}>
      <div className={classes.what}>
        <LimitedInput
          max={DESCRIPTION_MAX}
          label={t("billing.line.description")}
          value={line.description}
          error={errors[`line_items.${at}.description`]}
          onChange={(event) => onChange({ description: event.currentTarget.value })}
        />
        {onRemove !== null && (
          <ActionIcon
            variant="subtle"
            color="gray"
            size={36}
            className={classes.remove}
            aria-label={t("billing.line.remove", { line: name })}
            onClick={onRemove}
          >
            <IconTrash size={18} aria-hidden="true" />
          </ActionIcon>
        )}
      </div>
      <Prices {...props} />
      <p className={classes.total}>
        {t("billing.line.total")} <strong>{amounts === undefined ? "–" : money.formatMinor(amounts.total)}</strong>
      </p>
    </div>
  );
}

/** The lines of an invoice, and what they come to while they are typed. */
export function LineFields({ lines, money, errors, onChange }: Props) {
  const { t } = useTranslation();
  const read = lines.map((line) => readLine(line, money.exponent).amounts);
  const known = read.filter((amounts) => amounts !== undefined);
  const add = () => onChange([...lines, emptyLine(Math.max(0, ...lines.map(({ key }) => key)) + 1)]);
  return (
    <fieldset className={formClasses.group}>
      <legend className={formClasses.legend}>{t("billing.lines")}</legend>
      <div className={classes.lines}>
        {lines.map((line, at) => (
          <Line
            key={line.key}
            line={line}
            at={at}
            money={money}
            errors={errors}
            onChange={(changes) => onChange(lines.map((one) => (one === line ? { ...line, ...changes } : one)))}
            onRemove={lines.length === 1 ? null : () => onChange(lines.filter((one) => one !== line))}
          />
        ))}
      </div>
      <div className={classes.below}>
        <Button
          variant="default"
          size="xs"
          leftSection={<IconPlus size={16} aria-hidden="true" />}
          disabled={lines.length >= LINE_ITEMS_MAX}
          onClick={add}
        >
          {t("billing.line.add")}
        </Button>
        <Sums sums={sumOf(known)} money={money} />
      </div>
    </fieldset>
  );
}

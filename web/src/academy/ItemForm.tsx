import { Checkbox, TextInput } from "@mantine/core";
import "../ui/checkbox.css";
import { type Item, type ItemInput, type ItemType, items } from "../api/academy.ts";
import { AmountField } from "../billing/AmountField.tsx";
import { majorOf, minorOf, ratePercent, rateThousandths, readAmount, readRate, withMark } from "../billing/money.ts";
import { useMoney } from "../billing/use-money.ts";
import { useTranslation } from "../i18n/words.ts";
import { FormBody } from "../ui/FormBody.tsx";
import { type FormErrors, useForm } from "../ui/form.ts";
import { AskingDialog } from "../ui/leaving.tsx";
import rows from "../ui/rows.module.css";
import { localMinute } from "../ui/time.ts";
import { useRefresh } from "./act.ts";
import { useAcademyWords } from "./words.ts";

const NAME_MAX_CHARACTERS = 200;

interface Props {
  type: ItemType;
  /** Null for a new one. */
  item: Item | null;
  onDone: (item: Item) => void;
  onClose: () => void;
}

interface Typed {
  name: string;
  price: string;
  taxRate: string;
  startsAt: string;
  active: boolean;
}

const orZero = (text: string): string => (text.trim() === "" ? "0" : text);

function useMistakes(exponent: number) {
  const { t } = useTranslation();
  return ({ name, price, taxRate }: Typed): FormErrors => {
    const amount = readAmount(price, exponent);
    const errors: Record<string, string> = {};
    if (name.trim() === "") errors.name = t("academy.mistake.name");
    if (typeof amount === "string") errors.price = t(`academy.mistake.${amount === "amount" ? "price" : amount}`);
    if (readRate(orZero(taxRate)) === null) errors.tax_rate = t("academy.mistake.rate");
    return errors;
  };
}

/** To be asked once nothing is wrong. */
function inputOf({ name, price, taxRate, startsAt, active }: Typed, type: ItemType, exponent: number): ItemInput {
  const minor = readAmount(price, exponent);
  if (typeof minor === "string") throw new TypeError("an amount is sent only once it was read");
  return {
    name: name.trim(),
    price: majorOf(minor, exponent),
    tax_rate: ratePercent(readRate(orZero(taxRate)) ?? 0),
    ...(type === "webinar" && { starts_at: startsAt === "" ? null : startsAt }),
    active,
  };
}

function useItemForm({ type, item, onDone }: Props) {
  const refresh = useRefresh();
  const money = useMoney()(item?.currency);
  const { exponent } = money;
  const form = useForm<Typed, Item>({
    start: () => ({
      name: item?.name ?? "",
      price: item === null ? "" : money.typed(minorOf(item.price, exponent)),
      taxRate: item ? withMark(String(ratePercent(rateThousandths(item.tax_rate))), money.locale) : "",
      startsAt: item?.starts_at ? localMinute(item.starts_at) : "",
      active: item?.active ?? true,
    }),
    fields: ["name", "price", "tax_rate", "starts_at"],
    mistakes: useMistakes(exponent),
    send: (typed, intent) => {
      const input = inputOf(typed, type, exponent);
      return item === null ? items.create(type, input, intent) : items.change(item, input, intent);
    },
    done: async (saved) => {
      await refresh();
      onDone(saved);
    },
    words: useAcademyWords(),
  });
  return { ...form, money };
}

type Form = ReturnType<typeof useItemForm>;

function Price({ form: { typed, type, errors, money } }: { form: Form }) {
  const { t } = useTranslation();
  return (
    <div className={rows.pair}>
      <AmountField
        label={t("academy.price")}
        currency={money}
        value={typed.price}
        error={errors.price}
        onChange={(event) => type({ price: event.currentTarget.value })}
      />
      <TextInput
        label={t("academy.taxRate")}
        inputMode="decimal"
        maxLength={8}
        autoComplete="off"
        value={typed.taxRate}
        error={errors.tax_rate}
        onChange={(event) => type({ taxRate: event.currentTarget.value })}
      />
    </div>
  );
}

function Fields(props: Props) {
  const { t } = useTranslation();
  const form = useItemForm(props);
  const { typed, type, errors } = form;
  return (
    <FormBody form={form} action={t("academy.save")} onClose={props.onClose}>
      <TextInput
        label={t("academy.name")}
        value={typed.name}
        maxLength={NAME_MAX_CHARACTERS}
        error={errors.name}
        autoComplete="off"
        onChange={(event) => type({ name: event.currentTarget.value })}
        data-autofocus
      />
      <Price form={form} />
      {props.type === "webinar" && (
        <TextInput
          label={t("academy.startsAt")}
          description={t("academy.startsHint")}
          type="datetime-local"
          value={typed.startsAt}
          error={errors.starts_at}
          onChange={(event) => type({ startsAt: event.currentTarget.value })}
        />
      )}
      <Checkbox
        label={t("academy.active")}
        description={t("academy.activeHint")}
        checked={typed.active}
        onChange={(event) => type({ active: event.currentTarget.checked })}
      />
    </FormBody>
  );
}

/** A new course or webinar, or a change of one. For managers. Times are the clinic's own, sent without an offset. */
export function ItemForm(props: Props) {
  const { t } = useTranslation();
  const { type, item, onClose } = props;
  const fresh = t(type === "course" ? "academy.newCourse" : "academy.newWebinar");
  return (
    <AskingDialog title={item === null ? fresh : t("academy.editTitle", { name: item.name })} onClose={onClose}>
      {(leave) => <Fields {...props} onClose={leave} />}
    </AskingDialog>
  );
}

// An invoice that is made or changed; one form for both. What was sold as a package, gift certificate or membership keeps
// its patient and its lines.
import { Checkbox, NativeSelect, Text, TextInput } from "@mantine/core";
import "../ui/checkbox.css";
import { useQuery } from "@tanstack/react-query";
import { type Invoice, type InvoiceInput, invoices } from "../api/billing.ts";
import type { Person } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { practitionersQuery } from "../schedule/queries.ts";
import { useMe } from "../session/queries.ts";
import { FormBody } from "../ui/FormBody.tsx";
import classes from "../ui/form.module.css";
import { LimitedInput } from "../ui/LimitedInput.tsx";
import { AskingDialog } from "../ui/leaving.tsx";
import { dayInZone } from "../ui/time.ts";
import { AutoDeduct } from "./AutoDeduct.tsx";
import { type Errors, type Mistakes, useForm } from "./form.ts";
import { LineFields } from "./LineFields.tsx";
import { emptyLine, lineInputs, lineMistakes, linesDiffer, type TypedLine, typedLine } from "./lines.ts";
import { PatientField } from "./PatientField.tsx";
import { type Money, useMoney } from "./use-money.ts";

/** The server's limit, in characters. */
const NUMBER_MAX = 60;
const LINE_FIELDS = ["description", "unit_price", "units", "discount", "tax_rate"];
const FIELDS = [
  ...["client_id", "payer_id", "practitioner_id", "invoice_date", "invoice_number"],
  ...LINE_FIELDS.map((field) => `line_items.*.${field}`),
];

interface Props {
  /** Null: a new one. */
  invoice: Invoice | null;
  onClose: () => void;
  onDone: (invoice: Invoice) => void;
}

interface Typed {
  client: Person | null;
  hasPayer: boolean;
  payer: Person | null;
  practitionerId: number | null;
  date: string;
  number: string;
  lines: TypedLine[];
  autoDeduct: boolean;
}

function emptyInvoice(today: string): Typed {
  return {
    ...{ client: null, hasPayer: false, payer: null, practitionerId: null },
    ...{ date: today, number: "", lines: [emptyLine(1)], autoDeduct: false },
  };
}

function typedInvoice(invoice: Invoice, { exponent, locale }: Money): Typed {
  const { client, payer, practitioner, invoice_date: date, invoice_number: number, line_items: items } = invoice;
  return {
    ...{ client, hasPayer: payer !== null, payer, practitionerId: practitioner?.id ?? null, date, number },
    lines: items.map((line) => typedLine(line, exponent, locale)),
    autoDeduct: false,
  };
}

/** A package, gift certificate or membership's charge. */
const isSold = (invoice: Invoice | null): boolean => invoice !== null && invoice.type !== "patient_invoice";

const payerOf = ({ hasPayer, payer }: Typed): number | null => (hasPayer ? (payer?.id ?? null) : null);

function newInput(typed: Typed, exponent: number): InvoiceInput {
  const { client, practitionerId, date, number, lines, autoDeduct } = typed;
  return {
    ...(client === null ? {} : { client_id: client.id }),
    payer_id: payerOf(typed),
    practitioner_id: practitionerId,
    invoice_date: date,
    ...(number.trim() === "" ? {} : { invoice_number: number }),
    line_items: lineInputs(lines, exponent),
    ...(autoDeduct ? { auto_deduct: true } : {}),
  };
}

/** Only what is different is sent, so that nothing counts as changed that nobody touched. */
function changedInput(typed: Typed, invoice: Invoice, exponent: number): InvoiceInput {
  const { client, practitionerId, date, number, lines } = typed;
  const payer = payerOf(typed);
  return {
    ...(client === null || client.id === invoice.client.id ? {} : { client_id: client.id }),
    ...(payer === (invoice.payer?.id ?? null) ? {} : { payer_id: payer }),
    ...(practitionerId === (invoice.practitioner?.id ?? null) ? {} : { practitioner_id: practitionerId }),
    ...(date === invoice.invoice_date ? {} : { invoice_date: date }),
    ...(number === invoice.invoice_number ? {} : { invoice_number: number }),
    ...(!isSold(invoice) && linesDiffer(lines, invoice.line_items, exponent)
      ? { line_items: lineInputs(lines, exponent) }
      : {}),
  };
}

function mistakesOf(typed: Typed, money: Money, invoice: Invoice | null): Mistakes {
  const { client, hasPayer, payer, date, number, lines } = typed;
  return {
    ...(client === null ? { client_id: "patient" } : {}),
    ...(hasPayer && payer === null ? { payer_id: "patient" } : {}),
    ...(date === "" ? { invoice_date: "date" } : {}),
    ...(invoice !== null && number.trim() === "" ? { invoice_number: "name" } : {}),
    ...(isSold(invoice) ? {} : lineMistakes(lines, money.exponent)),
  };
}

function useInvoiceForm({ invoice, onDone }: Props, money: Money) {
  const { time_zone } = useMe().clinic;
  return useForm<Typed, Invoice>({
    start: () => (invoice === null ? emptyInvoice(dayInZone(new Date(), time_zone)) : typedInvoice(invoice, money)),
    fields: FIELDS,
    mistakes: (typed) => mistakesOf(typed, money, invoice),
    send: (typed, intent) =>
      invoice === null
        ? invoices.create(newInput(typed, money.exponent), intent)
        : invoices.change(invoice.id, changedInput(typed, invoice, money.exponent), intent),
    done: onDone,
  });
}

interface PartProps {
  typed: Typed;
  errors: Errors;
  type: (changes: Partial<Typed>) => void;
}

function Who({ typed, errors, type, isFixed }: PartProps & { isFixed: boolean }) {
  const { t } = useTranslation();
  return (
    <>
      {isFixed ? (
        <TextInput label={t("billing.client")} value={typed.client?.name ?? ""} disabled readOnly />
      ) : (
        <PatientField
          label={t("billing.client")}
          chosen={typed.client}
          error={errors.client_id}
          onChange={(client) => type({ client })}
        />
      )}
      <Checkbox
        label={t("billing.hasPayer")}
        checked={typed.hasPayer}
        onChange={(event) => type({ hasPayer: event.currentTarget.checked })}
      />
      {typed.hasPayer && (
        <PatientField
          label={t("billing.payer")}
          chosen={typed.payer}
          error={errors.payer_id}
          onChange={(payer) => type({ payer })}
        />
      )}
    </>
  );
}

function Details({ typed, errors, type, isNew }: PartProps & { isNew: boolean }) {
  const { t } = useTranslation();
  const practitioners = useQuery(practitionersQuery);
  const named = (practitioners.data ?? []).map(({ id, name }) => ({ value: String(id), label: name }));
  return (
    <div className={classes.pair}>
      <TextInput
        type="date"
        label={t("billing.date")}
        value={typed.date}
        error={errors.invoice_date}
        onChange={(event) => type({ date: event.currentTarget.value })}
      />
      <LimitedInput
        max={NUMBER_MAX}
        label={t("billing.number")}
        placeholder={isNew ? t("billing.nextNumber") : ""}
        value={typed.number}
        error={errors.invoice_number}
        onChange={(event) => type({ number: event.currentTarget.value })}
      />
      <NativeSelect
        label={t("billing.practitioner")}
        data={[{ value: "", label: t("billing.noPractitioner") }, ...named]}
        value={typed.practitionerId ?? ""}
        error={errors.practitioner_id}
        onChange={({ currentTarget: { value } }) => type({ practitionerId: value === "" ? null : Number(value) })}
      />
    </div>
  );
}

function Body(props: Props) {
  const { t } = useTranslation();
  const { invoice, onClose } = props;
  const money = useMoney()(invoice?.currency);
  const { typed, type, ...form } = useInvoiceForm(props, money);
  const part = { typed, type, errors: form.errors };
  const isFixed = isSold(invoice);
  return (
    <FormBody form={form} action={t(invoice === null ? "billing.create" : "billing.save")} onClose={onClose}>
      <Who {...part} isFixed={isFixed} />
      <Details {...part} isNew={invoice === null} />
      {isFixed ? (
        <Text size="sm" c="dimmed">
          {t("billing.linesFixed")}
        </Text>
      ) : (
        <LineFields lines={typed.lines} money={money} errors={form.errors} onChange={(lines) => type({ lines })} />
      )}
      {invoice === null && typed.client !== null && (
        <AutoDeduct
          client={typed.client}
          money={money}
          checked={typed.autoDeduct}
          onChange={(autoDeduct) => type({ autoDeduct })}
        />
      )}
    </FormBody>
  );
}

/** See the head of this file. */
export default function InvoiceDialog(props: Props) {
  const { t } = useTranslation();
  const { invoice } = props;
  const title = invoice === null ? t("billing.new") : t("billing.editTitle", { number: invoice.invoice_number });
  return (
    <AskingDialog title={title} size="xl" onClose={props.onClose}>
      {(leave) => <Body {...props} onClose={leave} />}
    </AskingDialog>
  );
}

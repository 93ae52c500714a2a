/**
 * Invoices from a file: one line for each line item, and the lines of an invoice, which have its number, follow each other.
 * Any of them may say what was paid. Only patients' own invoices; packages, memberships and gift certificates come with what
 * they sold.
 */
import { invalid } from "../../errors.ts";
import type { InvoiceChanges } from "../billing/invoice-changes.ts";
import { countOnAfter } from "../billing/invoice-numbers.ts";
import { PAYMENT_METHODS, type PaymentMethod } from "../billing/invoice-rows.ts";
import { createInvoice } from "../billing/invoices.ts";
import { toMinor } from "../billing/money.ts";
import type { NewPayment } from "../billing/payments.ts";
import { changeBilling } from "../billing-transaction.ts";
import { getClinic } from "../clinics.ts";
import type { Column, Row } from "./csv.ts";
import type { ImportJob, ImportRun } from "./import-run.ts";
import { type PeopleIndex, readPeople } from "./people-index.ts";

export const INVOICE_COLUMNS: readonly Column[] = [
  { name: "invoice_number", isNeeded: true, example: "INV-2025-104" },
  { name: "invoice_date", isNeeded: true, example: "2026-11-03" },
  { name: "patient", isNeeded: true, example: "sam.sample@example.test" },
  { name: "practitioner", isNeeded: false, example: "pat.pretend@example.test" },
  { name: "description", isNeeded: true, example: "Massage therapy, 60 minutes" },
  { name: "unit_price", isNeeded: true, example: "95.00" },
  { name: "units", isNeeded: false, example: "1" },
  { name: "discount", isNeeded: false, example: "0" },
  { name: "tax_rate", isNeeded: false, example: "13" },
  { name: "paid", isNeeded: false, example: "107.35" },
  { name: "payment_method", isNeeded: false, example: "credit_card" },
];

/** What a file may say of how something was paid: credits of the old system are not here to be drawn. */
const METHODS: readonly string[] = PAYMENT_METHODS.filter(
  (method) => !["package", "membership", "gift_certificate"].includes(method),
);

/** What all lines of an invoice say alike; the first one must, the others may leave it empty. */
const OF_THE_INVOICE = ["invoice_date", "patient", "practitioner"] as const;

const COLUMN_OF_FIELD: Readonly<Record<string, string>> = {
  client_id: "patient",
  practitioner_id: "practitioner",
  total: "paid",
};

export async function importInvoices({ tx, context, run }: ImportJob, rows: AsyncIterable<Row>): Promise<void> {
  const people = await readPeople(tx, context.clinicId);
  const { currency } = await getClinic(tx, context.clinicId);
  const numbers: string[] = [];
  await changeBilling(tx, context, async (invoices) => {
    for await (const group of invoicesOf(rows)) {
      numbers.push(group[0].value("invoice_number"));
      await makeOne(run, invoices, group, { people, currency });
      await run.advance(group.length);
    }
    run.end();
  });
  // Last, since whoever makes an invoice waits for the counter.
  await countOnAfter({ tx, clinicId: context.clinicId }, "patient_invoice", numbers);
}

/** The rows of one invoice; there is a first one. */
type Group = readonly [Row, ...Row[]];

/** Neighbouring rows with the same number. */
async function* invoicesOf(rows: AsyncIterable<Row>): AsyncGenerator<Group> {
  let group: [Row, ...Row[]] | null = null;
  for await (const row of rows) {
    const number = row.value("invoice_number");
    if (group !== null && group[0].value("invoice_number") === number) group.push(row);
    else {
      if (group !== null) yield group;
      group = [row];
    }
  }
  if (group !== null) yield group;
}

interface Known {
  readonly people: PeopleIndex;
  readonly currency: string;
}

/** Every row is read, so that all that is wrong is told; the invoice is made where nothing is. */
async function makeOne(run: ImportRun, invoices: InvoiceChanges, group: Group, known: Known): Promise<void> {
  const [first] = group;
  const read = group.map((row) => run.read(row, () => readRow(row, first, known.currency)));
  const parts = read.filter((part) => part !== null);
  if (parts.length < group.length) return;
  const lines = parts.filter(({ line }) => line !== null);
  const payments = parts.filter(({ payment }) => payment !== null);
  const make = async () => {
    const practitioner = first.value("practitioner");
    await createInvoice(invoices, {
      type: "patient_invoice",
      number: first.value("invoice_number"),
      date: first.value("invoice_date"),
      clientId: known.people.patient("patient", first.value("patient")),
      practitionerId: practitioner === "" ? null : known.people.practitioner("practitioner", practitioner),
      currency: known.currency,
      lines: lines.flatMap(({ line }) => line ?? []),
      payments: payments.flatMap(({ payment }) => payment ?? []),
    });
    return { events: 1 };
  };
  await run.try(first, make, (field) => {
    const [list, at, name = field] = field.split(".");
    const row =
      list === "line_items" ? lines[Number(at)]?.row : list === "payments" ? payments[Number(at)]?.row : first;
    return { row, column: columnOf(name) };
  });
}

/** What a row adds to its invoice: a line, a payment or both. */
function readRow(row: Row, first: Row, currency: string) {
  if (row.value("invoice_number") === "")
    throw invalid("invoice_number", "Each line needs the number of its invoice. Write one.", "missing");
  refuseOther(row, first);
  const paysOnly =
    row !== first && row.value("paid") !== "" && row.value("description") + row.value("unit_price") === "";
  return { row, line: paysOnly ? null : readLine(row, currency), payment: readPayment(row, currency) };
}

/** A line must not say something else of the invoice than its first one. */
function refuseOther(row: Row, first: Row): void {
  for (const column of OF_THE_INVOICE) {
    const value = row.value(column);
    if (value === "" || value === first.value(column)) continue;
    throw invalid(
      column,
      "The first line of this invoice says something else. Write the same, leave it empty, or give another number.",
      "invalid",
    );
  }
}

function readPayment(row: Row, currency: string): NewPayment | null {
  const totalMinor = amount("paid", row.value("paid"), currency);
  const method = row.value("payment_method");
  if (totalMinor > 0) return { method: readMethod(method), totalMinor };
  if (method === "") return null;
  throw invalid("paid", "A way to pay is written, but no amount. Write it, or leave both empty.", "missing");
}

function readLine(line: Row, currency: string) {
  const units = line.value("units");
  if (units !== "" && !/^\d{1,7}$/.test(units)) {
    throw invalid("units", "Units are a whole number. Write it like 1.", "wrong_type");
  }
  if (line.value("unit_price") === "")
    throw invalid("unit_price", "A price is needed. Write it like 95.00.", "missing");
  return {
    description: line.value("description"),
    unitPriceMinor: amount("unit_price", line.value("unit_price"), currency),
    units: units === "" ? 1 : Number(units),
    discountMinor: amount("discount", line.value("discount"), currency),
    taxRate: decimal("tax_rate", line.value("tax_rate")),
  };
}

function amount(field: string, text: string, currency: string): number {
  return toMinor(field, decimal(field, text), currency);
}

/** `95`, `95.00` or `95,00`; nothing is zero. */
function decimal(field: string, text: string): number {
  if (text === "") return 0;
  if (/^\d{1,15}([.,]\d{1,10})?$/.test(text)) return Number(text.replace(",", "."));
  throw invalid(field, "This is not a number. Write it like 95.00, without a currency sign.", "wrong_type");
}

function readMethod(text: string): PaymentMethod {
  if (text === "") return "other";
  if (METHODS.includes(text)) return text as PaymentMethod;
  throw invalid("payment_method", `This way to pay is not known. Write one of: ${METHODS.join(", ")}.`, "not_one_of");
}

function columnOf(field: string): string | null {
  const name = COLUMN_OF_FIELD[field] ?? field;
  return INVOICE_COLUMNS.some((column) => column.name === name) ? name : null;
}

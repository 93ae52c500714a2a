/**
 * Invoices from a file: one line for each line item, and the lines of an invoice, which have its number, follow each other.
 * Only patients' own invoices; packages, memberships and gift certificates come with what they sold.
 */
import { invalid } from "../../errors.ts";
import type { InvoiceChanges } from "../billing/invoice-changes.ts";
import { PAYMENT_METHODS, type PaymentMethod } from "../billing/invoice-rows.ts";
import { createInvoice } from "../billing/invoices.ts";
import { toMinor } from "../billing/money.ts";
import { changeBilling } from "../billing-transaction.ts";
import { getClinic } from "../clinics.ts";
import type { Column, Row } from "./csv.ts";
import type { ImportJob } from "./import-run.ts";
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

const COLUMN_OF_FIELD: Readonly<Record<string, string>> = {
  client_id: "patient",
  practitioner_id: "practitioner",
  total: "paid",
  payment_method: "payment_method",
};

export async function importInvoices({ tx, context, run }: ImportJob, rows: readonly Row[]): Promise<void> {
  const people = await readPeople(tx, context.clinicId);
  const { currency } = await getClinic(tx, context.clinicId);
  await changeBilling(tx, context, async (invoices) => {
    for (const lines of invoicesOf(rows)) {
      const [first] = lines;
      if (first === undefined) continue;
      await run.try(first, () => make(invoices, lines, { people, currency }), columnOf);
      await run.advance(lines.length);
    }
    run.end();
  });
}

/** Neighbouring rows with the same number. */
function* invoicesOf(rows: readonly Row[]): Generator<Row[]> {
  let lines: Row[] = [];
  for (const row of rows) {
    const isNext = lines[0]?.value("invoice_number") !== row.value("invoice_number");
    if (isNext && lines.length > 0) yield lines;
    lines = isNext ? [row] : [...lines, row];
  }
  if (lines.length > 0) yield lines;
}

interface Known {
  readonly people: PeopleIndex;
  readonly currency: string;
}

async function make(invoices: InvoiceChanges, lines: readonly Row[], { people, currency }: Known) {
  const [first] = lines;
  if (first === undefined) throw new Error("an invoice of a file has no line");
  const number = first.value("invoice_number");
  if (number === "")
    throw invalid("invoice_number", "Each line needs the number of its invoice. Write one.", "missing");
  const practitioner = first.value("practitioner");
  const totalMinor = amount("paid", first.value("paid"), currency);
  await createInvoice(invoices, {
    type: "patient_invoice",
    number,
    date: first.value("invoice_date"),
    clientId: people.patient("patient", first.value("patient")),
    practitionerId: practitioner === "" ? null : people.practitioner("practitioner", practitioner),
    currency,
    lines: lines.map((line) => readLine(line, currency)),
    payments: totalMinor === 0 ? [] : [{ method: method(first.value("payment_method")), totalMinor }],
  });
  return { events: 1 };
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

function method(text: string): PaymentMethod {
  if (text === "") return "other";
  if (METHODS.includes(text)) return text as PaymentMethod;
  throw invalid("payment_method", `This way to pay is not known. Write one of: ${METHODS.join(", ")}.`, "not_one_of");
}

function columnOf(field: string): string | null {
  const name = COLUMN_OF_FIELD[field] ?? field.replace(/^(line_items|payments)\.\d+\./, "");
  return INVOICE_COLUMNS.some((column) => column.name === name) ? name : (COLUMN_OF_FIELD[name] ?? null);
}

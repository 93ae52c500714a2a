/**
 * The lines of an invoice: what was sold, at which price.
 *
 * Owns the rows of `invoice_line_items`. Promises that what passes has sums that a body can carry, that a line which stays
 * keeps its id, and that a refused change changes nothing.
 */
import { LINE_ITEMS_MAX, UNITS_MAX } from "@hookwell/sdk";
import { conflict, invalid, notFound } from "../../errors.ts";
import { cleanNotes } from "../names.ts";
import { type Amounts, grossOfLine, type LinePrice, lineAmounts, sumOf } from "./amounts.ts";
import type { InvoiceChanges } from "./invoice-changes.ts";
import type { OpenInvoice, OpenLine } from "./invoice-rows.ts";
import { AMOUNT_MAX_MINOR, checkAmount, readTaxRate, taxRatePercent } from "./money.ts";
import { refuseOverPayment } from "./over-payment.ts";

const DESCRIPTION_MAX_CHARACTERS = 2_000;

export interface LineInput {
  /** Of a line that is there already and stays. */
  readonly id?: number | undefined;
  readonly description: string;
  readonly unitPriceMinor: number;
  /** 1 to `UNITS_MAX`. */
  readonly units: number;
  /** Off price × units; none where absent. */
  readonly discountMinor?: number | undefined;
  /** Percent, at most three decimals; untaxed where absent. */
  readonly taxRate?: number | undefined;
}

/** A line that may be stored. */
export interface CleanLine extends LinePrice {
  readonly id: number | undefined;
  readonly description: string;
}

/** Holds lines against every limit before any of them is stored. @throws ProblemError naming `line_items.2.units` */
export function cleanLines(lines: readonly LineInput[]): readonly CleanLine[] {
  if (lines.length > LINE_ITEMS_MAX) {
    throw invalid("line_items", `An invoice has at most ${LINE_ITEMS_MAX} lines. Make a second one.`, "too_many");
  }
  const clean = lines.map((line, at) => cleanLine(line, `line_items.${at}`));
  checkAmount("line_items", sumOf(clean.map(lineAmounts)).totalMinor);
  return clean;
}

function cleanLine(line: LineInput, at: string): CleanLine {
  const { id, units, unitPriceMinor, discountMinor = 0 } = line;
  if (!Number.isSafeInteger(unitPriceMinor) || !Number.isSafeInteger(discountMinor)) {
    throw new RangeError("a line's price is not an integer of the smallest unit");
  }
  if (!Number.isSafeInteger(units) || units < 1 || units > UNITS_MAX) {
    throw invalid(`${at}.units`, `Units are a whole number from 1 to ${UNITS_MAX}. Change them.`, "too_small");
  }
  const gross = grossOfLine(line);
  if (gross > BigInt(AMOUNT_MAX_MINOR)) checkAmount(`${at}.unit_price`, Number.POSITIVE_INFINITY);
  if (BigInt(discountMinor) > gross) {
    throw invalid(`${at}.discount`, "The discount is larger than the price. Make it smaller.", "too_big");
  }
  const taxRateThousandths = readTaxRate(`${at}.tax_rate`, line.taxRate ?? 0);
  const clean = { id, units, unitPriceMinor, discountMinor, taxRateThousandths };
  checkAmount(`${at}.unit_price`, lineAmounts(clean).totalMinor);
  return { ...clean, description: cleanDescription(`${at}.description`, line.description) };
}

function cleanDescription(field: string, text: string): string {
  const description = cleanNotes(field, text)?.trim();
  if (description === undefined) throw invalid(field, "Say what this line is for.", "empty");
  if (description.length <= DESCRIPTION_MAX_CHARACTERS) return description;
  throw invalid(field, `A description has at most ${DESCRIPTION_MAX_CHARACTERS} characters. Shorten it.`, "too_long");
}

/** The lines as a whole: those with an id stay, in the given order; those not listed go. @throws ProblemError */
export async function replaceLines(
  invoices: InvoiceChanges,
  invoice: Pick<OpenInvoice, "id" | "type" | "netMinor" | "lines">,
  lines: readonly LineInput[],
): Promise<void> {
  const clean = cleanLines(lines);
  const present = new Map(invoice.lines.map((line) => [line.id, line]));
  const kept = clean.flatMap(({ id }) => id ?? []);
  for (const [at, { id }] of clean.entries()) {
    if (id === undefined) continue;
    if (!present.has(id)) throw notFound("the line item", `line_items.${at}.id`);
    if (kept.indexOf(id) !== kept.lastIndexOf(id)) {
      throw invalid(`line_items.${at}.id`, "This line is listed twice. List each line once.", "already_there");
    }
  }
  const { totalMinor } = sumOf(clean.map(lineAmounts));
  refuseOverPayment({ type: invoice.type, totalMinor, netMinor: invoice.netMinor }, "line_items");
  await deleteLines(invoices, invoice.id, { except: kept });
  await storeLines(invoices, invoice.id, clean);
}

async function deleteLines({ tx, clinicId }: InvoiceChanges, invoiceId: number, { except }: { except: number[] }) {
  let gone = tx.deleteFrom("invoice_line_items").where("clinic_id", "=", clinicId).where("invoice_id", "=", invoiceId);
  if (except.length > 0) gone = gone.where("id", "not in", except);
  await gone.execute();
}

async function storeLines({ tx, clinicId }: InvoiceChanges, invoiceId: number, lines: readonly CleanLine[]) {
  const fresh: ReturnType<typeof columnsOf>[] = [];
  for (const [position, line] of lines.entries()) {
    const columns = columnsOf(line, position);
    if (line.id === undefined) fresh.push(columns);
    else
      await tx
        .updateTable("invoice_line_items")
        .set(columns)
        .where("clinic_id", "=", clinicId)
        .where("id", "=", line.id)
        .execute();
  }
  if (fresh.length === 0) return;
  const values = fresh.map((columns) => ({ ...columns, clinic_id: clinicId, invoice_id: invoiceId }));
  await tx.insertInto("invoice_line_items").values(values).execute();
}

function columnsOf(line: CleanLine, position: number) {
  return {
    position,
    description: line.description,
    unit_price_minor: line.unitPriceMinor,
    units: line.units,
    discount_minor: line.discountMinor,
    tax_rate_thousandths: line.taxRateThousandths,
  };
}

/** A line as it stands, as input: what a change of one line leaves alone. */
export function lineInput(line: OpenLine): LineInput {
  const { id, description, unitPriceMinor, units, discountMinor, taxRateThousandths } = line;
  return { id, description, unitPriceMinor, units, discountMinor, taxRate: taxRatePercent(taxRateThousandths) };
}

/** Adds a line at the end. @throws ProblemError naming the field of the line itself */
export async function addLineItem(
  invoices: InvoiceChanges,
  invoiceId: number,
  line: Omit<LineInput, "id">,
): Promise<void> {
  const invoice = await invoices.open(invoiceId);
  if (invoice.lines.length >= LINE_ITEMS_MAX) {
    throw conflict("too_many_lines", `An invoice has at most ${LINE_ITEMS_MAX} lines. Make a second one.`);
  }
  await replaceLines(invoices, invoice, [...invoice.lines.map(lineInput), line]);
}

export interface LineItemRef {
  readonly invoiceId: number;
  readonly lineItemId: number;
}

/** What is absent stays as it is. @throws ProblemError 404 when the invoice has no such line */
export async function changeLineItem(
  invoices: InvoiceChanges,
  { invoiceId, lineItemId }: LineItemRef,
  change: (currency: string) => Partial<Omit<LineInput, "id">>,
): Promise<void> {
  const invoice = await invoices.open(invoiceId);
  if (!invoice.lines.some(({ id }) => id === lineItemId)) throw notFound("the line item");
  const changed = change(invoice.currency);
  const given = Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined));
  const lines = invoice.lines.map((line) => ({ ...lineInput(line), ...(line.id === lineItemId ? given : {}) }));
  await replaceLines(invoices, invoice, lines);
}

/** @throws ProblemError 404 when the invoice has no such line */
export async function removeLineItem(invoices: InvoiceChanges, { invoiceId, lineItemId }: LineItemRef): Promise<void> {
  const invoice = await invoices.open(invoiceId);
  const left = invoice.lines.filter(({ id }) => id !== lineItemId);
  if (left.length === invoice.lines.length) throw notFound("the line item");
  await replaceLines(invoices, invoice, left.map(lineInput));
}

/** The sums of lines that are not stored yet. */
export function sumOfLines(lines: readonly CleanLine[]): Amounts {
  return sumOf(lines.map(lineAmounts));
}

/**
 * The lines of an invoice: what was sold, at which price.
 *
 * Owns the rows of `invoice_line_items`. Promises that what passes has sums that a body can carry, that a line which stays
 * keeps its id, that what was sold keeps its lines, and that a refused change changes nothing.
 */
import { LINE_ITEMS_MAX, UNITS_MAX } from "@hookwell/sdk";
import { conflict, invalid, notFound } from "../../errors.ts";
import { cleanNotes } from "../names.ts";
import { grossOfLine, type LinePrice, lineAmounts, sumOf } from "./amounts.ts";
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

/** How a field of a line is named to the caller. */
type Path = (at: number, field: string) => string;
const inList: Path = (at, field) => `line_items.${at}.${field}`;

/** Holds lines against every limit before any of them is stored. @throws ProblemError naming `line_items.2.units` */
export function cleanLines(lines: readonly LineInput[], path: Path = inList): readonly CleanLine[] {
  if (lines.length > LINE_ITEMS_MAX) {
    throw invalid("line_items", `An invoice has at most ${LINE_ITEMS_MAX} lines. Make a second one.`, "too_many");
  }
  const clean = lines.map((line, at) => cleanLine(line, (field) => path(at, field)));
  checkAmount("line_items", sumOf(clean.map(lineAmounts)).totalMinor);
  return clean;
}

function cleanLine(line: LineInput, path: (field: string) => string): CleanLine {
  const { id, units, unitPriceMinor, discountMinor = 0 } = line;
  if (!Number.isSafeInteger(unitPriceMinor) || !Number.isSafeInteger(discountMinor)) {
    throw new RangeError("a line's price is not an integer of the smallest unit");
  }
  checkUnits(path("units"), units);
  const gross = grossOfLine(line);
  if (gross > BigInt(AMOUNT_MAX_MINOR)) checkAmount(path("unit_price"), Number.POSITIVE_INFINITY);
  if (BigInt(discountMinor) > gross) {
    throw invalid(path("discount"), "The discount is larger than the price. Make it smaller.", "too_big");
  }
  const taxRateThousandths = readTaxRate(path("tax_rate"), line.taxRate ?? 0);
  const clean = { id, units, unitPriceMinor, discountMinor, taxRateThousandths };
  checkAmount(path("unit_price"), lineAmounts(clean).totalMinor);
  return { ...clean, description: cleanDescription(path("description"), line.description) };
}

function checkUnits(field: string, units: number): void {
  if (units > UNITS_MAX)
    throw invalid(field, `At most ${UNITS_MAX} units fit on a line. Make a second one.`, "too_big");
  if (Number.isSafeInteger(units) && units >= 1) return;
  throw invalid(field, "Units are a whole number, 1 or more. Change them.", "too_small");
}

function cleanDescription(field: string, text: string): string {
  const description = cleanNotes(field, text)?.trim();
  if (description === undefined) throw invalid(field, "Say what this line is for.", "empty");
  if (description.length <= DESCRIPTION_MAX_CHARACTERS) return description;
  throw invalid(field, `A description has at most ${DESCRIPTION_MAX_CHARACTERS} characters. Shorten it.`, "too_long");
}

export interface NewLines {
  readonly lines: readonly LineInput[];
  readonly path?: Path;
}

/** The lines as a whole: those with an id stay, in the given order; those not listed go. @throws ProblemError */
export async function replaceLines(
  invoices: InvoiceChanges,
  invoice: Pick<OpenInvoice, "id" | "type" | "netMinor" | "lines">,
  { lines, path }: NewLines,
): Promise<void> {
  const clean = cleanLines(lines, path);
  const kept = keptIds(invoice.lines, clean);
  const { totalMinor } = sumOf(clean.map(lineAmounts));
  refuseOverPayment({ type: invoice.type, totalMinor, netMinor: invoice.netMinor }, "line_items");
  await deleteLines(invoices, invoice.id, { except: kept });
  await storeLines(invoices, invoice.id, clean);
}

/** Of the three package types the lines say what was sold and for how much, and what it opened follows from that. */
export function refuseFixedLines({ type }: Pick<OpenInvoice, "type">): void {
  if (type === "patient_invoice") return;
  throw conflict("lines_fixed", "What was sold keeps its lines. Delete this record and sell it again.");
}

/** The ids of the lines that stay: each is one of the invoice's own, and listed once. */
function keptIds(present: readonly OpenLine[], lines: readonly CleanLine[]): number[] {
  const own = new Set(present.map(({ id }) => id));
  const kept = new Set<number>();
  for (const [at, { id }] of lines.entries()) {
    if (id === undefined) continue;
    if (kept.has(id))
      throw invalid(inList(at, "id"), "This line is listed twice. List each line once.", "already_there");
    if (!own.has(id)) throw notFound("the line item", inList(at, "id"));
    kept.add(id);
  }
  return [...kept];
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

/** A line as a caller gives it, once it is known in which currency the invoice is. */
type InCurrency<Line> = (currency: string) => Line;

/** Adds a line at the end. @throws ProblemError naming the line's own field, such as `units` */
export async function addLineItem(
  invoices: InvoiceChanges,
  invoiceId: number,
  line: InCurrency<Omit<LineInput, "id">>,
): Promise<void> {
  const invoice = await invoices.open(invoiceId);
  refuseFixedLines(invoice);
  if (invoice.lines.length >= LINE_ITEMS_MAX) {
    throw conflict("too_many_lines", `An invoice has at most ${LINE_ITEMS_MAX} lines. Make a second one.`);
  }
  const lines = [...invoice.lines.map(lineInput), line(invoice.currency)];
  await replaceLines(invoices, invoice, { lines, path: ownField });
}

const ownField: Path = (_, field) => field;

export interface LineItemRef {
  readonly invoiceId: number;
  readonly lineItemId: number;
}

/** What is absent stays as it is. */
type LineChange = { readonly [Key in Exclude<keyof LineInput, "id">]?: LineInput[Key] | undefined };

/** @throws ProblemError 404 when the invoice has no such line, or naming the line's own field, such as `units` */
export async function changeLineItem(
  invoices: InvoiceChanges,
  { invoiceId, lineItemId }: LineItemRef,
  change: InCurrency<LineChange>,
): Promise<void> {
  const invoice = await invoices.open(invoiceId);
  if (!invoice.lines.some(({ id }) => id === lineItemId)) throw notFound("the line item");
  refuseFixedLines(invoice);
  const given = Object.entries(change(invoice.currency)).filter(([key, value]) => key !== "id" && value !== undefined);
  const lines = invoice.lines.map((line) => {
    return { ...lineInput(line), ...(line.id === lineItemId ? Object.fromEntries(given) : {}) };
  });
  await replaceLines(invoices, invoice, { lines, path: ownField });
}

/** @throws ProblemError 404 when the invoice has no such line */
export async function removeLineItem(invoices: InvoiceChanges, { invoiceId, lineItemId }: LineItemRef): Promise<void> {
  const invoice = await invoices.open(invoiceId);
  const left = invoice.lines.filter(({ id }) => id !== lineItemId);
  if (left.length === invoice.lines.length) throw notFound("the line item");
  refuseFixedLines(invoice);
  await replaceLines(invoices, invoice, { lines: left.map(lineInput) });
}

/**
 * Commands on invoices: create, change, delete.
 *
 * Owns the rows of `invoices`. Promises that client, payer and practitioner belong to the clinic, that a number is used once,
 * and that a refused command changes nothing. All four types are the same record; what is sold with it (a package, a
 * membership, a gift certificate) is somebody else's. Events are made by the unit of work, once per transaction.
 */
import type { InvoiceType } from "@hookwell/sdk";
import type { Insertable } from "kysely";
import type { Database } from "../../db/schema.ts";
import { below, conflict, notFound, ProblemError } from "../../errors.ts";
import { getClinic } from "../clinics.ts";
import { readDate } from "../times.ts";
import type { InvoiceChanges } from "./invoice-changes.ts";
import { nextNumber, numberTaken, ownNumber } from "./invoice-numbers.ts";
import type { OpenInvoice } from "./invoice-rows.ts";
import { cleanLines, type LineInput, lineInput, refuseFixedLines, replaceLines } from "./line-items.ts";
import { currencyExponent, sameMajor } from "./money.ts";
import { addPayment, deductCredits, type NewPayment } from "./payments.ts";

export interface NewInvoice {
  readonly type: InvoiceType;
  /** The patient billed; for a gift certificate the purchaser. */
  readonly clientId: number;
  readonly payerId?: number | null | undefined;
  readonly practitionerId?: number | null | undefined;
  /** `YYYY-MM-DD`; the clinic's today where absent. */
  readonly date?: string | undefined;
  /** The clinic's where absent. */
  readonly currency?: string | undefined;
  /** The next of its type where absent. */
  readonly number?: string | undefined;
  readonly lines: readonly LineInput[];
  readonly payments?: readonly NewPayment[] | undefined;
  /** Pays what is then still owed from the client's credits. */
  readonly autoDeduct?: boolean | undefined;
}

/** Creates a record and returns its id; with its payments it is one `invoice.created`. @throws ProblemError */
export async function createInvoice(invoices: InvoiceChanges, invoice: NewInvoice): Promise<number> {
  const { tx, clinicId } = invoices;
  const { type, payerId, practitionerId, payments = [] } = invoice;
  const clinic = await getClinic(tx, clinicId);
  const currency = invoice.currency ?? clinic.currency;
  currencyExponent(currency);
  cleanLines(invoice.lines);
  const values = {
    clinic_id: clinicId,
    type,
    client_id: await ownPatient(invoices, invoice.clientId, "client_id"),
    payer_id: payerId == null ? null : await ownPatient(invoices, payerId, "payer_id"),
    practitioner_id: practitionerId == null ? null : await ownPractitioner(invoices, practitionerId),
    invoice_date: invoice.date === undefined ? today(invoices, clinic.timeZone) : cleanDate(invoice.date),
    currency,
  };
  const id = await storeInvoice(invoices, values, invoice.number);
  invoices.created(id);
  await replaceLines(invoices, { id, type, netMinor: 0, lines: [] }, { lines: invoice.lines });
  await lockCredits(invoices, { clientId: values.client_id, currency, payments, autoDeduct: invoice.autoDeduct });
  for (const [at, payment] of payments.entries()) await firstPayment(invoices, id, { payment, at });
  if (invoice.autoDeduct === true) await deductCredits(invoices, id);
  return id;
}

type InvoiceColumns = Omit<Insertable<Database["invoices"]>, "invoice_number">;

/**
 * Stores the row under its number. Somebody may take the same one at this very moment: the second of the two has waited for
 * the first; whoever gave the number is told, and ours is drawn again.
 */
async function storeInvoice(invoices: InvoiceChanges, values: InvoiceColumns, given?: string): Promise<number> {
  for (;;) {
    const number = given === undefined ? await nextNumber(invoices, values.type) : await ownNumber(invoices, given);
    const stored = await invoices.tx
      .insertInto("invoices")
      .values({ ...values, invoice_number: number })
      .onConflict((taken) => taken.constraint("invoice_number_once").doNothing())
      .returning("id")
      .executeTakeFirst();
    if (stored !== undefined) return stored.id;
    if (given !== undefined) throw numberTaken();
  }
}

interface Payers extends Pick<NewInvoice, "clientId" | "autoDeduct"> {
  readonly currency: string;
  readonly payments: readonly NewPayment[];
}

/** All credits that may pay, at once: two invoices that name the same ones in another order never wait in a ring. */
async function lockCredits(invoices: InvoiceChanges, { clientId, currency, payments, autoDeduct }: Payers) {
  const creditIds = payments.flatMap(({ creditId }) => creditId ?? []);
  if (creditIds.length === 0) return;
  await invoices.credits.lock({ creditIds, ...(autoDeduct === true ? { usableBy: { clientId, currency } } : {}) });
}

/** A payment in a list: what is wrong with it is named as the caller wrote it, `payments.1.total`. */
async function firstPayment(
  invoices: InvoiceChanges,
  id: number,
  { payment, at }: { payment: NewPayment; at: number },
) {
  try {
    await addPayment(invoices, id, payment);
  } catch (error) {
    throw error instanceof ProblemError ? below(`payments.${at}`, error) : error;
  }
}

function today(invoices: InvoiceChanges, timeZone: string): string {
  return invoices.context.outbox.clock.now().toZonedDateTimeISO(timeZone).toPlainDate().toString();
}

function cleanDate(text: string): string {
  return readDate("invoice_date", text).toString();
}

/** What is absent stays as it is. */
export interface InvoiceChange {
  readonly date?: string | undefined;
  readonly number?: string | undefined;
  /** Only without payments; amounts keep their major units. */
  readonly currency?: string | undefined;
  readonly practitionerId?: number | null | undefined;
  readonly clientId?: number | undefined;
  readonly payerId?: number | null | undefined;
  /** The lines as a whole, in the new currency. */
  readonly lines?: ((currency: string) => readonly LineInput[]) | undefined;
}

/** @throws ProblemError naming the field; 409 where the present state forbids it */
export async function changeInvoice(invoices: InvoiceChanges, id: number, change: InvoiceChange): Promise<void> {
  const { tx, clinicId } = invoices;
  const invoice = await invoices.open(id);
  const currency = newCurrency(invoice, change.currency);
  if (change.lines !== undefined) refuseFixedLines(invoice);
  const lines = change.lines?.(currency) ?? linesIn(invoice, currency);
  const columns = await changedColumns(invoices, invoice, change);
  if (lines !== null) await replaceLines(invoices, invoice, { lines });
  const values = { ...columns, ...(currency === invoice.currency ? {} : { currency }) };
  if (Object.keys(values).length === 0) return;
  await renumbering(() =>
    tx.updateTable("invoices").set(values).where("clinic_id", "=", clinicId).where("id", "=", id).execute(),
  );
}

function newCurrency(invoice: OpenInvoice, currency = invoice.currency): string {
  currencyExponent(currency);
  if (currency !== invoice.currency && invoice.type !== "patient_invoice") {
    throw conflict(
      "currency_fixed",
      "What was sold keeps the currency it was sold in. Delete this record and make a new one.",
      "currency",
    );
  }
  if (currency !== invoice.currency && invoice.payments.length > 0) {
    throw conflict(
      "invoice_has_payments",
      "The currency stays once there are payments. Delete them first.",
      "currency",
    );
  }
  return currency;
}

/** The lines there are, in another currency; null where nothing is to be done. */
function linesIn(invoice: OpenInvoice, currency: string): LineInput[] | null {
  if (currencyExponent(currency) === currencyExponent(invoice.currency)) return null;
  return invoice.lines.map((line) => ({
    ...lineInput(line),
    unitPriceMinor: sameMajor(line.unitPriceMinor, invoice.currency, currency),
    discountMinor: sameMajor(line.discountMinor, invoice.currency, currency),
  }));
}

/** The columns that really change, besides the currency. */
async function changedColumns(invoices: InvoiceChanges, invoice: OpenInvoice, change: InvoiceChange) {
  const { clientId, payerId, practitionerId, number } = change;
  const date = change.date === undefined ? invoice.date : cleanDate(change.date);
  return {
    ...(date === invoice.date ? {} : { invoice_date: date }),
    ...(number === undefined || number.trim() === invoice.number
      ? {}
      : { invoice_number: await ownNumber(invoices, number) }),
    ...(clientId === undefined || clientId === invoice.clientId
      ? {}
      : { client_id: await newClient(invoices, invoice, clientId) }),
    ...(payerId === undefined
      ? {}
      : { payer_id: payerId === null ? null : await ownPatient(invoices, payerId, "payer_id") }),
    ...(practitionerId === undefined
      ? {}
      : { practitioner_id: practitionerId === null ? null : await ownPractitioner(invoices, practitionerId) }),
  };
}

/** What was sold belongs to somebody, and so does the credit that paid. */
async function newClient(invoices: InvoiceChanges, invoice: OpenInvoice, clientId: number): Promise<number> {
  if (invoice.type !== "patient_invoice") {
    throw conflict(
      "client_fixed",
      "What was sold belongs to this patient. Delete this record and make a new one.",
      "client_id",
    );
  }
  if (invoice.payments.some(({ creditId }) => creditId !== null)) {
    throw conflict("payment_from_credit", "This patient's credit paid here. Delete that payment first.", "client_id");
  }
  return ownPatient(invoices, clientId, "client_id");
}

const UNIQUE_VIOLATION = "23505";

/** Somebody may take the same number at this very moment, after it was found to be free. */
async function renumbering(update: () => Promise<unknown>): Promise<void> {
  try {
    await update();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === UNIQUE_VIOLATION) throw numberTaken();
    throw error;
  }
}

/** Deletes the record with its lines and payments. @throws ProblemError 404; 409 while settled, unrefunded money is attached */
export async function deleteInvoice(invoices: InvoiceChanges, id: number): Promise<void> {
  const { tx, clinicId } = invoices;
  const invoice = await invoices.open(id);
  if (invoice.netMinor > 0) {
    throw conflict("invoice_has_money", "Money is attached to this record. Refund it or move it to another one first.");
  }
  await tx.deleteFrom("invoices").where("clinic_id", "=", clinicId).where("id", "=", id).execute();
  invoices.deleted(invoice);
}

async function ownPatient({ tx, clinicId }: InvoiceChanges, id: number, field: string): Promise<number> {
  const own = tx.selectFrom("patients").select("id").where("clinic_id", "=", clinicId).where("id", "=", id);
  await own.executeTakeFirstOrThrow(() => notFound("the patient", field));
  return id;
}

async function ownPractitioner({ tx, clinicId }: InvoiceChanges, id: number): Promise<number> {
  const own = tx.selectFrom("practitioners").select("id").where("clinic_id", "=", clinicId).where("id", "=", id);
  await own.executeTakeFirstOrThrow(() => notFound("the practitioner", "practitioner_id"));
  return id;
}

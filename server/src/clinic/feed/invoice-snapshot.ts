/**
 * Invoices of other software: their snapshots, and the events of contract §1 and §4.
 *
 * Promises that sums, statuses and balance are derived, never taken: the lines must add up, and each payment's split where
 * it has one. A line's and a payment's amounts are the other software's own.
 */
import type { Invoice, InvoiceEventName, InvoiceFacts, InvoiceType, Person, Practitioner } from "@hookwell/sdk";
import { conflict, invalid } from "../../errors.ts";
import { type Amounts, type DerivedInvoice, deriveInvoice, type LedgerPayment } from "../billing/amounts.ts";
import { checkAmount, currencyExponent, toMajor, toMinor } from "../billing/money.ts";
import { cleanName } from "../names.ts";
import { readDate } from "../times.ts";
import type { CallerId, IdReader } from "./ids.ts";
import { type CallerPerson, idOf, readPatient, readPractitioner, refuseTwice, want } from "./persons.ts";
import type { SnapshotChange, SnapshotRules } from "./snapshots.ts";

export const SNAPSHOT_ENTRIES_MAX = 300;
const DESCRIPTION_MAX_CHARACTERS = 2_000;

/** Amounts in major units. */
export interface GivenLine {
  readonly id: CallerId;
  readonly description: string;
  readonly unitPrice: number;
  readonly units: number;
  readonly subtotal: number;
  readonly taxes: number;
  readonly total: number;
}

export interface GivenPayment {
  readonly id: CallerId;
  readonly method: string;
  readonly total: number;
  /** Both or none: without them the payment is split as the clinic's own are. */
  readonly subtotal?: number | undefined;
  readonly taxes?: number | undefined;
  /** Not settled yet: it counts as nothing. */
  readonly draft?: boolean | undefined;
  /** What went back of it. */
  readonly refunded?: number | undefined;
  readonly fromPackage?: boolean | undefined;
}

export interface GivenInvoice {
  readonly type: InvoiceType;
  readonly number: string;
  readonly date: string;
  readonly currency: string;
  readonly lines: readonly GivenLine[];
  readonly payments: readonly GivenPayment[];
  readonly practitioner: CallerPerson | null;
  readonly client: CallerPerson;
}

/** Plain JSON, as it is kept. */
interface FedInvoice {
  readonly invoice: Invoice;
  readonly practitioner: Practitioner | null;
  readonly client: Person;
  /** Settled and not refunded: while there is any, the record cannot be deleted. */
  readonly netMinor: number;
}

export const INVOICE_SNAPSHOTS: SnapshotRules<GivenInvoice, FedInvoice> = {
  kind: "invoice",
  ids: ({ lines, payments, practitioner, client }) => [
    ...lines.map((line, at) => want("line_item", `line_items.${at}`, line)),
    ...payments.map((payment, at) => want("payment", `payments.${at}`, payment)),
    ...(practitioner === null ? [] : [want("practitioner", "practitioner", practitioner)]),
    want("patient", "client", client),
  ],
  read: (given, ids) => {
    currencyExponent(given.currency);
    const lines = given.lines.map((line, at) => readAmounts(`line_items.${at}`, line, given.currency));
    const payments = given.payments.map((payment, at) => readPayment(given, payment, at));
    checkAmount("payments", grossOf(payments));
    const derived = deriveInvoice({ type: given.type, lines, payments });
    checkAmount("line_items", derived.totalMinor);
    return {
      invoice: documented(given, ids, { lines, derived }),
      practitioner: given.practitioner === null ? null : readPractitioner(ids, "practitioner", given.practitioner),
      client: readPatient(ids, "client", given.client),
      netMinor: derived.netMinor,
    };
  },
  patients: ({ client }) => [{ id: client.id, field: "client.id" }],
  events: invoiceFactsOf,
  refuseDeletion({ netMinor }) {
    if (netMinor === 0) return;
    throw conflict("invoice_has_money", "Money is attached to this record. Refund it first, then delete the record.");
  },
};

function invoiceFactsOf({ before, after }: SnapshotChange<FedInvoice>): InvoiceFacts[] {
  const event = eventOf(before, after);
  const shown = after ?? before;
  if (event === null || shown === null) return [];
  return [{ event, invoice: shown.invoice, practitioner: shown.practitioner, client: shown.client }];
}

function eventOf(before: FedInvoice | null, after: FedInvoice | null): InvoiceEventName | null {
  if (after === null) return before === null ? null : "invoice.deleted";
  if (before === null) return "invoice.created";
  return documentedState(before) === documentedState(after) ? null : "invoice.updated";
}

/** As for the clinic's own: the whole body, people by their ids (a new name sends nothing). */
function documentedState({ invoice, practitioner, client }: FedInvoice): string {
  return JSON.stringify([invoice, practitioner?.id ?? null, client.id]);
}

type MajorAmounts = Pick<GivenLine, "subtotal" | "taxes" | "total">;

/** @throws ProblemError naming `total` where the three do not add up */
function readAmounts(field: string, amounts: MajorAmounts, currency: string): Amounts {
  const read = (name: keyof MajorAmounts) => toMinor(`${field}.${name}`, amounts[name], currency);
  const [subtotalMinor, taxesMinor, totalMinor] = [read("subtotal"), read("taxes"), read("total")];
  if (totalMinor !== subtotalMinor + taxesMinor) {
    throw invalid(
      `${field}.total`,
      "The total must be subtotal plus taxes. Check the three amounts.",
      "does_not_add_up",
    );
  }
  return { subtotalMinor, taxesMinor, totalMinor };
}

/** Refunds come after all payments: the snapshot does not say when they were made. */
function readPayment({ currency, payments }: GivenInvoice, payment: GivenPayment, at: number): LedgerPayment {
  const field = `payments.${at}`;
  const { total, subtotal, taxes, draft = false, refunded = 0 } = payment;
  const isSplit = subtotal !== undefined || taxes !== undefined;
  const taxesMinor = isSplit
    ? readAmounts(field, { subtotal: subtotal ?? 0, taxes: taxes ?? 0, total }, currency).taxesMinor
    : undefined;
  const totalMinor = toMinor(`${field}.total`, total, currency);
  const refundedMinor = toMinor(`${field}.refunded`, refunded, currency);
  if (draft && refundedMinor > 0) {
    throw invalid(
      `${field}.refunded`,
      "A draft was not paid, so nothing went back. Leave one of the two out.",
      "invalid",
    );
  }
  if (refundedMinor > totalMinor) {
    throw invalid(`${field}.refunded`, "No more can go back than was paid. Check both amounts.", "too_big");
  }
  const refunds = refundedMinor === 0 ? [] : [{ totalMinor: refundedMinor, entry: payments.length + at }];
  return { totalMinor, taxesMinor, refunds, settledEntry: draft ? null : at };
}

/** All that was paid, whatever went back of it: what is left is never more. */
function grossOf(payments: readonly LedgerPayment[]): number {
  return payments.reduce((sum, { settledEntry, totalMinor }) => (settledEntry === null ? sum : sum + totalMinor), 0);
}

interface Sums {
  readonly lines: readonly Amounts[];
  readonly derived: DerivedInvoice;
}

function documented(given: GivenInvoice, ids: IdReader, { lines, derived }: Sums): Invoice {
  const { type, currency } = given;
  if (derived.status === null) {
    throw invalid("payments", "More was paid than this record costs. Correct or refund a payment.", "too_big");
  }
  const major = (minor: number) => toMajor(minor, currency);
  const amounts = (one: Amounts) => {
    return { subtotal: major(one.subtotalMinor), taxes: major(one.taxesMinor), total: major(one.totalMinor) };
  };
  const line_items = given.lines.map((line, at) => ({
    id: idOf(ids, "line_item", line),
    description: checkDescription(`line_items.${at}.description`, line.description),
    unit_price: major(toMinor(`line_items.${at}.unit_price`, line.unitPrice, currency)),
    units: line.units,
    ...amounts(lines[at] as Amounts),
  }));
  const payments = given.payments.map((payment, at) => {
    const one = derived.payments[at] as DerivedInvoice["payments"][number];
    return {
      id: idOf(ids, "payment", payment),
      payment_method: cleanName(`payments.${at}.payment_method`, payment.method),
      ...amounts(one),
      status: one.status,
      from_package: payment.fromPackage ?? false,
    };
  });
  refuseTwice("line_items", line_items);
  refuseTwice("payments", payments);
  return {
    type,
    status: derived.status,
    invoice_number: cleanName("invoice_number", given.number),
    invoice_date: readDate("invoice_date", given.date).toString(),
    currency,
    ...amounts(derived),
    ...(type === "patient_invoice" ? { unpaid_subtotal_balance: major(derived.unpaidSubtotalBalanceMinor) } : {}),
    line_items,
    payments,
  };
}

function checkDescription(field: string, text: string): string {
  if (!text.isWellFormed()) throw invalid(field, "This text is not valid Unicode. Check it.", "invalid");
  if (text.length <= DESCRIPTION_MAX_CHARACTERS) return text;
  throw invalid(field, `At most ${DESCRIPTION_MAX_CHARACTERS} characters fit here. Shorten the text.`, "too_long");
}

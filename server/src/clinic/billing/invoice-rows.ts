/** Invoices as they stand in a transaction, with everything that follows from their rows. */
import type { InvoiceStatus, InvoiceType } from "@hookwell/sdk";
import { sql } from "kysely";
import type { Tx } from "../../db/schema.ts";
import { type Amounts, type DerivedInvoice, type DerivedPayment, deriveInvoice, lineAmounts } from "./amounts.ts";

export const PAYMENT_METHODS = [
  "cash",
  "cheque",
  "credit_card",
  "debit_card",
  "e_transfer",
  "insurer",
  "package",
  "gift_certificate",
  "membership",
  "other",
] as const;
export type PaymentMethod = (typeof PAYMENT_METHODS)[number];

export interface OpenLine extends Amounts {
  readonly id: number;
  readonly description: string;
  readonly unitPriceMinor: number;
  readonly units: number;
  readonly discountMinor: number;
  readonly taxRateThousandths: number;
}

export interface OpenPayment extends DerivedPayment {
  readonly id: number;
  readonly method: PaymentMethod;
  /** The credit that it draws down; null where it is new money. */
  readonly creditId: number | null;
  readonly createdAt: Temporal.Instant;
}

/** An invoice as it stands, amounts in the smallest unit of its currency. */
export interface OpenInvoice extends Omit<DerivedInvoice, "payments"> {
  readonly id: number;
  readonly type: InvoiceType;
  readonly number: string;
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly currency: string;
  readonly clientId: number;
  readonly payerId: number | null;
  readonly practitionerId: number | null;
  readonly createdAt: Temporal.Instant;
  readonly kept: KeptSums;
  /** In the order in which they are shown. */
  readonly lines: readonly OpenLine[];
  /** In the order in which they were added. */
  readonly payments: readonly OpenPayment[];
}

/** What the invoice's own row says of sums and status, for lists and filters. */
export interface KeptSums extends Amounts {
  readonly status: InvoiceStatus;
  readonly unpaidSubtotalBalanceMinor: number;
}

/** Reads invoices whole, however many, in four statements. Ids that this clinic does not have are left out. */
export async function readInvoices(
  tx: Tx,
  clinicId: number,
  ids: readonly number[],
): Promise<ReadonlyMap<number, OpenInvoice>> {
  if (ids.length === 0) return new Map();
  const rows = await invoiceRows(tx, clinicId, ids);
  const lines = Map.groupBy(await lineRows(tx, clinicId, ids), ({ invoice_id }) => invoice_id);
  const payments = Map.groupBy(await paymentRows(tx, clinicId, ids), ({ invoice_id }) => invoice_id);
  const refunds = Map.groupBy(await refundRows(tx, clinicId, ids), ({ payment_id }) => payment_id);
  return new Map(
    rows.map((row) => {
      const parts = { lines: lines.get(row.id) ?? [], payments: payments.get(row.id) ?? [], refunds };
      return [row.id, toInvoice(row, parts)];
    }),
  );
}

interface Parts {
  readonly lines: Awaited<ReturnType<typeof lineRows>>;
  readonly payments: Awaited<ReturnType<typeof paymentRows>>;
  readonly refunds: ReadonlyMap<number, Awaited<ReturnType<typeof refundRows>>>;
}

function toInvoice(row: Awaited<ReturnType<typeof invoiceRows>>[number], parts: Parts): OpenInvoice {
  const lines = parts.lines.map(({ invoice_id: _, ...line }) => ({ ...line, ...lineAmounts(line) }));
  const ledger = parts.payments.map(({ id, totalMinor, settledEntry }) => {
    return { totalMinor, settledEntry, refunds: parts.refunds.get(id) ?? [] };
  });
  const { payments: derived, ...amounts } = deriveInvoice({ type: row.type, lines, payments: ledger });
  const payments = parts.payments.flatMap(({ id, method, creditId, createdAt }, at) => {
    const payment = derived[at];
    return payment === undefined ? [] : [{ id, method: method as PaymentMethod, creditId, createdAt, ...payment }];
  });
  const { status, subtotalMinor, taxesMinor, totalMinor, unpaidSubtotalBalanceMinor, ...invoice } = row;
  const kept = { subtotalMinor, taxesMinor, totalMinor, unpaidSubtotalBalanceMinor, status: status as InvoiceStatus };
  return { ...invoice, ...amounts, kept, lines, payments };
}

function among(ids: readonly number[]) {
  return sql<number>`any(${[...ids]}::bigint[])`;
}

function invoiceRows(tx: Tx, clinicId: number, ids: readonly number[]) {
  return tx
    .selectFrom("invoices")
    .select(["id", "type", "invoice_number as number", "invoice_date as date", "currency", "status"])
    .select(["client_id as clientId", "payer_id as payerId", "practitioner_id as practitionerId"])
    .select(["subtotal_minor as subtotalMinor", "taxes_minor as taxesMinor", "total_minor as totalMinor"])
    .select(["unpaid_subtotal_balance_minor as unpaidSubtotalBalanceMinor", "created_at as createdAt"])
    .where("clinic_id", "=", clinicId)
    .where("id", "=", among(ids))
    .execute();
}

function lineRows(tx: Tx, clinicId: number, ids: readonly number[]) {
  return tx
    .selectFrom("invoice_line_items")
    .select(["invoice_id", "id", "description", "unit_price_minor as unitPriceMinor", "units"])
    .select(["discount_minor as discountMinor", "tax_rate_thousandths as taxRateThousandths"])
    .where("clinic_id", "=", clinicId)
    .where("invoice_id", "=", among(ids))
    .orderBy("position")
    .orderBy("id")
    .execute();
}

function paymentRows(tx: Tx, clinicId: number, ids: readonly number[]) {
  return tx
    .selectFrom("payments")
    .select(["invoice_id", "id", "payment_method as method", "total_minor as totalMinor"])
    .select(["settled_entry as settledEntry", "credit_id as creditId", "created_at as createdAt"])
    .where("clinic_id", "=", clinicId)
    .where("invoice_id", "=", among(ids))
    .orderBy("id")
    .execute();
}

function refundRows(tx: Tx, clinicId: number, ids: readonly number[]) {
  return tx
    .selectFrom("refunds as r")
    .innerJoin("payments as p", (join) =>
      join.onRef("p.clinic_id", "=", "r.clinic_id").onRef("p.id", "=", "r.payment_id"),
    )
    .select(["r.payment_id", "r.total_minor as totalMinor", "r.entry"])
    .where("r.clinic_id", "=", clinicId)
    .where("p.invoice_id", "=", among(ids))
    .orderBy("r.entry")
    .execute();
}

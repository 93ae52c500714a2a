/** Invoices as the clinic's own people see them: the payer, discounts, tax rates and what was refunded, too. */
import type { InvoiceStatus, InvoiceType } from "@hookwell/sdk";
import type { Tx } from "../../db/schema.ts";
import { notFound } from "../../errors.ts";
import { readNames } from "../consult-facts.ts";
import type { PatientRow } from "../people.ts";
import { type OpenInvoice, readInvoices } from "./invoice-rows.ts";

export interface InvoiceView {
  readonly invoice: OpenInvoice;
  readonly client: PatientRow;
  readonly payer: PatientRow | null;
  readonly practitioner: { readonly id: number; readonly name: string } | null;
}

/** @throws ProblemError 404 */
export async function getInvoice(tx: Tx, clinicId: number, id: number): Promise<InvoiceView> {
  const [view] = await withNames(tx, clinicId, [id]);
  if (view === undefined) throw notFound("the invoice");
  return view;
}

export interface ListInvoices {
  readonly clinicId: number;
  readonly type?: InvoiceType | undefined;
  readonly status?: InvoiceStatus | undefined;
  /** The patient billed. */
  readonly clientId?: number | undefined;
  /** A part of the number; case does not matter. */
  readonly number?: string | undefined;
  /** The id of the last invoice of the page before. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** The newest first. */
export async function listInvoices(tx: Tx, list: ListInvoices): Promise<InvoiceView[]> {
  let query = tx.selectFrom("invoices").select("id").where("clinic_id", "=", list.clinicId);
  if (list.type !== undefined) query = query.where("type", "=", list.type);
  if (list.status !== undefined) query = query.where("status", "=", list.status);
  if (list.clientId !== undefined) query = query.where("client_id", "=", list.clientId);
  if (list.number !== undefined) query = query.where("invoice_number", "ilike", containing(list.number));
  if (list.before !== undefined) query = query.where("id", "<", list.before);
  const rows = await query.orderBy("id", "desc").limit(list.limit).execute();
  const ids = rows.map(({ id }) => id);
  return withNames(tx, list.clinicId, ids);
}

function containing(text: string): string {
  return `%${text.trim().replace(/[\\%_]/g, "\\$&")}%`;
}

/** In the order of the ids; those that this clinic does not have are left out. */
async function withNames(tx: Tx, clinicId: number, ids: readonly number[]): Promise<InvoiceView[]> {
  const open = await readInvoices(tx, clinicId, ids);
  const invoices = ids.flatMap((id) => open.get(id) ?? []);
  const names = await readNames(tx, {
    clinicId,
    serviceIds: [],
    practitionerIds: invoices.flatMap(({ practitionerId }) => practitionerId ?? []),
    patientIds: invoices.flatMap(({ clientId, payerId }) => [clientId, payerId ?? clientId]),
  });
  return invoices.map((invoice) => {
    const { clientId, payerId, practitionerId } = invoice;
    const client = names.patients.get(clientId);
    if (client === undefined) throw new Error(`the client of invoice ${invoice.id} has no row`);
    const practitioner = practitionerId === null ? undefined : names.practitioners.get(practitionerId);
    return {
      invoice,
      client,
      payer: payerId === null ? null : (names.patients.get(payerId) ?? null),
      practitioner: practitioner === undefined ? null : { id: practitioner.id, name: practitioner.name },
    };
  });
}

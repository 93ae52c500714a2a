/** What every route of an invoice does alike: the transaction's unit of work, and the invoice as it then stands. */
import type { z } from "zod";
import type { InvoiceChanges } from "../clinic/billing/invoice-changes.ts";
import { getInvoice } from "../clinic/billing/invoice-views.ts";
import { changeBilling } from "../clinic/billing-transaction.ts";
import { getClinic } from "../clinic/clinics.ts";
import type { Tx } from "../db/schema.ts";
import type { ApiContext } from "./context.ts";
import { type ID_PARAMS, readId } from "./ids.ts";
import { showInvoice } from "./invoice-shapes.ts";

/** The transaction's one unit of invoice changes, ready to run commands. */
export function billing({ outbox }: Pick<ApiContext, "outbox">, tx: Tx, clinicId: number) {
  return <Result>(work: (invoices: InvoiceChanges) => Promise<Result>) => changeBilling(tx, { clinicId, outbox }, work);
}

/** The invoice as it stands in the transaction, as an answer. @throws ProblemError 404 */
export async function invoiceNow(tx: Tx, clinicId: number, id: number) {
  return showInvoice(await getInvoice(tx, clinicId, id), await getClinic(tx, clinicId));
}

/** @throws ProblemError 404 */
export function readInvoiceId(params: z.infer<typeof ID_PARAMS>): number {
  return readId(params.id, "invoice");
}

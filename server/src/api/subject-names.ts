/** What staff call a subject where its id says nothing to them: an invoice has a number. Names of people are not among them. */
import type { Tx } from "../db/schema.ts";

const INVOICE = /^invoice:([1-9]\d{0,14})$/;

/** By subject, as deliveries show it. What the clinic does not keep itself, such as another system's invoice, has no name. */
export async function readSubjectNames(
  tx: Tx,
  clinicId: number,
  deliveries: readonly { readonly subject: string }[],
): Promise<Map<string, string>> {
  const ids = new Set(deliveries.map(({ subject }) => Number(INVOICE.exec(subject)?.[1] ?? 0)).filter((id) => id > 0));
  if (ids.size === 0) return new Map();
  const rows = await tx
    .selectFrom("invoices")
    .select(["id", "invoice_number"])
    .where("clinic_id", "=", clinicId)
    .where("id", "in", [...ids])
    .execute();
  return new Map(rows.map(({ id, invoice_number: number }) => [`invoice:${id}`, number]));
}

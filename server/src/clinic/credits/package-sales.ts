/**
 * Selling a package: one record of type `clinic_package`, and the credit that it pays for.
 *
 * Promises that the sale is one `invoice.created`, which holds the payments that came with it; the credit opens in the same
 * transaction when they settle the record in full.
 */
import { conflict } from "../../errors.ts";
import type { InvoiceChanges } from "../billing/invoice-changes.ts";
import { createInvoice } from "../billing/invoices.ts";
import { taxRatePercent } from "../billing/money.ts";
import type { NewPayment } from "../billing/payments.ts";
import { addCredit } from "./credits.ts";
import { getPackage } from "./packages.ts";

export interface PackageSale {
  readonly packageId: number;
  /** Who is billed and will hold the credit. */
  readonly clientId: number;
  readonly payerId?: number | null | undefined;
  readonly practitionerId?: number | null | undefined;
  /** What is paid at once, in the package's currency. */
  readonly payments?: ((currency: string) => readonly NewPayment[]) | undefined;
}

/** Sells it at its present price and value; returns the record's id. @throws ProblemError 409 `package_inactive`, or 404 */
export async function sellPackage(invoices: InvoiceChanges, sale: PackageSale): Promise<number> {
  const { tx, clinicId } = invoices;
  const sold = await getPackage(tx, clinicId, sale.packageId);
  if (!sold.active) {
    throw conflict("package_inactive", "This package is no longer sold. Choose another one, or make it active again.");
  }
  const invoiceId = await createInvoice(invoices, {
    type: "clinic_package",
    clientId: sale.clientId,
    payerId: sale.payerId,
    practitionerId: sale.practitionerId,
    currency: sold.currency,
    lines: [
      {
        description: sold.name,
        unitPriceMinor: sold.priceMinor,
        units: 1,
        taxRate: taxRatePercent(sold.taxRateThousandths),
      },
    ],
    payments: sale.payments?.(sold.currency),
  });
  await addCredit(tx, clinicId, {
    kind: "package",
    invoiceId,
    clientId: sale.clientId,
    name: sold.name,
    currency: sold.currency,
    valueMinor: sold.valueMinor,
    expiresAfterDays: sold.expiresAfterDays,
  });
  return invoiceId;
}

/** The facts of invoice events: what is known at the moment of the change, in the documented order of keys (contract §2). */
import type { Invoice, InvoiceEventName, InvoiceFacts } from "@hookwell/sdk";
import type { Names } from "../consult-facts.ts";
import type { OpenInvoice } from "./invoice-rows.ts";
import { toMajor } from "./money.ts";

/** The invoice as a body shows it. @throws when its state is one that the commands refuse */
export function documentedInvoice(invoice: OpenInvoice): Invoice {
  const major = (minor: number) => toMajor(minor, invoice.currency);
  const amounts = ({ subtotalMinor, taxesMinor, totalMinor }: Pick<OpenInvoice, AmountKey>) => {
    return { subtotal: major(subtotalMinor), taxes: major(taxesMinor), total: major(totalMinor) };
  };
  if (invoice.status === null) throw new Error(`invoice ${invoice.id} is over-paid though its type may not be`);
  return {
    type: invoice.type,
    status: invoice.status,
    invoice_number: invoice.number,
    invoice_date: invoice.date,
    currency: invoice.currency,
    ...amounts(invoice),
    ...(invoice.type === "patient_invoice"
      ? { unpaid_subtotal_balance: major(invoice.unpaidSubtotalBalanceMinor) }
      : {}),
    line_items: invoice.lines.map((line) => ({
      id: line.id,
      description: line.description,
      unit_price: major(line.unitPriceMinor),
      units: line.units,
      ...amounts(line),
    })),
    payments: invoice.payments.map((payment) => ({
      id: payment.id,
      payment_method: payment.method,
      ...amounts(payment),
      status: payment.status,
      from_package: payment.creditId !== null,
    })),
  };
}

type AmountKey = "subtotalMinor" | "taxesMinor" | "totalMinor";

/** What two states must differ in to be told apart: the whole body, people by their ids (a new name sends nothing). */
export function documentedState(invoice: OpenInvoice): string {
  return JSON.stringify([documentedInvoice(invoice), invoice.practitionerId, invoice.clientId]);
}

/** The facts of one event, every key in the documented order. */
export function invoiceFacts(event: InvoiceEventName, invoice: OpenInvoice, names: Names): InvoiceFacts {
  const { practitionerId, clientId } = invoice;
  const client = names.patients.get(clientId);
  const practitioner = practitionerId === null ? null : names.practitioners.get(practitionerId);
  if (client === undefined || practitioner === undefined) {
    throw new Error(`somebody on invoice ${invoice.id} has no row, though a foreign key says so`);
  }
  return { event, invoice: documentedInvoice(invoice), practitioner, client };
}

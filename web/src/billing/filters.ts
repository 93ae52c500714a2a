// The filters of the list of invoices, as they stand in the page's address. Pure. Never a name: an address is no place for
// what is known of a patient.
import { INVOICE_STATUSES, INVOICE_TYPES, type InvoiceStatus, type InvoiceType } from "@hookwell/sdk";

/** The server's limit, in characters. */
export const NUMBER_SEARCH_MAX = 60;

export interface InvoiceFilters {
  type?: InvoiceType;
  status?: InvoiceStatus;
  /** Of the patient billed. */
  patient?: number;
  /** A part of the number, in quotes where it is all digits. */
  number?: string;
}

/** Reads the filters out of an address; what is not a filter is left out, so that a bad link still opens the page. */
export function invoiceFilters(search: Record<string, unknown>): InvoiceFilters {
  const type = INVOICE_TYPES.find((known) => known === search.type);
  const status = INVOICE_STATUSES.find((known) => known === search.status);
  const patient = Number(search.patient);
  const number = ["string", "number"].includes(typeof search.number) ? String(search.number).trim() : "";
  return {
    ...(type === undefined ? {} : { type }),
    ...(status === undefined ? {} : { status }),
    ...(Number.isSafeInteger(patient) && patient > 0 ? { patient } : {}),
    ...(number === "" ? {} : { number: number.slice(0, NUMBER_SEARCH_MAX) }),
  };
}

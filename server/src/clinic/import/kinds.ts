/** The kinds of file there are: their columns, and how their rows become records. */
import { CONSULT_COLUMNS, importConsults } from "./consults.ts";
import type { Column, Row } from "./csv.ts";
import type { ImportJob } from "./import-run.ts";
import { INVOICE_COLUMNS, importInvoices } from "./invoices.ts";
import { importPatients, PATIENT_COLUMNS } from "./patients.ts";

export const IMPORT_KINDS = ["patients", "consults", "invoices"] as const;
export type ImportKind = (typeof IMPORT_KINDS)[number];

interface KindOfFile {
  readonly columns: readonly Column[];
  /** Makes the records in the job's transaction. @throws Undone where nothing of it may stay */
  readonly make: (job: ImportJob, rows: AsyncIterable<Row>) => Promise<void>;
}

/** The one table of kinds. */
export const KINDS: Readonly<Record<ImportKind, KindOfFile>> = {
  patients: { columns: PATIENT_COLUMNS, make: importPatients },
  consults: { columns: CONSULT_COLUMNS, make: importConsults },
  invoices: { columns: INVOICE_COLUMNS, make: importInvoices },
};

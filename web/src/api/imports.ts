// Imports from a file, as the server tells them.
import type { Page } from "../api-types.ts";
import type { Intent } from "../intent.ts";
import { call, part, post, query } from "./call.ts";

export const IMPORT_KINDS = ["patients", "consults", "invoices"] as const;
export type ImportKind = (typeof IMPORT_KINDS)[number];
export type ImportState = "checking" | "ready" | "importing" | "done" | "refused" | "failed" | "expired";

export interface Import {
  id: number;
  kind: ImportKind;
  state: ImportState;
  send_events: boolean;
  /** Of the file, the header not counted; and how many of them have been read so far. */
  lines: number;
  done_lines: number;
  /** Made, or to be made. */
  records: number;
  /** Made for the webhooks where that is asked for. */
  events: number;
  errors: number;
  created_at: string;
}

export interface NewImport {
  kind: ImportKind;
  csv: string;
}

/** How many of the newest are shown. */
const RECENT_ROWS = 10;

const at = (id: number) => `/v1/imports/${part(id)}`;

export const imports = {
  recent: (signal?: AbortSignal) => call<Page<Import>>(`/v1/imports${query({ limit: RECENT_ROWS })}`, { signal }),
  get: (id: number, signal?: AbortSignal) => call<Import>(at(id), { signal }),
  check: (file: NewImport, intent: Intent) => post<Import>("/v1/imports", { ...file, dry_run: true }, intent),
  start: (id: number, sendEvents: boolean, intent: Intent) =>
    post<Import>(`${at(id)}/start`, { send_events: sendEvents }, intent),
  /** Where the browser downloads from. */
  errorsAt: (id: number) => `${at(id)}/errors.csv`,
  templateAt: (kind: ImportKind) => `/v1/imports/templates/${kind}.csv`,
};

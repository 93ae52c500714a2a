import type { Page } from "../api-types.ts";
import { call, PAGE_ROWS, query } from "./call.ts";

/** One change, and who made it. */
export interface AuditEntry {
  sequence: number;
  at: string;
  actor: AuditActor;
  /** The address it came from; null for what the program did by itself. */
  origin: string | null;
  action: string;
  target: string;
  /** What the webhook or the API key is called now. */
  target_name: string | null;
  before: unknown;
  after: unknown;
}

export interface AuditActor {
  id: string;
  name: string | null;
}

export interface AuditCheck {
  complete: boolean;
  checked_count: number;
  total_count: number | null;
  broken_at: number | null;
}

export interface AuditFilters {
  actor?: string;
  action?: string;
  from?: string;
  to?: string;
}

const asked = ({ actor, action, from, to }: AuditFilters) => ({ actor, action, from_date: from, to_date: to });

export const audit = {
  list: (filters: AuditFilters, cursor: string | undefined, signal?: AbortSignal) =>
    call<Page<AuditEntry>>(`/v1/audit${query({ ...asked(filters), cursor, limit: PAGE_ROWS })}`, { signal }),
  actors: async (signal?: AbortSignal) => (await call<{ data: AuditActor[] }>("/v1/audit/actors", { signal })).data,
  check: (signal?: AbortSignal) => call<AuditCheck>("/v1/audit/check", { signal }),
  /** Where the browser finds the file; it carries the session's cookie by itself. */
  file: (filters: AuditFilters, kind: "csv" | "json") => `/v1/audit/export.${kind}${query(asked(filters))}`,
};

export interface ImportSearch {
  /** The import that is looked at. */
  job?: number;
}

/** What of an address this page knows. */
export function importSearch(search: Record<string, unknown>): ImportSearch {
  const job = Number(search.job);
  return Number.isSafeInteger(job) && job > 0 ? { job } : {};
}

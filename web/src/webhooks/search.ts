// What the address of the webhooks' page may say. Pure.

/** `edit`: the webhook whose dialog opens. */
export interface WebhooksSearch {
  edit?: number;
}

declare module "@tanstack/react-router" {
  interface HistoryState {
    /** With `edit`: the address that the dialog proposes. Handed over in memory, and taken out once it is there. */
    newAddress?: string;
  }
}

/** What is no webhook's number is left out, so that a bad link still opens the page. */
export function webhooksSearch(search: Record<string, unknown>): WebhooksSearch {
  const edit = Number(search.edit);
  return Number.isSafeInteger(edit) && edit > 0 ? { edit } : {};
}

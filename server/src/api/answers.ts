/** What a receiver answered, or why it did not, as it was sealed with the attempt. */
import { answerRow } from "../delivery/attempt.ts";
import type { ClinicSeal } from "../seal/seal.ts";

export interface KeptAnswer {
  /** Null where no answer came. */
  readonly text: string | null;
  readonly truncated: boolean;
  /** Null where no answer came. */
  readonly headers: Readonly<Record<string, string>> | null;
  /** Code of the failure; null where it answered. */
  readonly detail: string | null;
  readonly expiredAt: Temporal.Instant | null;
  /** The whole address that a 3xx leads to, where it is one that could be sent to. */
  readonly movedTo: URL | null;
}

const NOTHING: KeptAnswer = {
  ...{ text: null, truncated: false, headers: null },
  ...{ detail: null, expiredAt: null, movedTo: null },
};

/** Opens an attempt's answer; all null where nothing was kept. */
export function openAnswer(
  seal: ClinicSeal,
  attempt: Parameters<typeof answerRow>[0] & { readonly status: number | null },
  sealed: Buffer | null,
): KeptAnswer {
  if (sealed === null) return NOTHING;
  const kept = JSON.parse(seal.open({ column: "attempts.answer", row: answerRow(attempt) }, sealed)) as {
    text?: string;
    truncated?: boolean;
    headers?: Record<string, string>;
    detail?: string;
    expiredAt?: string;
  };
  const { text = null, truncated = false, headers = null, detail = null, expiredAt } = kept;
  return {
    ...{ text, truncated, headers, detail },
    expiredAt: expiredAt === undefined ? null : Temporal.Instant.from(expiredAt),
    movedTo: movedTo(attempt.status, headers),
  };
}

/** Only a whole address counts: one that is relative leads nowhere else. */
function movedTo(status: number | null, headers: Readonly<Record<string, string>> | null): URL | null {
  if (status === null || status < 300 || status >= 400) return null;
  const url = URL.parse(headers?.location ?? "");
  return url?.protocol === "https:" && url.username === "" && url.password === "" ? url : null;
}

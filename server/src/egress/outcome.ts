/** What came of one attempt: a value, never an exception. The table of words that a person reads is made from `kind`. */

/** What the receiver said, capped. */
export interface Answer {
  status: number;
  /** lower-case names; at most ANSWER_HEADERS_MAX */
  headers: Record<string, string>;
  text: string;
  truncated: boolean;
}

/** An attempt that brought no answer. `detail` is for the integrator and holds no address. */
export interface NoAnswer {
  kind: Exclude<OutcomeKind, "answered">;
  detail: string;
  /** RFC 3339; of a certificate that is no longer valid */
  expiredAt?: string;
}

export type Outcome = ({ kind: "answered"; answer: Answer } | NoAnswer) & {
  /** ms from the start of the name look-up to the end of the answer */
  durationMs: number;
  /** false where nothing of the body can have left: the disclosure ledger counts on it */
  bodySent: boolean;
};

export const OUTCOME_KINDS = [
  "answered",
  "refused_address",
  "name_not_found",
  "connection_refused",
  "unreachable",
  "tls",
  "timed_out",
  "reset",
  "malformed_answer",
  /** our own fault, nothing was sent */
  "failed_here",
  /** the node that sent it was lost before it could say; never an outcome of a request, only of a row */
  "unknown",
] as const;
export type OutcomeKind = (typeof OUTCOME_KINDS)[number];

/** 2xx is success, even when the answer's body was cut (contract §7). */
export function succeeded(outcome: Outcome): boolean {
  return outcome.kind === "answered" && outcome.answer.status >= 200 && outcome.answer.status < 300;
}

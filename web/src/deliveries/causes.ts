// How an attempt ended → which words say it and what to do about it. One table; the words are in the dictionaries under
// `deliveries.cause`. Pure.
import type { Tone } from "../ui/Callout.tsx";

export type Cause =
  | "accepted"
  | "moved"
  | "rejected"
  | "refused"
  | "nothing_here"
  | "gone"
  | "busy"
  | "broken"
  | "timeout"
  | "not_found"
  | "not_answering"
  | "broke_off"
  | "unreadable"
  | "ours"
  | "certificate"
  | "blocked"
  | "sending"
  | "unknown";

const BY_STATUS: Readonly<Record<number, Cause>> = {
  401: "refused",
  403: "refused",
  404: "nothing_here",
  410: "gone",
  429: "busy",
};

const BY_OUTCOME: Readonly<Record<string, Cause>> = {
  timed_out: "timeout",
  name_not_found: "not_found",
  connection_refused: "not_answering",
  unreachable: "not_answering",
  reset: "broke_off",
  malformed_answer: "unreadable",
  failed_here: "ours",
  tls: "certificate",
  refused_address: "blocked",
  sending: "sending",
};

/** The cause behind an attempt's outcome, and its status where the other system answered at all. */
export function causeOf(outcome: string, status: number | null): Cause {
  if (outcome !== "answered" || status === null) return BY_OUTCOME[outcome] ?? "unknown";
  if (status >= 200 && status < 300) return "accepted";
  if (status >= 300 && status < 400) return "moved";
  if (status >= 500) return "broken";
  return BY_STATUS[status] ?? "rejected";
}

/** The cause under which advice stands, for those where there is something to say. */
export function advisable(cause: Cause): Exclude<Cause, "accepted" | "sending"> | null {
  return cause === "accepted" || cause === "sending" ? null : cause;
}

export function toneOf(cause: Cause): Tone {
  if (cause === "accepted") return "good";
  if (cause === "sending") return "calm";
  return cause === "unknown" || cause === "ours" ? "warn" : "bad";
}

const STATUS_WORDS: Readonly<Record<number, string>> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  410: "Gone",
  413: "Content Too Large",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** "200 OK": the number with the standard's own words, which stay English in every language. */
export function statusWords(status: number): string {
  const words = STATUS_WORDS[status];
  return words === undefined ? String(status) : `${status} ${words}`;
}

/**
 * How an attempt ended: which row of the table of causes it belongs to, and that row's words. Pure; it formats no time and no
 * number, since each reader has a clock and a language of their own.
 */
import type { Language } from "./catalogue.ts";
import { CAUSES, type Cause, type CauseWords } from "./cause-table.ts";

export type { Cause } from "./cause-table.ts";

/** What is known of an attempt's end; whatever is left out is not known. */
export interface AttemptEnd {
  /** As the API names it: "answered", "timed_out" … */
  readonly outcome: string;
  readonly status: number | null;
  /** The service that the address belongs to, where it is one that we know, such as "zapier". */
  readonly service?: string | null;
  /** Code of the failure, such as "CERT_HAS_EXPIRED". */
  readonly detail?: string | null;
  /** The host that a 3xx leads to. */
  readonly movedTo?: string | null;
  /** A test turns nothing off, whatever it is answered, and is never sent again. */
  readonly test?: boolean;
}

/** The values that a sentence may name, written already as its reader has them. A sentence with one missing is passed over. */
export interface CauseValues {
  /** "200 OK" */
  status?: string | undefined;
  /** "0.18 s" */
  seconds?: string | undefined;
  /** When the certificate expired. */
  expired?: string | undefined;
  /** The host that the address has moved to. */
  host?: string | undefined;
  /** When the next attempt comes. */
  next?: string | undefined;
  /** When the last attempt comes. */
  until?: string | undefined;
}

const ROWS: Readonly<Record<Cause, CauseWords>> = CAUSES;

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
  refused_address: "blocked",
  sending: "sending",
};

const BY_CERTIFICATE: Readonly<Record<string, Cause>> = {
  CERT_HAS_EXPIRED: "certificate_expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "certificate_self_signed",
  SELF_SIGNED_CERT_IN_CHAIN: "certificate_self_signed",
  ERR_TLS_CERT_ALTNAME_INVALID: "certificate_wrong_name",
};

const BY_SERVICE: Readonly<Record<string, Cause>> = { zapier: "accepted_by_zapier", make: "accepted_by_make" };
const GOOGLE_OUTPUT = "script.googleusercontent.com";

/** Where other words hold for a test. */
const OF_A_TEST: Partial<Readonly<Record<Cause, Cause>>> = {
  gone: "gone_test",
  timeout: "timeout_test",
  broke_off: "broke_off_test",
  unreadable: "unreadable_test",
  unknown: "unknown_test",
};

const MAY_HAVE_ARRIVED: ReadonlySet<Cause> = new Set(
  (["timeout", "broke_off", "unreadable", "unknown"] as const).flatMap((cause) => [cause, OF_A_TEST[cause] ?? cause]),
);

/** The cause behind an attempt's end. An outcome that this version does not know reads as unknown. */
export function causeOf(end: AttemptEnd): Cause {
  const cause = ofAnyMessage(end);
  return end.test ? (OF_A_TEST[cause] ?? cause) : cause;
}

function ofAnyMessage(end: AttemptEnd): Cause {
  const { outcome, status, detail } = end;
  if (outcome === "tls") return BY_CERTIFICATE[detail ?? ""] ?? "certificate";
  if (outcome !== "answered" || status === null) return BY_OUTCOME[outcome] ?? "unknown";
  return ofAnswer(status, end);
}

function ofAnswer(status: number, { service, movedTo }: AttemptEnd): Cause {
  if (status >= 200 && status < 300) return BY_SERVICE[service ?? ""] ?? "accepted";
  // It has run by then, and only says where its output is (contract §7).
  if (status === 302 && service === "google_script" && movedTo === GOOGLE_OUTPUT) return "accepted_by_google";
  if (status >= 300 && status < 400) return movedTo ? "moved_to" : "moved";
  return BY_STATUS[status] ?? (status >= 500 ? "broken" : "rejected");
}

/** Whether the message may have arrived although nothing says so: of those that end so, a manager must not read that it did not. */
export function mayHaveArrived(cause: Cause): boolean {
  return MAY_HAVE_ARRIVED.has(cause);
}

/** Whether it is good or bad news. */
export function toneOf(cause: Cause): CauseWords["tone"] {
  return ROWS[cause].tone;
}

/** What the manager reads, and what to do about it; empty where there is nothing to do. */
export function causeWords(
  cause: Cause,
  language: Language,
  values: CauseValues = {},
): { text: string; advice: string } {
  const { text, advice } = ROWS[cause];
  return { text: said(text[language], values), advice: advice === null ? "" : said(advice[language], values) };
}

function said(variants: readonly string[], values: CauseValues): string {
  const given = (name: string) => values[name as keyof CauseValues] ?? "";
  const fits = (variant: string) => [...variant.matchAll(/\{(\w+)\}/g)].every(([, name = ""]) => given(name) !== "");
  const variant = variants.find(fits) ?? variants.at(-1) ?? "";
  return variant.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => given(name));
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

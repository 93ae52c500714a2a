/**
 * What came of an attempt, in a sentence for a manager (experience.md). One table; `key` and `params` let a browser say the
 * same in its own language.
 */
import { DEADLINE_MS } from "../egress/client.ts";

const DEADLINE_SECONDS = DEADLINE_MS / 1_000;

export interface AttemptWords {
  readonly key: WordKey;
  readonly params: Readonly<Record<string, string | number>>;
  readonly sentence: string;
}

const WORDS = {
  accepted: "It answered {status} in {seconds} s.",
  moved: "It answered {status}: the address has moved. Paste the new address.",
  rejected: "It answered {status}: it did not accept this message.",
  refused: "It answered {status}: it refused our message. The link or password may have changed.",
  nothing_here: "It answered {status}: nothing lives at this address. Paste the new address.",
  gone: "It answered {status}: it asked us to stop.",
  busy: "It answered {status}: it is too busy.",
  broken: "It answered {status}: it has an internal problem.",
  refused_address: "For safety we don't send to internal addresses. Ask your administrator.",
  name_not_found: "We can't find this address. Check for a typing mistake, or ask who gave it to you.",
  connection_refused: "The other system isn't answering. It may be down.",
  unreachable: "The other system isn't answering. It may be down.",
  tls: "Its security certificate has a problem. Forward this to whoever runs it.",
  timed_out: `It took longer than ${DEADLINE_SECONDS} seconds. It may have received it; it may appear twice.`,
  reset: "The other system broke off the connection. It may have received it; it may appear twice.",
  malformed_answer: "The other system's answer could not be understood. It may have received the message.",
  failed_here: "Something went wrong on our side.",
  unknown: "Hookwell was interrupted, so what came of this is not known. It may appear twice.",
  sending: "It is being sent just now.",
} as const;

type WordKey = keyof typeof WORDS;

/** Said of what passes, where another attempt really follows. */
const REPEATED = "We try again by ourselves.";
const PASSING: ReadonlySet<WordKey> = new Set(["busy", "broken", "failed_here"]);

const BY_STATUS: Readonly<Record<number, WordKey>> = {
  401: "refused",
  403: "refused",
  404: "nothing_here",
  410: "gone",
  429: "busy",
};

export interface AttemptFacts {
  readonly outcome: string;
  readonly status: number | null;
  readonly durationMs: number | null;
  /** Another attempt has followed or is planned; never so for a test, the last attempt, or while the webhook is off. */
  readonly isRepeated: boolean;
}

/** The sentence of one attempt. An outcome that this version does not know reads as unknown. */
export function attemptWords({ outcome, status, durationMs, isRepeated }: AttemptFacts): AttemptWords {
  const key = keyOf(outcome, status);
  const params = {
    ...(status === null ? {} : { status }),
    ...(durationMs === null ? {} : { seconds: Math.max(0.01, Math.round(durationMs / 10) / 100) }),
  };
  const sentence = fill(WORDS[key], params);
  return { key, params, sentence: isRepeated && PASSING.has(key) ? `${sentence} ${REPEATED}` : sentence };
}

export interface WaitWords {
  readonly sentence: string | null;
  readonly sentence_key: "waits_until_on" | null;
}

/** What an unfinished delivery waits for when no attempt is planned: its webhook is off. */
export function waitWords({ state, isPlanned }: { state: string; isPlanned: boolean }): WaitWords {
  if (state !== "waiting" || isPlanned) return { sentence: null, sentence_key: null };
  return { sentence: "It waits until the webhook is turned on.", sentence_key: "waits_until_on" };
}

function keyOf(outcome: string, status: number | null): WordKey {
  if (outcome !== "answered" || status === null) return isKey(outcome) ? outcome : "unknown";
  if (status >= 200 && status < 300) return "accepted";
  if (status >= 300 && status < 400) return "moved";
  return BY_STATUS[status] ?? (status >= 500 ? "broken" : "rejected");
}

function isKey(text: string): text is WordKey {
  return Object.hasOwn(WORDS, text);
}

function fill(sentence: string, params: Readonly<Record<string, string | number>>): string {
  return sentence.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => String(params[name] ?? "?"));
}

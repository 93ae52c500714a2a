/**
 * What came of an attempt, in a sentence for whoever reads the API. The words are the one table of causes (sdk/src/causes.ts);
 * `key` and `params` let a browser say the same in its own language and its reader's way of writing times.
 */
import { type AttemptEnd, type Cause, causeOf, causeWords, statusWords } from "@hookwell/sdk/causes";

export interface AttemptWords {
  readonly key: Cause;
  readonly params: Readonly<Record<string, string | number>>;
  readonly sentence: string;
}

export interface AttemptFacts extends AttemptEnd {
  readonly durationMs: number | null;
  /** When the certificate expired. */
  readonly expiredAt: Temporal.Instant | null;
  /** Null where another attempt has followed: advice on this one has been overtaken. */
  readonly ahead: Ahead | null;
}

/** What is planned for the delivery; null where nothing is. */
export interface Ahead {
  readonly next: Temporal.Instant | "soon" | null;
  readonly until: Temporal.Instant | null;
}

/** The sentence of one attempt, with times as the clinic's clock shows them. */
export function attemptWords(facts: AttemptFacts, timeZone: string): AttemptWords {
  const { status, durationMs, movedTo, expiredAt, ahead } = facts;
  const key = causeOf(facts);
  const seconds = durationMs === null ? null : Math.max(0.01, Math.round(durationMs / 10) / 100);
  const { text, advice } = causeWords(key, "en", {
    ...(status !== null && { status: statusWords(status) }),
    ...(seconds !== null && { seconds: `${seconds} s` }),
    ...(movedTo && { host: movedTo }),
    ...(expiredAt && { expired: expiredAt.toZonedDateTimeISO(timeZone).toPlainDate().toString() }),
    ...(ahead?.next && { next: moment(ahead.next, timeZone) }),
    ...(ahead?.until && { until: moment(ahead.until, timeZone) }),
  });
  const params = {
    ...(status !== null && { status }),
    ...(seconds !== null && { seconds }),
    ...(movedTo && { host: movedTo }),
    ...(expiredAt && { expired_at: expiredAt.toString() }),
  };
  return { key, params, sentence: ahead === null || advice === "" ? text : `${text} ${advice}` };
}

/** "2026-11-30 at 14:00" */
function moment(instant: Temporal.Instant | "soon", timeZone: string): string {
  if (instant === "soon") return instant;
  const local = instant.toZonedDateTimeISO(timeZone);
  return `${local.toPlainDate().toString()} at ${local.toPlainTime().toString({ smallestUnit: "minute" })}`;
}

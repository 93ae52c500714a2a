// How an attempt ended, in the page's language and with its reader's times. The words are the SDK's one table of causes.
import { type Cause, causeWords, statusWords } from "@hookwell/sdk/causes";
import { FORMAT_LOCALES } from "../i18n/languages.ts";
import { useLanguage, useTimeFormat } from "../session/queries.ts";
import { formatCalendarDate, formatSeconds, formatWeekdayTime } from "../ui/time.ts";

/** An attempt's end as the API tells it, under whatever names its fields stand there. */
export interface Outcome {
  cause: Cause;
  status: number | null;
  durationMs: number | null;
  answerText: string | null;
  /** Host that a 3xx leads to. */
  host: string | null;
  /** When its certificate expired. */
  expiredAt: string | null;
}

/** What is planned for its delivery. */
export interface Ahead {
  /** In words. */
  next: string | null;
  until: string | null;
}

export const NOTHING_AHEAD: Ahead = { next: null, until: null };

interface Told {
  sentence_key: string;
  sentence_params: Record<string, string | number>;
  status?: number | null;
  duration_ms?: number | null;
  answer_text?: string | null;
}

/** Reads an attempt or the result of a test. */
export function outcomeOf({ sentence_key, sentence_params, status, duration_ms, answer_text }: Told): Outcome {
  const { host, expired_at } = sentence_params;
  return {
    // The server reads the same table.
    cause: sentence_key as Cause,
    status: status ?? null,
    durationMs: duration_ms ?? null,
    answerText: answer_text ?? null,
    host: typeof host === "string" ? host : null,
    expiredAt: typeof expired_at === "string" ? expired_at : null,
  };
}

/** "It answered 200 OK in 0.18 s.", or what went wrong; and what to do about it, empty where there is nothing to do. */
export function useOutcomeWords(): (outcome: Outcome, ahead?: Ahead) => { text: string; advice: string } {
  const language = useLanguage();
  const format = useTimeFormat();
  return ({ cause, status, durationMs, host, expiredAt }, { next, until } = NOTHING_AHEAD) =>
    causeWords(cause, language, {
      status: status === null ? undefined : statusWords(status),
      seconds: durationMs === null ? undefined : formatSeconds(durationMs, FORMAT_LOCALES[language]),
      host: host ?? undefined,
      expired: expiredAt === null ? undefined : formatCalendarDate(expiredAt, format),
      next: next ?? undefined,
      until: until === null ? undefined : formatWeekdayTime(until, format),
    });
}

/** When a notice that could not be sent is sent again, and when it is given up. Pure. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
/** After the first failed attempt, the second, …; with the last one it is given up after some 21 hours. */
const WAITS_MS = [
  30 * SECOND_MS,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
];
export const ATTEMPTS_MAX: number = WAITS_MS.length + 1;
const JITTER = 0.1;

/** What came of one attempt to tell somebody; `error` is a word, never a server's own text. */
export type Told =
  | { readonly ok: true }
  | { readonly ok: false; readonly error: string; readonly status: number | null; readonly forGood: boolean };

export type AfterTelling =
  | { readonly do: "sent" }
  | { readonly do: "retry"; readonly inMs: number; readonly error: string; readonly status: number | null }
  | { readonly do: "give_up"; readonly error: string; readonly status: number | null };

/** @param attempt 1 for the first · @param random from 0 to 1 */
export function afterTelling(told: Told, attempt: number, random: number): AfterTelling {
  if (told.ok) return { do: "sent" };
  const { error, status } = told;
  const waitMs = WAITS_MS[attempt - 1];
  if (told.forGood || waitMs === undefined) return { do: "give_up", error, status };
  return { do: "retry", inMs: Math.round(waitMs * (1 + JITTER * (2 * random - 1))), error, status };
}

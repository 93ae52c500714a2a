/**
 * How often something may be tried for one account, whoever tries and from wherever: passwords, codes, letters.
 *
 * Owns the rows of `auth.attempts`. Promises: a try is counted before it is made, by one statement, so that a thousand at once
 * on any number of nodes are counted as a thousand; an account that does not exist is counted like one that does. A success
 * takes the count away. What is tried and for whom is kept as an HMAC only. Where the limits of routes (api/open-limits.ts) are of one process, these hold over all.
 */
import { createHmac } from "node:crypto";
import type pg from "pg";
import { ProblemError } from "../errors.ts";

interface Rule {
  readonly max: number;
  readonly windowSeconds: number;
}

const MINUTE_SECONDS = 60;
const QUARTER_HOUR_SECONDS = 15 * 60;
const HOUR_SECONDS = 60 * 60;

/** Per account and window. */
export const TRY_RULES = {
  sign_in: { max: 20, windowSeconds: QUARTER_HOUR_SECONDS },
  /** By somebody who is signed in: before a password is changed or the second factor is touched. */
  password_check: { max: 10, windowSeconds: QUARTER_HOUR_SECONDS },
  reset_letter: { max: 3, windowSeconds: HOUR_SECONDS },
  /** From one client address, for whichever accounts. Staff's sign-ins and codes are counted so by better-auth (auth.ts). */
  reset_address: { max: 10, windowSeconds: MINUTE_SECONDS },
  portal_password_address: { max: 10, windowSeconds: MINUTE_SECONDS },
  /** A code of an authenticator app is valid for a minute and a half; it opens once. */
  used_code: { max: 1, windowSeconds: 180 },
  portal_sign_in: { max: 20, windowSeconds: QUARTER_HOUR_SECONDS },
  portal_letter: { max: 5, windowSeconds: HOUR_SECONDS },
  /** From one client address, at whichever clinic: of the clinic's own count no one address uses up more than a tenth. */
  portal_address: { max: 20, windowSeconds: HOUR_SECONDS },
  /** Of one clinic, whoever signs up. */
  portal_sign_ups: { max: 200, windowSeconds: HOUR_SECONDS },
  /** To one address, from one clinic: whoever is invited has not asked for it. */
  invitation_letter: { max: 5, windowSeconds: HOUR_SECONDS },
  /** Of one clinic, to whomever. */
  invitation_letters: { max: 100, windowSeconds: HOUR_SECONDS },
} as const satisfies Record<string, Rule>;

export type TryKind = keyof typeof TRY_RULES;

/** How many rows that are over are removed beside a count, so that the table stays as small as what goes on. */
const REMOVED_AT_ONCE_MAX = 20;

export class Tries {
  readonly #pool: pg.Pool;
  readonly #secret: string;

  /** @param pool of role `hookwell_auth` @param secret keys the HMAC */
  constructor(pool: pg.Pool, secret: string) {
    this.#pool = pool;
    this.#secret = secret;
  }

  /** Counts one more. Null where it may be made; otherwise the whole seconds until it may. */
  async take(kind: TryKind, subject: string): Promise<number | null> {
    const { max, windowSeconds } = TRY_RULES[kind];
    await this.#pool.query(
      `delete from auth.attempts where key in (
         select key from auth.attempts where ends_at <= now() order by ends_at limit $1 for update skip locked)`,
      [REMOVED_AT_ONCE_MAX],
    );
    const { rows } = await this.#pool.query<{ count: number; wait_seconds: number }>(
      `insert into auth.attempts as a (key, ends_at) values ($1, now() + make_interval(secs => $2))
       on conflict (key) do update set
         began_at = case when a.ends_at <= now() then now() else a.began_at end,
         ends_at = case when a.ends_at <= now() then excluded.ends_at else a.ends_at end,
         count = case when a.ends_at <= now() then 1 else least(a.count + 1, 1000000) end
       returning count, greatest(1, ceil(extract(epoch from ends_at - now())))::int as wait_seconds`,
      [this.#keyOf(kind, subject), windowSeconds],
    );
    const [row] = rows;
    if (row === undefined) throw new Error("counting a try returned no row");
    return row.count > max ? row.wait_seconds : null;
  }

  /** The same for a caller who says no. @throws ProblemError 429 */
  async takeOrRefuse(kind: TryKind, subject: string): Promise<void> {
    const waitSeconds = await this.take(kind, subject);
    if (waitSeconds !== null) throw tooManyTries(waitSeconds);
  }

  /** After a success: the next try is the first again. */
  async forget(kind: TryKind, subject: string): Promise<void> {
    await this.#pool.query("delete from auth.attempts where key = $1", [this.#keyOf(kind, subject)]);
  }

  #keyOf(kind: TryKind, subject: string): Buffer {
    return createHmac("sha256", this.#secret)
      .update(JSON.stringify([kind, subject]))
      .digest();
  }
}

/** 429: enough for now, with the time after which it may be tried again. */
export function tooManyTries(waitSeconds: number): ProblemError {
  const minutes = Math.ceil(waitSeconds / 60);
  const wait = waitSeconds < 90 ? `${waitSeconds} s` : `${minutes} minutes`;
  return new ProblemError({
    status: 429,
    code: "too_many_requests",
    title: `This was tried too often. Wait ${wait}, then try again.`,
    retryAfterSeconds: waitSeconds,
  });
}

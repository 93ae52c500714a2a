/** Routes that cost more than others: how often one person may call each, below the limit of all of /v1 (server.ts). */
import { ProblemError } from "../errors.ts";

/** A route's `config`. @param max requests of one person in a minute; beyond it the answer is 429 */
export function perPersonAndMinute(max: number) {
  return {
    rateLimit: {
      max,
      timeWindow: "1 minute",
      errorResponseBuilder: (_request: unknown, { ttl }: { ttl: number }) => tooMany(max, Math.ceil(ttl / 1_000)),
    },
  };
}

function tooMany(max: number, retryAfterSeconds: number): ProblemError {
  const title = `More than ${max} of these requests in a minute. Wait ${retryAfterSeconds} s, then go on.`;
  return new ProblemError({ status: 429, code: "too_many_requests", title, retryAfterSeconds });
}

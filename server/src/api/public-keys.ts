/**
 * /.well-known/hookwell/keys: a webhook's public keys for whoever receives from it, without a session. Its address holds a
 * token that nobody guesses, so that whether a clinic has webhooks, and when it rotates their keys, is not for everybody.
 */
import rateLimit from "@fastify/rate-limit";
import { z } from "zod";
import { ProblemError } from "../errors.ts";
import { type PublicKey, publicKeysOf } from "../webhooks/keys.ts";
import type { ApiContext } from "./context.ts";
import type { App, OpenRoutes } from "./server.ts";

/** Per client address. Whoever verifies keeps the keys for a while; behind a proxy many receivers may be one client. */
export const LOOKS_PER_MINUTE_MAX = 600;
/** Much shorter than a rotation's overlap, so that a new key is known long before the old one retires. */
const KEPT_BY_RECEIVERS_SECONDS = 300;
const PATH = "/.well-known/hookwell/keys/";
const TOKEN_MAX_CHARACTERS = 100;

export const PUBLIC_KEYS = z.array(
  z.object({
    public_key: z
      .string()
      .describe("`whpk_` and the base64 of an ed25519 key's 32 bytes, as Standard Webhooks writes it."),
    valid_from: z.string(),
    valid_until: z.string().nullable().describe("Null for the current one; a time while a rotation runs."),
  }),
);

/** The whole address of a webhook's keys; null where it never had any. */
export function publicKeysUrl({ publicUrl }: Pick<ApiContext, "publicUrl">, token: string | null): string | null {
  return token === null ? null : `${publicUrl}${PATH}${token}`;
}

/** Keys as the API shows them, with times as the caller writes them. */
export function showPublicKeys(keys: readonly PublicKey[], time: (instant: Temporal.Instant) => string) {
  return keys.map(({ publicKey, validFrom, validUntil }) => ({
    public_key: publicKey,
    valid_from: time(validFrom),
    valid_until: validUntil && time(validUntil),
  }));
}

export const publicKeysRoutes: OpenRoutes = async (app: App, { db }: ApiContext) => {
  await app.register(rateLimit, {
    max: LOOKS_PER_MINUTE_MAX,
    timeWindow: "1 minute",
    errorResponseBuilder: (_request, { ttl }) => tooMany(Math.ceil(ttl / 1_000)),
  });
  const schema = {
    summary: "Fetch the public keys by which anybody checks a webhook's signatures.",
    security: [],
    description: "The public keys with which messages of one webhook may be signed now, newest first. For everybody.",
    params: z.object({ token: z.string().max(TOKEN_MAX_CHARACTERS) }),
    response: { 200: z.object({ keys: PUBLIC_KEYS }) },
  };
  app.get(`${PATH}:token`, { schema }, async ({ params }, reply) => {
    const keys = await publicKeysOf(db, params.token);
    if (keys.length === 0) throw nothingThere();
    reply.header("cache-control", `public, max-age=${KEPT_BY_RECEIVERS_SECONDS}`);
    return { keys: showPublicKeys(keys, utc) };
  });
};

/** Whole seconds, and no zone of the clinic's: this answer goes to everybody. */
function utc(instant: Temporal.Instant): string {
  return instant.toString({ smallestUnit: "second" });
}

function nothingThere(): ProblemError {
  const title = "There are no public keys at this address. Ask whoever set up the webhook for the right one.";
  return new ProblemError({ status: 404, code: "not_found", title });
}

function tooMany(retryAfterSeconds: number): ProblemError {
  return new ProblemError({
    status: 429,
    code: "too_many_requests",
    title: `Too many requests from here. Wait ${retryAfterSeconds} s, then try again.`,
    retryAfterSeconds,
  });
}

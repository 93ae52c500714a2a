/**
 * /operator/v1: what the operator of the server may do from afar, with a key of the server's configuration. It is nobody's
 * session and no clinic's API key, and reads no clinic's data. Without a configured key these routes do not exist.
 */
import { createHash, type KeyObject, timingSafeEqual } from "node:crypto";
import rateLimit from "@fastify/rate-limit";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { Db } from "../db/schema.ts";
import { ProblemError } from "../errors.ts";
import { listPauses, pauseSending, REASON_MAX_CHARACTERS, resumeSending } from "../operator/pauses.ts";
import type { App, OpenRoutes } from "./server.ts";

/** Per client address: whoever guesses keys gets nowhere. */
export const OPERATOR_REQUESTS_PER_MINUTE_MAX = 60;
const BEARER = /^Bearer +(\S+)$/i;

export interface OperatorAccess {
  readonly key: KeyObject;
  /** Runs as the tables' owner. */
  readonly db: Db;
}

const SCOPE = {
  clinic_id: z.int().min(1).nullable().describe("Null: all clinics."),
  webhook_id: z.int().min(1).nullable().describe("Null: all webhooks of the clinic."),
};
const BODY = z.strictObject({
  ...SCOPE,
  reason: z
    .string()
    .trim()
    .min(1, { error: "Say why: it is kept with what was done." })
    .max(REASON_MAX_CHARACTERS, { error: `At most ${REASON_MAX_CHARACTERS} characters fit here.` }),
});
const PAUSES = z.object({ items: z.array(z.object({ ...SCOPE, reason: z.string(), paused_at: z.string() })) });
const CHANGED = z.object({ changed: z.boolean().describe("False where it was so already.") });

/** The routes of one operator's key. */
export function operatorRoutes({ key, db }: OperatorAccess): OpenRoutes {
  const expected = digest(key.export());
  return async (app: App, context) => {
    await app.register(rateLimit, { global: false });
    const ofAddress = app.createRateLimit({ max: OPERATOR_REQUESTS_PER_MINUTE_MAX, timeWindow: "1 minute" });
    app.addHook("onRequest", async (request, reply) => {
      reply.header("cache-control", "no-store");
      // Before the key is looked at: the plugin's own hook runs after this one, and would never count a wrong key.
      const counted = await ofAddress(request);
      if (!counted.isAllowed && counted.isExceeded) throw tooMany(Math.max(1, Math.ceil(counted.ttl / 1_000)));
      const given = BEARER.exec(request.headers.authorization ?? "")?.[1] ?? "";
      if (!timingSafeEqual(digest(given), expected)) throw notTheOperator();
    });
    // Not in the clinics' description of the API: it is the server's own.
    app.get("/operator/v1/sending", { schema: { hide: true, response: { 200: PAUSES } } }, async () => ({
      items: (await listPauses(db)).map(({ clinicId, webhookId, reason, pausedAt }) => ({
        ...{ clinic_id: clinicId, webhook_id: webhookId, reason, paused_at: pausedAt.toString() },
      })),
    }));
    for (const [verb, act] of [["pause", pauseSending] as const, ["resume", resumeSending] as const]) {
      const schema = { hide: true, body: BODY, response: { 200: CHANGED } };
      app.post(`/operator/v1/sending/${verb}`, { schema }, async (request) => {
        const { clinic_id: clinicId, webhook_id: webhookId, reason } = request.body;
        const changed = await act(db, { clinicId, webhookId }, { reason, cameFrom: cameFrom(request) });
        context.nudge();
        return { changed };
      });
    }
  };
}

function cameFrom({ ip }: FastifyRequest): string {
  return `api ${ip}`;
}

function digest(key: Buffer | string): Buffer {
  return createHash("sha256").update(key).digest();
}

function notTheOperator(): ProblemError {
  const title = "This is not the operator's key. Send it as Authorization: Bearer <HOOKWELL_OPERATOR_KEY>.";
  return new ProblemError({ status: 401, code: "operator_only", title });
}

function tooMany(retryAfterSeconds: number): ProblemError {
  const title = `Too many requests. Wait ${retryAfterSeconds} s, then go on.`;
  return new ProblemError({ status: 429, code: "too_many_requests", title, retryAfterSeconds });
}

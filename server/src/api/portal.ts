/**
 * /portal-api: what a patient without a session may do on a clinic's own portal. Signing up answers the same, and does the
 * same work, whether or not the e-mail has an account here: a list of who is a patient of a clinic is nobody's.
 */
import rateLimit from "@fastify/rate-limit";
import { z } from "zod";
import { checkPassword, hashPassword } from "../accounts/passwords.ts";
import { clinicOfPortal, createPortalAccount, readApplicant } from "../clinic/portal/accounts.ts";
import { inClinic } from "../db/pool.ts";
import { ProblemError } from "../errors.ts";
import type { ApiContext } from "./context.ts";
import type { App, OpenRoutes } from "./server.ts";

/** Per client address and minute; each costs a hash. */
export const SIGN_UPS_PER_MINUTE_MAX = 10;
const LOOKS_PER_MINUTE_MAX = 120;

const PARAMS = z.object({ portal_name: z.string() });
const PORTAL = z.object({ clinic: z.object({ name: z.string(), locale: z.enum(["en", "fr-CA"]) }) });
const SIGN_UP = z.strictObject({ name: z.string(), email: z.string(), password: z.string() });
const RECEIVED = z.object({ status: z.literal("received") });

export interface PortalParts {
  /** What is stored of a password. */
  hash(password: string): Promise<string>;
}

export const portalRoutes: OpenRoutes = portalRoutesWith({ hash: hashPassword });

/** The routes with a hash of the caller's choice, for the test that counts how often it is asked. */
export function portalRoutesWith(parts: PortalParts): OpenRoutes {
  return async (app, context) => {
    app.addHook("onRequest", async (_request, reply) => {
      reply.header("cache-control", "no-store");
    });
    await app.register(rateLimit, {
      global: false,
      timeWindow: "1 minute",
      errorResponseBuilder: (_request, { ttl }) => tooMany(Math.ceil(ttl / 1_000)),
    });
    lookRoute(app, context);
    signUpRoute(app, context, parts);
  };
}

function lookRoute(app: App, { db }: ApiContext): void {
  const schema = { hide: true, params: PARAMS, response: { 200: PORTAL } };
  const config = { rateLimit: { max: LOOKS_PER_MINUTE_MAX } };
  app.get("/portal-api/:portal_name", { schema, config }, async ({ params }) => {
    const { name, locale } = await clinicOfPortal(db, params.portal_name);
    return { clinic: { name, locale } };
  });
}

function signUpRoute(app: App, { db, outbox, nudge }: ApiContext, { hash }: PortalParts): void {
  const schema = { hide: true, params: PARAMS, body: SIGN_UP, response: { 202: RECEIVED } };
  const config = { rateLimit: { max: SIGN_UPS_PER_MINUTE_MAX } };
  app.post("/portal-api/:portal_name/accounts", { schema, config }, async ({ params, body }, reply) => {
    const { id: clinicId } = await clinicOfPortal(db, params.portal_name);
    const applicant = readApplicant(body);
    checkPassword(body.password);
    const passwordHash = await hash(body.password);
    const context = { clinicId, outbox };
    await inClinic(db, clinicId, (tx) => createPortalAccount(tx, context, { ...applicant, passwordHash }));
    nudge(clinicId);
    return reply.code(202).send({ status: "received" });
  });
}

function tooMany(retryAfterSeconds: number): ProblemError {
  return new ProblemError({
    status: 429,
    code: "too_many_requests",
    title: `Too many requests from here. Wait ${retryAfterSeconds} s, then try again.`,
    retryAfterSeconds,
  });
}

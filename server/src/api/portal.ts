/**
 * /portal-api: what a patient may do on a clinic's own portal; with an account, in portal-sessions.ts. Signing up answers the
 * same, and does the same work, whether or not the e-mail has an account here: a list of who is a patient of a clinic is
 * nobody's.
 */
import { z } from "zod";
import { checkPassword, hashPassword } from "../accounts/passwords.ts";
import { clinicOfPortal, createPortalAccount, foldEmail, readApplicant } from "../clinic/portal/accounts.ts";
import { inClinic } from "../db/pool.ts";
import { networkOf } from "../egress/addresses.ts";
import { together } from "../errors.ts";
import type { ApiContext } from "./context.ts";
import { limitAddresses } from "./open-limits.ts";
import { postSignUpLetter } from "./portal-letters.ts";
import { portalSessionRoutes } from "./portal-sessions.ts";
import type { App, OpenRoutes } from "./server.ts";

/** Per client address and minute; each costs a hash. */
export const SIGN_UPS_PER_MINUTE_MAX = 10;
const LOOKS_PER_MINUTE_MAX = 120;

const PARAMS = z.object({ portal_name: z.string() });
const PORTAL = z.object({ clinic: z.object({ name: z.string(), locale: z.enum(["en", "fr-CA"]) }) });
const SIGN_UP = z.strictObject({ name: z.string(), email: z.string(), password: z.string() });
const RECEIVED = z.object({ status: z.literal("received"), sends_letters: z.boolean() });

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
    await limitAddresses(app);
    lookRoute(app, context);
    signUpRoute(app, context, parts);
    portalSessionRoutes(app, context);
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

function signUpRoute(app: App, context: ApiContext, { hash }: PortalParts): void {
  const { db, outbox, nudge, accounts } = context;
  const schema = { hide: true, params: PARAMS, body: SIGN_UP, response: { 202: RECEIVED } };
  const config = { rateLimit: { max: SIGN_UPS_PER_MINUTE_MAX } };
  app.post("/portal-api/:portal_name/accounts", { schema, config }, async ({ params, body, ip }, reply) => {
    const clinic = await clinicOfPortal(db, params.portal_name);
    const { id: clinicId } = clinic;
    const { applicant } = together({
      applicant: () => readApplicant(body),
      password: () => checkPassword(body.password),
    });
    const email = foldEmail(applicant.email);
    // The narrow ones first: what they refuse takes none of the clinic's count, or one stranger could use all of it up.
    await accounts.tries.takeOrRefuse("portal_letter", `${clinicId} ${email}`);
    await accounts.tries.takeOrRefuse("portal_address", networkOf(ip));
    await accounts.tries.takeOrRefuse("portal_sign_ups", String(clinicId));
    const passwordHash = await hash(body.password);
    await inClinic(db, clinicId, (tx) => createPortalAccount(tx, { clinicId, outbox }, { ...applicant, passwordHash }));
    nudge(clinicId);
    postSignUpLetter(context, { ...clinic, portalName: params.portal_name }, email);
    return reply.code(202).send({ status: "received", sends_letters: accounts.post.isOpen });
  });
}

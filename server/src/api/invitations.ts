/**
 * /api/invitations: what somebody may do who follows an invitation's link. The token comes in the body, never in an address,
 * where it would be written down on the way.
 */
import { z } from "zod";
import { findInvitation } from "../accounts/invitations.ts";
import { runFrom } from "../audit/origin.ts";
import { cleanName } from "../clinic/names.ts";
import type { ApiContext } from "./context.ts";
import { limitAddresses } from "./open-limits.ts";
import type { App } from "./server.ts";

/** Per client address and minute; an acceptance costs a hash. */
const LOOKS_PER_MINUTE_MAX = 60;
const ACCEPTANCES_PER_MINUTE_MAX = 10;

const TOKEN = z.string().max(100);
const LOOK = z.strictObject({ token: TOKEN });
const FOUND = z.object({
  clinic: z.object({ name: z.string(), locale: z.enum(["en", "fr-CA"]) }),
  email: z.string(),
  role: z.enum(["manager", "practitioner", "front_desk"]),
  has_account: z.boolean(),
  signed_in_as: z.string().nullable(),
});
const ACCEPTANCE = z.strictObject({ token: TOKEN, name: z.string().optional(), password: z.string().optional() });
const ACCEPTED = z.object({ clinic_id: z.int(), is_new: z.boolean() });

/** For everybody: the link is the credential. */
export async function invitationRoutes(app: App, context: ApiContext): Promise<void> {
  app.addHook("onRequest", async (_request, reply) => {
    reply.header("cache-control", "no-store");
  });
  await limitAddresses(app);
  lookRoute(app, context);
  acceptRoute(app, context);
}

function lookRoute(app: App, { db, accounts }: ApiContext): void {
  const schema = { hide: true, body: LOOK, response: { 200: FOUND } };
  const config = { rateLimit: { max: LOOKS_PER_MINUTE_MAX } };
  app.post("/api/invitations/look", { schema, config }, async ({ body, headers }) => {
    const { clinicName, locale, email, role } = await findInvitation(db, body.token);
    const [hasAccount, person] = await Promise.all([accounts.hasAccount(email), accounts.personOf(headers)]);
    const clinic = { name: clinicName, locale };
    return { clinic, email, role, has_account: hasAccount, signed_in_as: person?.email ?? null };
  });
}

function acceptRoute(app: App, { accounts }: ApiContext): void {
  const schema = { hide: true, body: ACCEPTANCE, response: { 200: ACCEPTED } };
  const config = { rateLimit: { max: ACCEPTANCES_PER_MINUTE_MAX } };
  app.post("/api/invitations/accept", { schema, config }, async (request) => {
    const { token, name, password } = request.body;
    const person = await accounts.personOf(request.headers);
    const cleaned = name === undefined ? undefined : cleanName("name", name);
    const origin = { address: request.ip, actorName: person?.name ?? cleaned ?? "" };
    const accept = () => accounts.acceptInvitation({ token, person, name: cleaned, password });
    const { clinicId, isNew } = await runFrom(origin, accept);
    return { clinic_id: clinicId, is_new: isNew };
  });
}

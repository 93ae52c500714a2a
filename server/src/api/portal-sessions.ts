/**
 * /portal-api, of patients who have an account: confirm the e-mail, sign in and out, a new password, and one's own page.
 *
 * An e-mail without an account gets the answers of one with a wrong password, after the same work. Confirming asks for the
 * password besides the link: whoever signed up with somebody else's address has the one without the other, and its
 * owner the other without the one.
 */
import { z } from "zod";
import { TRY_RULES } from "../accounts/limits.ts";
import { checkPassword, hashPassword, verifyPassword } from "../accounts/passwords.ts";
import { getClinic } from "../clinic/clinics.ts";
import { clinicOfPortal, foldEmail, type PortalClinic } from "../clinic/portal/accounts.ts";
import {
  accountOfLink,
  confirmAccount,
  endSession,
  findPortalAccount,
  openSession,
  openVerifiedSession,
  patientOfSession,
  resetPassword,
  upcomingConsults,
} from "../clinic/portal/sign-in.ts";
import { inClinic } from "../db/pool.ts";
import { networkOf } from "../egress/addresses.ts";
import { ProblemError } from "../errors.ts";
import type { ApiContext } from "./context.ts";
import { portalCookie, readPortalCookie } from "./portal-cookie.ts";
import { postResetLetter } from "./portal-letters.ts";
import type { App } from "./server.ts";

/** Per client address and minute; each costs a hash. In this process; over all of them it is counted in the database. */
export const PORTAL_PASSWORDS_PER_MINUTE_MAX = TRY_RULES.portal_password_address.max;
const LOOKS_PER_MINUTE_MAX = 120;
const HASHES = { rateLimit: { max: PORTAL_PASSWORDS_PER_MINUTE_MAX } };

const PARAMS = z.object({ portal_name: z.string() });
const TEXT = z.string().max(1_000);
const DONE = z.object({ status: z.literal("done") });
const CREDENTIALS = z.strictObject({ email: TEXT, password: TEXT });
const LINK = z.strictObject({ token: TEXT, password: TEXT });
const RECEIVED = z.object({ status: z.literal("received"), sends_letters: z.boolean() });
const OWN_PAGE = z.object({
  patient: z.object({ name: z.string(), email: z.string().nullable() }),
  time_zone: z.string(),
  consults: z.array(
    z.object({ start_time: z.string(), duration: z.int(), service: z.string(), practitioner: z.string() }),
  ),
});

export function portalSessionRoutes(app: App, context: ApiContext): void {
  signInRoute(app, context);
  confirmRoute(app, context);
  resetRoutes(app, context);
  ownRoutes(app, context);
}

function signInRoute(app: App, { db, accounts, publicUrl }: ApiContext): void {
  const schema = { hide: true, params: PARAMS, body: CREDENTIALS, response: { 200: DONE } };
  app.post("/portal-api/:portal_name/session", { schema, config: HASHES }, async ({ params, body, ip }, reply) => {
    await countAddress(accounts, ip);
    const { id: clinicId } = await clinicOfPortal(db, params.portal_name);
    const email = foldEmail(body.email.trim());
    const subject = `${clinicId} ${email}`;
    await accounts.tries.takeOrRefuse("portal_sign_in", subject);
    const account = await inClinic(db, clinicId, (tx) => findPortalAccount(tx, clinicId, email));
    const isRight = await verifyPassword(account?.passwordHash ?? null, body.password);
    if (account === null || !isRight || !account.isConfirmed) throw refused();
    const token = await inClinic(db, clinicId, (tx) => openVerifiedSession(tx, clinicId, account));
    if (token === null) throw refused();
    await accounts.tries.forget("portal_sign_in", subject);
    reply.header("set-cookie", portalCookie(token, publicUrl));
    return { status: "done" as const };
  });
}

function confirmRoute(app: App, { db, accounts, publicUrl }: ApiContext): void {
  const schema = { hide: true, params: PARAMS, body: LINK, response: { 200: DONE } };
  app.post("/portal-api/:portal_name/confirm", { schema, config: HASHES }, async ({ params, body, ip }, reply) => {
    await countAddress(accounts, ip);
    const { id: clinicId } = await clinicOfPortal(db, params.portal_name);
    const link = { clinicId, token: body.token };
    const account = await inClinic(db, clinicId, (tx) => accountOfLink(tx, { ...link, purpose: "confirm" }));
    const subject = `${clinicId} ${account.emailFolded}`;
    await accounts.tries.takeOrRefuse("portal_sign_in", subject);
    if (!(await verifyPassword(account.passwordHash, body.password))) throw refused();
    const token = await inClinic(db, clinicId, async (tx) => openSession(tx, await confirmAccount(tx, link)));
    await accounts.tries.forget("portal_sign_in", subject);
    reply.header("set-cookie", portalCookie(token, publicUrl));
    return { status: "done" as const };
  });
}

function resetRoutes(app: App, context: ApiContext): void {
  const { db, accounts } = context;
  const asked = z.strictObject({ email: TEXT });
  const asking = { hide: true, params: PARAMS, body: asked, response: { 202: RECEIVED } };
  app.post(
    "/portal-api/:portal_name/reset-requests",
    { schema: asking, config: HASHES },
    async ({ params, body, ip }, reply) => {
      await countAddress(accounts, ip);
      const clinic = await clinicOfPortal(db, params.portal_name);
      const email = foldEmail(body.email.trim());
      await accounts.tries.takeOrRefuse("portal_letter", `${clinic.id} ${email}`);
      postResetLetter(context, { ...clinic, portalName: params.portal_name }, email);
      return reply.code(202).send({ status: "received", sends_letters: accounts.post.isOpen });
    },
  );

  const schema = { hide: true, params: PARAMS, body: LINK, response: { 200: DONE } };
  app.post("/portal-api/:portal_name/reset", { schema, config: HASHES }, async ({ params, body, ip }) => {
    await countAddress(accounts, ip);
    const { id: clinicId } = await clinicOfPortal(db, params.portal_name);
    checkPassword(body.password);
    const link = { clinicId, token: body.token };
    await inClinic(db, clinicId, (tx) => accountOfLink(tx, { ...link, purpose: "reset" }));
    const passwordHash = await hashPassword(body.password);
    await inClinic(db, clinicId, (tx) => resetPassword(tx, link, passwordHash));
    return { status: "done" as const };
  });
}

/** First of all: what a stranger tries on one portal after another counts as well. */
async function countAddress({ tries }: ApiContext["accounts"], ip: string): Promise<void> {
  await tries.takeOrRefuse("portal_password_address", networkOf(ip));
}

function ownRoutes(app: App, { db, publicUrl }: ApiContext): void {
  const config = { rateLimit: { max: LOOKS_PER_MINUTE_MAX } };
  const schema = { hide: true, params: PARAMS, response: { 200: OWN_PAGE } };
  app.get("/portal-api/:portal_name/session", { schema, config }, async ({ params, headers }) => {
    const clinic = await clinicOfPortal(db, params.portal_name);
    return ownPage(db, clinic, readPortalCookie(headers.cookie, publicUrl));
  });

  const ending = { hide: true, params: PARAMS };
  app.delete("/portal-api/:portal_name/session", { schema: ending, config }, async ({ params, headers }, reply) => {
    const { id: clinicId } = await clinicOfPortal(db, params.portal_name);
    const token = readPortalCookie(headers.cookie, publicUrl);
    await inClinic(db, clinicId, (tx) => endSession(tx, clinicId, token));
    reply.header("set-cookie", portalCookie(null, publicUrl));
    return reply.code(204).send();
  });
}

async function ownPage(db: ApiContext["db"], { id }: PortalClinic, token: string): Promise<z.infer<typeof OWN_PAGE>> {
  return inClinic(db, id, async (tx) => {
    const patient = await patientOfSession(tx, id, token);
    if (patient === null) throw signInFirst();
    const { timeZone } = await getClinic(tx, id);
    const consults = await upcomingConsults(tx, id, patient.patientId);
    const shown = consults.map(({ startsAt, durationMinutes, service, practitioner }) => ({
      ...{ start_time: startsAt.toString(), duration: durationMinutes, service, practitioner },
    }));
    return { patient: { name: patient.name, email: patient.email }, time_zone: timeZone, consults: shown };
  });
}

function refused(): ProblemError {
  const title = "This e-mail address and password do not fit together, or the address is not confirmed yet.";
  return new ProblemError({ status: 401, code: "sign_in_refused", title: `${title} Check both and try again.` });
}

function signInFirst(): ProblemError {
  return new ProblemError({
    status: 401,
    code: "sign_in_required",
    title: "Nobody is signed in here, or the session has ended. Sign in on this clinic's portal.",
  });
}

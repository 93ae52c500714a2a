/**
 * Signing in and out, the second factor, one's password and one's clinics: the few of better-auth's routes that are needed, so
 * that nothing of it is open by accident. Each names what of a body is passed on and what of an answer comes back; the
 * session's token never does. Its refusals become problem documents (auth-problems.ts).
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { CLIENT_IP_HEADER } from "../accounts/auth.ts";
import { TRY_RULES } from "../accounts/limits.ts";
import { networkOf } from "../egress/addresses.ts";
import { logEvent } from "../log.ts";
import { problemOfAuth } from "./auth-problems.ts";
import type { ApiContext } from "./context.ts";
import { limitAddresses } from "./open-limits.ts";
import { sendProblem } from "./problem.ts";
import type { App } from "./server.ts";

/** Per client address and minute, in this process; over all of them it is counted in the database. */
const RESETS_PER_MINUTE_MAX = TRY_RULES.reset_address.max;
const TEXT = z.string().max(1_000);

interface AuthRoute {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly body?: z.ZodObject;
  /** What better-auth gets for a body; the body itself unless it says otherwise. */
  readonly asked?: (body: never) => object;
  /** Which fields of an answer come back besides the person; never the token, which belongs into its cookie. */
  readonly answers?: readonly string[];
}

const PASSWORD = z.strictObject({ password: TEXT });
const CODE = z.strictObject({ code: TEXT, trust_device: z.boolean().optional() });
const NEW_PASSWORD = z.strictObject({ current_password: TEXT, new_password: TEXT });
const RESET = z.strictObject({ token: TEXT, new_password: TEXT });
const CLINIC = z.strictObject({ clinic_id: z.int() });

const codeOf = ({ code, trust_device }: z.infer<typeof CODE>) => ({
  // People type codes as they are shown, with a space in the middle.
  code: code.replaceAll(/\s+/g, ""),
  ...(trust_device === undefined ? {} : { trustDevice: trust_device }),
});

const ROUTES: readonly AuthRoute[] = [
  {
    ...{ method: "POST", url: "/api/auth/sign-in/email", body: z.strictObject({ email: TEXT, password: TEXT }) },
    answers: ["twoFactorRedirect"],
  },
  { method: "POST", url: "/api/auth/sign-out" },
  { method: "GET", url: "/api/auth/get-session" },
  {
    ...{ method: "POST", url: "/api/auth/change-password", body: NEW_PASSWORD },
    asked: ({ current_password, new_password }: z.infer<typeof NEW_PASSWORD>) => ({
      ...{ currentPassword: current_password, newPassword: new_password },
      revokeOtherSessions: true,
    }),
  },
  {
    ...{ method: "POST", url: "/api/auth/reset-password", body: RESET },
    asked: ({ token, new_password }: z.infer<typeof RESET>) => ({ token, newPassword: new_password }),
  },
  {
    ...{ method: "POST", url: "/api/auth/switch-clinic", body: CLINIC },
    asked: ({ clinic_id }: z.infer<typeof CLINIC>) => ({ clinicId: clinic_id }),
  },
  {
    ...{ method: "POST", url: "/api/auth/two-factor/enable", body: PASSWORD },
    answers: ["totpURI", "backupCodes"],
  },
  { method: "POST", url: "/api/auth/two-factor/verify-totp", body: CODE, asked: codeOf },
  { method: "POST", url: "/api/auth/two-factor/verify-backup-code", body: CODE, asked: codeOf },
  { method: "POST", url: "/api/auth/two-factor/disable", body: PASSWORD },
  {
    ...{ method: "POST", url: "/api/auth/two-factor/generate-backup-codes", body: PASSWORD },
    answers: ["backupCodes"],
  },
];

/** Registers them, and the way to a letter with a link to a new password. */
export async function authRoutes(app: App, context: ApiContext): Promise<void> {
  await limitAddresses(app);
  for (const route of ROUTES) register(app, context, route);
  resetRoute(app, context);
}

function register(app: App, context: ApiContext, { method, url, body, asked, answers = [] }: AuthRoute): void {
  app.route({
    ...{ method, url },
    schema: { hide: true, ...(body === undefined ? {} : { body }) },
    handler: async (request, reply) => {
      const wanted = asked === undefined ? request.body : asked(request.body as never);
      const response = await context.accounts.handle(toWebRequest(request, wanted, context.publicUrl));
      if (response.ok) return send(reply as FastifyReply, response, answers);
      const outcome = response.status === 429 ? "too_many_attempts" : "refused";
      const { status } = response;
      logEvent(context.log, "accounts.sign_in", { outcome, status, request_id: request.id }, "warn");
      reply.header("cache-control", "no-store");
      return sendProblem(reply as FastifyReply, await problemOfAuth(url, response));
    },
  });
}

function resetRoute(app: App, { accounts }: ApiContext): void {
  const body = z.strictObject({ email: TEXT, locale: z.enum(["en", "fr-CA"]) });
  const response = { 202: z.object({ status: z.literal("received"), sends_letters: z.boolean() }) };
  const config = { rateLimit: { max: RESETS_PER_MINUTE_MAX } };
  const schema = { hide: true, body, response };
  app.post("/api/auth/reset-requests", { schema, config }, async (request, reply) => {
    reply.header("cache-control", "no-store");
    const { email, locale } = request.body;
    await accounts.tries.takeOrRefuse("reset_address", networkOf(request.ip));
    await accounts.requestReset(email, locale);
    return reply.code(202).send({ status: "received", sends_letters: accounts.post.isOpen });
  });
}

/** Only the headers that better-auth reads are passed on, and the client's address from the connection itself. */
function toWebRequest(request: FastifyRequest, body: unknown, publicUrl: string): Request {
  const headers = new Headers({ [CLIENT_IP_HEADER]: request.ip });
  for (const name of ["cookie", "origin", "referer", "user-agent", "content-type"]) {
    const value = request.headers[name];
    if (typeof value === "string") headers.set(name, value);
  }
  const init: RequestInit = { method: request.method, headers };
  if (body !== undefined && body !== null) init.body = JSON.stringify(body);
  return new Request(new URL(request.url, publicUrl), init);
}

async function send(reply: FastifyReply, response: Response, answers: readonly string[]): Promise<FastifyReply> {
  reply.header("cache-control", "no-store");
  for (const cookie of response.headers.getSetCookie()) reply.header("set-cookie", cookie);
  if (response.status === 204) return reply.code(204).send();
  return reply
    .code(response.status)
    .type("application/json; charset=utf-8")
    .send(JSON.stringify(shown(await response.json(), answers)));
}

/** Who it is, and what the route names. */
function shown(answer: unknown, answers: readonly string[]): object | null {
  if (typeof answer !== "object" || answer === null) return null;
  const fields = answer as Record<string, unknown>;
  const kept = Object.fromEntries(answers.filter((name) => name in fields).map((name) => [snake(name), fields[name]]));
  const user = fields.user as { id?: unknown; name?: unknown; email?: unknown } | null | undefined;
  return user ? { user: { id: user.id, name: user.name, email: user.email }, ...kept } : kept;
}

/** `totpURI` → `totp_uri`. */
function snake(name: string): string {
  return name.replaceAll(/[A-Z]+/g, (capitals) => `_${capitals.toLowerCase()}`);
}

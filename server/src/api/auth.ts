/**
 * Signing in and out: the few of better-auth's routes that are needed, so that nothing of it is open by accident. Its
 * refusals become problem documents like every other.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { CLIENT_IP_HEADER } from "../accounts/auth.ts";
import { ProblemError } from "../errors.ts";
import { logEvent } from "../log.ts";
import type { ApiContext } from "./context.ts";
import { sendProblem } from "./problem.ts";
import type { App } from "./server.ts";

const ROUTES = [
  { method: "POST", url: "/api/auth/sign-in/email" },
  { method: "POST", url: "/api/auth/sign-out" },
  { method: "GET", url: "/api/auth/get-session" },
] as const;

/** Registers sign-in, sign-out and the look at one's session. */
export async function authRoutes(app: App, context: ApiContext): Promise<void> {
  for (const { method, url } of ROUTES) {
    app.route({
      method,
      url,
      schema: { hide: true },
      handler: async (request, reply) => {
        const response = await context.accounts.handle(toWebRequest(request, context.publicUrl));
        if (!response.ok) {
          const outcome = response.status === 429 ? "too_many_attempts" : "refused";
          logEvent(
            context.log,
            "accounts.sign_in",
            { outcome, status: response.status, request_id: request.id },
            "warn",
          );
        }
        return send(reply as FastifyReply, response);
      },
    });
  }
}

/** Only the headers that better-auth reads are passed on, and the client's address from the connection itself. */
function toWebRequest(request: FastifyRequest, publicUrl: string): Request {
  const headers = new Headers({ [CLIENT_IP_HEADER]: request.ip });
  for (const name of ["cookie", "origin", "referer", "user-agent", "content-type"]) {
    const value = request.headers[name];
    if (typeof value === "string") headers.set(name, value);
  }
  const init: RequestInit = { method: request.method, headers };
  if (request.body !== undefined && request.body !== null) init.body = JSON.stringify(request.body);
  return new Request(new URL(request.url, publicUrl), init);
}

async function send(reply: FastifyReply, response: Response): Promise<FastifyReply> {
  reply.header("cache-control", "no-store");
  for (const cookie of response.headers.getSetCookie()) reply.header("set-cookie", cookie);
  if (!response.ok) return sendProblem(reply, await problemOf(response));
  return reply
    .code(response.status)
    .type("application/json; charset=utf-8")
    .send(JSON.stringify(withoutToken(await response.json())));
}

/** Who it is, and no more: the session's token belongs into its cookie, where scripts cannot read it. */
function withoutToken(answer: unknown): object | null {
  if (typeof answer !== "object" || answer === null) return null;
  const user =
    "user" in answer ? (answer.user as { id?: unknown; name?: unknown; email?: unknown } | undefined) : undefined;
  return user === undefined ? {} : { user: { id: user.id, name: user.name, email: user.email } };
}

async function problemOf(response: Response): Promise<ProblemError> {
  if (response.status >= 500) throw new Error(`better-auth answered ${response.status}`);
  const retryAfter = Number(response.headers.get("x-retry-after") ?? "");
  if (response.status === 429) {
    return new ProblemError({
      status: 429,
      code: "too_many_requests",
      title: "Too many attempts from here. Wait a minute, then try again.",
      ...(Number.isSafeInteger(retryAfter) && retryAfter > 0 ? { retryAfterSeconds: retryAfter } : {}),
    });
  }
  if (response.status === 401 || response.status === 403) {
    return new ProblemError({
      status: response.status,
      code: "sign_in_refused",
      title: "This e-mail address and password do not fit together. Check both and try again.",
    });
  }
  return new ProblemError({
    status: response.status,
    code: "invalid_request",
    title: "The request was refused. Send e-mail and password as JSON.",
  });
}

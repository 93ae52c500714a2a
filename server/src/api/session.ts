/** Who is asking: the principal of a request, and what only managers may do. Runs before a body is read. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { EMBED_TOKEN_PREFIX } from "../accounts/embed-sessions.ts";
import type { ApiKeyScope, Principal } from "../accounts/principal.ts";
import { ProblemError } from "../errors.ts";
import type { ApiContext } from "./context.ts";
import { requireCapability } from "./embedded-routes.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Set by `requireSession` before any handler under /v1 runs. */
    principal: Principal;
  }
  interface FastifyContextConfig {
    /** The scope with which an API key may use the route; without one the route is for people alone. */
    scope?: ApiKeyScope;
  }
}

const BAD_KEY = "This API key is not known, or it was revoked. Ask a manager of the clinic for a new one.";
const BAD_EMBED = "This page was open for as long as it may be. Open it again from your clinic software.";
const NOBODY = "Nobody is signed in, or the session has ended. Sign in, then send its cookie with every request.";

/**
 * A hook that refuses with 401 whoever is not signed in, and names everybody else in `request.principal`. A program with an
 * API key gets no further than the routes that name one of its scopes, an embedded page no further than its own routes.
 */
export function requireSession(context: ApiContext) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    reply.header("cache-control", "no-store");
    const principal = await context.accounts.authenticate(request.headers);
    if (principal === null) throw unknown(request);
    request.principal = principal;
    if (principal.role === "api_key") requireScope(request);
    if (principal.role === "embedded") requireCapability(request);
  };
}

function unknown({ headers }: FastifyRequest): ProblemError {
  if (headers.authorization?.includes(` ${EMBED_TOKEN_PREFIX}`)) {
    return new ProblemError({ status: 401, code: "embed_session_ended", title: BAD_EMBED });
  }
  return headers.authorization === undefined
    ? new ProblemError({ status: 401, code: "sign_in_required", title: NOBODY })
    : new ProblemError({ status: 401, code: "unknown_api_key", title: BAD_KEY });
}

function requireScope({ principal, routeOptions }: FastifyRequest): void {
  const { scope } = routeOptions.config;
  if (scope !== undefined && principal.scopes.includes(scope)) return;
  throw new ProblemError({
    status: 403,
    code: "wrong_scope",
    title: "This API key does not open this address. Use one with the right scope, or sign in as a person.",
  });
}

/**
 * A hook for routes that only managers may use, and programs and embedded pages where the route is theirs:
 * `app.addHook("onRequest", requireManager)`. Others get 403.
 */
export async function requireManager(request: FastifyRequest): Promise<void> {
  // A program without the route's scope was turned away before, and so was an embedded page that may not use it.
  if (!["manager", "api_key", "embedded"].includes(request.principal.role)) {
    throw new ProblemError({
      status: 403,
      code: "manager_only",
      title: "Only managers of this clinic may see or change this. Ask one of them.",
    });
  }
}

/** Who is asking: the principal of a request, and what only managers may do. Runs before a body is read. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ApiKeyScope, Principal } from "../accounts/principal.ts";
import { ProblemError } from "../errors.ts";
import type { ApiContext } from "./context.ts";

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
const NOBODY = "Nobody is signed in, or the session has ended. Sign in, then send its cookie with every request.";

/**
 * A hook that refuses with 401 whoever is not signed in, and names everybody else in `request.principal`. A program with an
 * API key gets no further than the routes that name one of its scopes.
 */
export function requireSession(context: ApiContext) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    reply.header("cache-control", "no-store");
    const principal = await context.accounts.authenticate(request.headers);
    if (principal === null) throw unknown(request);
    request.principal = principal;
    if (principal.role === "api_key") requireScope(request);
  };
}

function unknown({ headers }: FastifyRequest): ProblemError {
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
 * A hook for routes that only managers may use, and programs where the route names a scope:
 * `app.addHook("onRequest", requireManager)`. Others get 403.
 */
export async function requireManager(request: FastifyRequest): Promise<void> {
  // A program without the route's scope was turned away before.
  if (request.principal.role !== "manager" && request.principal.role !== "api_key") {
    throw new ProblemError({
      status: 403,
      code: "manager_only",
      title: "Only managers of this clinic may see or change this. Ask one of them.",
    });
  }
}

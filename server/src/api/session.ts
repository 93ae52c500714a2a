/** Who is asking: the principal of a request, and what only managers may do. Runs before a body is read. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Principal } from "../accounts/principal.ts";
import { ProblemError } from "../errors.ts";
import type { ApiContext } from "./context.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Set by `requireSession` before any handler under /v1 runs. */
    principal: Principal;
  }
}

const NOBODY = "Nobody is signed in, or the session has ended. Sign in, then send its cookie with every request.";

/** A hook that refuses with 401 whoever is not signed in, and names everybody else in `request.principal`. */
export function requireSession(context: ApiContext) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    reply.header("cache-control", "no-store");
    const principal = await context.accounts.authenticate(request.headers);
    if (principal === null) throw new ProblemError({ status: 401, code: "sign_in_required", title: NOBODY });
    request.principal = principal;
  };
}

/** A hook for routes that only managers may use: `app.addHook("onRequest", requireManager)`. Others get 403. */
export async function requireManager(request: FastifyRequest): Promise<void> {
  if (request.principal.role !== "manager") {
    throw new ProblemError({
      status: 403,
      code: "manager_only",
      title: "Only managers of this clinic may see or change this. Ask one of them.",
    });
  }
}

/** /livez and /readyz, for whoever watches the process. They tell nothing of any clinic. */
import { sql } from "kysely";
import { ProblemError } from "../errors.ts";
import type { OpenRoutes } from "./server.ts";

export interface Health {
  /** False from the moment that the process was asked to stop. */
  isReady(): boolean;
  readonly allowLoopback: boolean;
}

/** Live: the process answers. Ready: it also reaches its database and has not been asked to stop. */
export function healthRoutes(health: Health): OpenRoutes {
  return async (app, context) => {
    app.get("/livez", { schema: { hide: true } }, async () => ({ live: true }));
    app.get("/readyz", { schema: { hide: true } }, async (_request, reply) => {
      reply.header("cache-control", "no-store");
      if (!health.isReady()) throw notReady();
      await sql`select 1`.execute(context.db);
      // Said aloud, so that a setting made for development is seen where it does not belong.
      return { ready: true, ...(health.allowLoopback ? { allow_loopback: true } : {}) };
    });
  };
}

function notReady(): ProblemError {
  return new ProblemError({
    status: 503,
    code: "not_ready",
    title: "This server is starting or stopping. Try again in a few seconds.",
    retryAfterSeconds: 2,
  });
}

/**
 * What the embedded page may call, with the capabilities that it takes: the one table of it. A route that does not stand
 * here is closed to it. Finer things, such as what a webhook may send, are checked where they are changed.
 */
import type { EmbedCapability } from "@hookwell/sdk";
import type { FastifyRequest } from "fastify";
import { ProblemError } from "../errors.ts";

const VIEW = ["view"] as const;
const MANAGE = ["manage"] as const;

/** By method and path, as the routes are registered. */
export const EMBEDDED_ROUTES: Readonly<Record<string, readonly EmbedCapability[]>> = {
  "GET /v1/me": VIEW,
  "GET /v1/event-types": VIEW,
  "GET /v1/webhooks": VIEW,
  "GET /v1/webhooks/activity": VIEW,
  // The whole address and the headers' values are credentials of many services.
  "GET /v1/webhooks/:id": MANAGE,
  "GET /v1/webhooks/:id/public-keys": VIEW,
  "GET /v1/webhooks/:id/recover": VIEW,
  "GET /v1/webhooks/:id/recover/:recovery_id": VIEW,
  "GET /v1/deliveries": VIEW,
  "GET /v1/deliveries/:id": VIEW,
  "GET /v1/notices": VIEW,
  "GET /v1/stream": VIEW,
  "POST /v1/webhooks": MANAGE,
  "POST /v1/webhooks/check-url": MANAGE,
  "PATCH /v1/webhooks/:id": MANAGE,
  "DELETE /v1/webhooks/:id": MANAGE,
  "POST /v1/webhooks/:id/test": MANAGE,
  "POST /v1/webhooks/:id/recover/count": MANAGE,
  "POST /v1/webhooks/:id/recover": MANAGE,
  "POST /v1/webhooks/:id/recover/:recovery_id/pause": MANAGE,
  "POST /v1/webhooks/:id/recover/:recovery_id/resume": MANAGE,
  "POST /v1/webhooks/:id/recover/:recovery_id/cancel": MANAGE,
  "POST /v1/webhooks/:id/revoke-previous-secret": MANAGE,
  // A secret that nobody sees would only cut the receiver off.
  "POST /v1/webhooks/:id/rotate-secret": ["manage", "new-secret"],
  "POST /v1/deliveries/:id/resend": MANAGE,
  // For the address of the test inbox: what it received is left out (inbox.ts).
  "GET /v1/inbox": MANAGE,
};

/** @throws ProblemError 403 for an embedded page at a route that is not its own, or that it may not use */
export function requireCapability({ principal: { embedded }, method, routeOptions }: FastifyRequest): void {
  const needed = EMBEDDED_ROUTES[`${method === "HEAD" ? "GET" : method} ${routeOptions.url ?? ""}`];
  if (needed === undefined) {
    const title = "The embedded page does not open this address. Sign in to Hookwell itself.";
    throw new ProblemError({ status: 403, code: "not_embedded", title });
  }
  const missing = needed.find((capability) => !embedded?.capabilities.includes(capability));
  if (missing === undefined) return;
  const title = `Your clinic software does not let you do this here ("${missing}" is missing). Ask whoever manages it.`;
  throw new ProblemError({ status: 403, code: "missing_capability", title });
}

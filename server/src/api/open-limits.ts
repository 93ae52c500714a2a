/** How often one client address may call the routes that need no session; limits per account are accounts/limits.ts. */
import rateLimit from "@fastify/rate-limit";
import { tooManyTries } from "../accounts/limits.ts";
import type { App } from "./server.ts";

/** Registers the limits: routes name theirs with `config: { rateLimit: { max } }`, per minute. */
export async function limitAddresses(app: App): Promise<void> {
  await app.register(rateLimit, {
    global: false,
    timeWindow: "1 minute",
    errorResponseBuilder: (_request, { ttl }) => tooManyTries(Math.ceil(ttl / 1_000)),
  });
}

/** The API's description, made from the routes themselves: OpenAPI 3.1 under /openapi.json. */
import swagger from "@fastify/swagger";
import { jsonSchemaTransform } from "fastify-type-provider-zod";
import type { App } from "./server.ts";

const API_VERSION = "1";

/** Registers the collector of routes, before any of them, and the address that shows what it found. */
export async function describeApi(app: App): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Hookwell",
        version: API_VERSION,
        description:
          "Webhooks of a clinic. snake_case JSON; the clinic comes from the session; errors are problem documents (RFC 9457); lists go by cursor; every POST may carry an Idempotency-Key.",
      },
      components: {
        securitySchemes: { session: { type: "apiKey", in: "cookie", name: "hookwell.session_token" } },
      },
      security: [{ session: [] }],
    },
    transform: jsonSchemaTransform,
  });
  app.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
}

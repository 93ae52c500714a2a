/**
 * The API's description, made from the routes themselves and from the catalogue: OpenAPI 3.1 under /openapi.json.
 *
 * Promises that every operation has a name and a summary of its own (the summary stands with its route), says how it refuses (RFC 9457) and, where it takes one, how it is made
 * once (`Idempotency-Key`); and that `webhooks` shows each of the 13 events with the schema that its bodies are held to.
 */
import swagger from "@fastify/swagger";
import { EVENT_NAMES, type EventName, eventDefinition, jsonSchema } from "@hookwell/sdk";
import { jsonSchemaTransform } from "fastify-type-provider-zod";
import type { ApiKeyScope } from "../accounts/principal.ts";
import { EMBEDDED_ROUTES } from "./embedded-routes.ts";
import type { App } from "./server.ts";

const API_VERSION = "1";
const METHODS = ["get", "post", "put", "patch", "delete"] as const;

// biome-ignore lint/suspicious/noExplicitAny: a description is plain JSON; its library types 3.0 and 3.1 apart
type Json = any;

const PROBLEM = {
  type: "object",
  required: ["type", "title", "status", "detail", "code"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string", description: "What is wrong and what to do, for a person." },
    code: { type: "string", description: "A stable word that programs may switch on." },
    errors: {
      type: "array",
      items: {
        type: "object",
        required: ["field", "message"],
        properties: { field: { type: "string" }, message: { type: "string" }, code: { type: "string" } },
      },
    },
  },
} as const;

const IDEMPOTENCY_KEY = {
  in: "header",
  name: "Idempotency-Key",
  required: false,
  description:
    "1 to 128 visible ASCII characters. The same request with the same key is done once; its answer is kept for 7 days.",
  schema: { type: "string", minLength: 1, maxLength: 128 },
} as const;

/** Registers the collector of routes, before any of them, and the address that shows what it found. */
export async function describeApi(app: App): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Hookwell",
        version: API_VERSION,
        description:
          "Webhooks of a clinic. snake_case JSON; the clinic comes from the credential; errors are problem documents (RFC 9457); lists go by cursor; every POST may carry an Idempotency-Key.",
      },
      components: {
        securitySchemes: {
          session: { type: "apiKey", in: "cookie", name: "hookwell.session_token" },
          key: { type: "http", scheme: "bearer", description: "An API key, `hk_…`: opens what its scopes name." },
          embedded: {
            ...{ type: "http", scheme: "bearer" },
            description: "Of the embedded page, `hes_…`: what a one-time link was exchanged for. For that page alone.",
          },
        },
        schemas: { Problem: PROBLEM as Json },
      },
      security: [{ session: [] }],
    },
    transform: (route) => {
      const { schema, url } = jsonSchemaTransform(route);
      return { url, schema: { ...schema, ...securityOf(route.route) } };
    },
    transformObject: (document) => ("openapiObject" in document ? complete(document.openapiObject) : {}),
  });
  app.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
}

interface Secured {
  readonly method: string | string[];
  readonly url: string;
  readonly config?: { readonly scope?: ApiKeyScope };
}

/** Who but people may call it, or instead of them; nothing where people alone may. */
function securityOf({ method, url, config }: Secured): object {
  const key = config?.scope === undefined ? [] : [{ key: [] }];
  // Nobody who is signed in vouches for somebody else.
  if (config?.scope === "embed") return { security: key };
  const embedded = `${[method].flat()[0]} ${url}` in EMBEDDED_ROUTES ? [{ embedded: [] }] : [];
  const others = [...key, ...embedded];
  return others.length === 0 ? {} : { security: [{ session: [] }, ...others] };
}

/** What the routes cannot say of themselves, because it holds for all of them. */
function complete(description: Json): Json {
  const paths = Object.fromEntries(
    Object.entries<Json>(description.paths ?? {}).map(([path, item]) => [path, completeItem(path, item)]),
  );
  const webhooks = Object.fromEntries(EVENT_NAMES.map((event) => [event, { post: webhook(event) }]));
  return { ...description, paths, webhooks };
}

function completeItem(path: string, item: Json): Json {
  const operations = METHODS.filter((method) => method in item).map((method) => {
    const { parameters = [], responses, requestBody, ...operation } = item[method];
    return [
      method,
      {
        operationId: operationId(method, path),
        ...operation,
        ...(requestBody && { requestBody: { ...requestBody, required: !mayBeNull(requestBody) } }),
        parameters: method === "post" && path.startsWith("/v1/") ? [...parameters, IDEMPOTENCY_KEY] : parameters,
        responses: { ...responses, default: REFUSED },
      },
    ];
  });
  return { ...item, ...Object.fromEntries(operations) };
}

/** A body that may be null may also be left out. */
function mayBeNull({ content }: Json): boolean {
  const { type, anyOf = [{ type }] } = content["application/json"]?.schema ?? {};
  return anyOf.some((one: Json) => one.type === "null");
}

const REFUSED = {
  description: "Refused; nothing was changed.",
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
} as const;

/** `POST /v1/consults/{id}/participants` is `post_consults_id_participants`. */
function operationId(method: string, path: string): string {
  const words = path.replace(/^\/v1/, "").replaceAll(/[^a-z0-9]+/gi, "_");
  return `${method}${words.replace(/_$/, "")}`;
}

/** A delivery with all data, as its receiver sees it (contract §2, §7). */
function webhook(event: EventName): Json {
  const { $schema: _, ...schema } = jsonSchema(event, { practitioner: "all", patient: "all" });
  const { label, sentence, firesNot } = eventDefinition(event);
  return {
    operationId: `on_${event.replaceAll(".", "_")}`,
    summary: label.en,
    description: `${sentence.en} ${firesNot.en}`,
    parameters: HEADERS,
    requestBody: { required: true, content: { "application/json": { schema } } },
    responses: {
      "2XX": { description: "Received." },
      410: { description: "Turns the webhook off." },
      default: { description: "Tried again, on a schedule of three days." },
    },
    security: [],
  };
}

const header = (name: string, required: boolean, description: string) => {
  return { in: "header", name, required, description, schema: { type: "string" } };
};
const HEADERS = [
  header("webhook-id", true, "Names one delivery; the same on every attempt. Drop what you have seen."),
  header("webhook-timestamp", true, "Seconds since 1970, of this attempt."),
  header(
    "webhook-signature",
    true,
    "`v1,` and HMAC-SHA256 over id.timestamp.body, one entry per live secret; on demand `v1a,` and ed25519, one per live key.",
  ),
  header("webhook-attempt", true, "1 for the first attempt."),
  header("webhook-sequence", false, "Counts the deliveries of this webhook without gaps. Tests carry none."),
  header("webhook-subject", false, "What it is about, such as consult:12. Tests carry none."),
  header("webhook-subject-version", false, "Rises with each event of the subject: drop what is lower."),
  header("webhook-test", false, "`true` on tests, which are about invented people."),
];

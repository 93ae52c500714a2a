/**
 * The HTTP server of the API and the page.
 *
 * Owns what holds for every request: security headers, who may call across sites, limits on size, time and number, request
 * ids, and that every refusal is a problem document. Does not know any resource: routes come as plugins, see routes.ts.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  type RawServerDefault,
} from "fastify";
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { ProblemError } from "../errors.ts";
import { logEvent } from "../log.ts";
import { drawRandom } from "../seal/random.ts";
import type { ApiContext } from "./context.ts";
import { parseStrictJson } from "./json.ts";
import { LineBudget } from "./line-budget.ts";
import { describeApi } from "./openapi.ts";
import { problemHandler, sendProblem } from "./problem.ts";
import { requireSession } from "./session.ts";

const BODY_MAX_BYTES = 256 * 1024;
/** From the first byte of a request to its last; a client that drips is cut off. */
const REQUEST_TIMEOUT_MS = 30_000;
const CONNECTION_IDLE_MS = 60_000;
const KEEP_ALIVE_MS = 65_000;
const PARAMETER_MAX_CHARACTERS = 200;
const REQUESTS_PER_MINUTE_MAX = 600;
/** Programs may send thousands of requests a second; the lines of the others are counted. */
const FEED_LINES_PER_SECOND_MAX = 10;
const NONCE_BYTES = 16;
const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse<IncomingMessage>,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** A resource: registers its routes, with paths relative to /v1. Everything in it has a `request.principal`. */
export type Routes = (app: App, context: ApiContext) => Promise<void>;

/** Routes outside /v1, such as sign-in and the page itself, with whole paths. They have no principal. */
export type OpenRoutes = (app: App, context: ApiContext) => Promise<void>;

export interface ServerParts {
  readonly v1: readonly Routes[];
  readonly open: readonly OpenRoutes[];
}

declare module "fastify" {
  interface FastifyReply {
    /** Fresh for every response; the one in its content security policy. */
    styleNonce: string;
  }
}

/** Makes the server with everything registered; `listen`, or `inject` in tests, is the caller's. */
export async function createServer(context: ApiContext, parts: ServerParts): Promise<App> {
  const onError = problemHandler(context.log);
  const app: App = fastify({
    logger: false,
    bodyLimit: BODY_MAX_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: CONNECTION_IDLE_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { headersTimeout: REQUEST_TIMEOUT_MS },
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    routerOptions: { maxParamLength: PARAMETER_MAX_CHARACTERS },
    forceCloseConnections: "idle",
    frameworkErrors: (error, request, reply) => onError(error, request, reply),
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(onError);
  refuseUnknownRoutes(app);
  readJsonOnly(app);
  await protect(app, context);
  logAnswers(app, context);
  await describeApi(app);
  for (const routes of parts.open) await app.register(plugin(routes, context));
  await app.register(plugin(v1(parts.v1), context), { prefix: "/v1" });
  return app;
}

/** Fastify's plugins lose the types of a server; ours keep them and get the context instead of options. */
function plugin(routes: Routes, context: ApiContext): FastifyPluginAsync {
  return async (scope) => {
    await routes(scope as unknown as App, context);
  };
}

function v1(resources: readonly Routes[]): Routes {
  return async (app, context) => {
    refuseUnknownParameters(app);
    await limitSessions(app, context);
    for (const resource of resources) await app.register(plugin(resource, context));
  };
}

/** A route that names no parameters has none: one that was mistyped is refused there as it is everywhere else. */
function refuseUnknownParameters(app: App): void {
  app.addHook("onRoute", (route) => {
    route.schema = { querystring: NO_PARAMETERS, ...route.schema };
  });
}

const NO_PARAMETERS = z.strictObject({});

async function limitSessions(app: App, context: ApiContext): Promise<void> {
  app.addHook("onRequest", requireSession(context));
  await app.register(rateLimit, {
    max: REQUESTS_PER_MINUTE_MAX,
    timeWindow: "1 minute",
    keyGenerator: (request) => request.principal.userId,
    // Programs are held back by what they send, not by how often: see feed-limits.ts and the intake.
    allowList: (request) => request.principal.role === "api_key",
    errorResponseBuilder: (_request, { ttl }) => tooMany(Math.ceil(ttl / 1_000)),
  });
}

function tooMany(retryAfterSeconds: number): ProblemError {
  return new ProblemError({
    status: 429,
    code: "too_many_requests",
    title: `More than ${REQUESTS_PER_MINUTE_MAX} requests in a minute. Wait ${retryAfterSeconds} s, then go on.`,
    retryAfterSeconds,
  });
}

/** One parser only: a form or a plain text, which another site's page could send without being asked, is no request here. */
function readJsonOnly(app: App): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, async (_request: FastifyRequest, body: Buffer) =>
    body.length === 0 ? undefined : parseStrictJson(body),
  );
}

/** `default-src 'none'` upward. Styles that a library writes at run time carry the response's nonce. */
function policy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "connect-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join("; ");
}

async function protect(app: App, context: ApiContext): Promise<void> {
  const isHttps = context.publicUrl.startsWith("https:");
  await app.register(helmet, {
    global: true,
    contentSecurityPolicy: false,
    crossOriginResourcePolicy: { policy: "same-origin" },
    frameguard: { action: "deny" },
    hsts: isHttps,
    referrerPolicy: { policy: "no-referrer" },
  });
  app.decorateReply("styleNonce", "");
  app.addHook("onRequest", async (request, reply) => {
    reply.styleNonce = drawRandom(NONCE_BYTES).toString("base64");
    reply.header("content-security-policy", policy(reply.styleNonce));
    reply.header("x-request-id", request.id);
    refuseOtherSites(request, context.publicUrl);
  });
}

/** Fetch-Metadata: a browser says where an unsafe request comes from, and only our own pages may send one. */
function refuseOtherSites(request: FastifyRequest, publicUrl: string): void {
  if (SAFE_METHODS.has(request.method)) return;
  const site = request.headers["sec-fetch-site"];
  const origin = request.headers.origin;
  const siteIsOurs = site === undefined || site === "same-origin" || site === "none";
  if (siteIsOurs && (origin === undefined || origin === publicUrl)) return;
  throw new ProblemError({
    status: 403,
    code: "other_site",
    title: "This request comes from another site's page. Open Hookwell under its own address and try there.",
  });
}

function logAnswers(app: App, { log, clock }: ApiContext): void {
  const feed = new LineBudget(FEED_LINES_PER_SECOND_MAX, clock.monotonicMs);
  app.addHook("onResponse", async (request, reply) => {
    const leftOut = request.routeOptions.config.scope === "feed" ? feed.take() : 0;
    if (leftOut === null) return;
    logEvent(log, "http.answered", {
      request_id: request.id,
      // The pattern, never the path itself: ids and addresses stay out of the log.
      route: `${request.method} ${request.routeOptions.url ?? "unknown"}`,
      status: reply.statusCode,
      duration_ms: Math.round(reply.elapsedTime),
      ...(leftOut === 0 ? {} : { count: leftOut }),
    });
  });
}

/** 405 where the path exists for another method, 404 otherwise; both as problem documents. */
function refuseUnknownRoutes(app: App): void {
  const known: { pattern: RegExp; method: string }[] = [];
  app.addHook("onRoute", ({ url, method }) => {
    if (url.includes("*")) return;
    const pattern = new RegExp(`^${url.replaceAll(/:[a-z_]+/gi, "[^/]+")}$`);
    for (const one of [method].flat()) known.push({ pattern, method: one });
  });
  app.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => {
    const path = request.url.split("?", 1)[0] ?? "";
    const allowed = [...new Set(known.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))];
    if (allowed.length > 0) {
      reply.header("allow", allowed.join(", "));
      const title = `${request.method} is not possible here. Use ${allowed.join(" or ")}.`;
      return sendProblem(reply, new ProblemError({ status: 405, code: "method_not_allowed", title }));
    }
    const title = "There is nothing at this address. Check it for a typing mistake.";
    return sendProblem(reply, new ProblemError({ status: 404, code: "not_found", title }));
  });
}

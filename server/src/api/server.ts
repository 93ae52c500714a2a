/**
 * The HTTP server of the API and the page.
 *
 * Owns what holds for every request: security headers, who may call across sites, limits on size, time and number, request
 * ids, and that every refusal is a problem document. Does not know any resource: routes come as plugins, see routes.ts.
 */
import { randomUUID } from "node:crypto";
import type { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";
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
import helmet from "helmet";
import { z } from "zod";
import { runFrom } from "../audit/origin.ts";
import type { TrustProxy } from "../config.ts";
import { invalid, ProblemError } from "../errors.ts";
import { logEvent } from "../log.ts";
import { drawRandom } from "../seal/random.ts";
import type { ApiContext } from "./context.ts";
import { countAnswers } from "./count-answers.ts";
import { parseStrictJson } from "./json.ts";
import { LineBudget } from "./line-budget.ts";
import { describeApi } from "./openapi.ts";
import { problemHandler, sendProblem } from "./problem.ts";
import { requireSession } from "./session.ts";

const BODY_MAX_BYTES = 256 * 1024;
/** How long a client may take; one that drips is cut off, header or body. */
export interface ClientLimits {
  /** From the first byte of a request, or from the connection, to the end of its header. */
  readonly headersMs: number;
  /** From the first byte of a request to its last. */
  readonly requestMs: number;
  /** How often those who took longer are looked for. */
  readonly checkEveryMs: number;
  /** Without a byte in either direction, a reader that has stopped reading included. */
  readonly idleMs: number;
}

const CLIENT_LIMITS: ClientLimits = { headersMs: 15_000, requestMs: 30_000, checkEveryMs: 5_000, idleMs: 60_000 };
/** Of one process; each costs some memory, and what is beyond waits nowhere. */
const CONNECTIONS_MAX = 5_000;
const KEEP_ALIVE_MS = 65_000;
const PARAMETER_MAX_CHARACTERS = 200;
/** Of one person, or of one API key that reads. */
const REQUESTS_PER_MINUTE_MAX = 600;
const REQUESTS_OF_A_CLINIC_PER_MINUTE_MAX = 6_000;
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
  readonly clients?: ClientLimits;
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
  const { clients = CLIENT_LIMITS } = parts;
  const app: App = fastify({
    logger: false,
    bodyLimit: BODY_MAX_BYTES,
    requestTimeout: clients.requestMs,
    connectionTimeout: clients.idleMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: {
      headersTimeout: clients.headersMs,
      requestTimeout: clients.requestMs,
      connectionsCheckingInterval: clients.checkEveryMs,
    },
    trustProxy: believed(context.trustProxy),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    routerOptions: { maxParamLength: PARAMETER_MAX_CHARACTERS },
    forceCloseConnections: "idle",
    frameworkErrors: (error, request, reply) => onError(error, request, reply),
  }).withTypeProvider<ZodTypeProvider>();
  (app.server as HttpServer).maxConnections = CONNECTIONS_MAX;
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(onError);
  countAnswers(app, context.metrics);
  refuseUnknownRoutes(app);
  readJsonOnly(app);
  refuseNulInAddress(app);
  protect(app, context);
  logAnswers(app, context);
  await describeApi(app);
  for (const routes of parts.open) await app.register(plugin(routes, context));
  await app.register(plugin(v1(parts.v1), context), { prefix: "/v1" });
  return app;
}

/** Whose word on the client's address counts: so many proxies in a row, those at certain addresses, or nobody's. */
function believed(
  trustProxy: TrustProxy | undefined,
): boolean | string[] | ((address: string, hop: number) => boolean) {
  if (typeof trustProxy === "number") return (_address, hop) => hop < trustProxy;
  return trustProxy === undefined ? false : [...trustProxy];
}

/** Fastify's plugins lose the types of a server; ours keep them and get the context instead of options. */
function plugin(routes: Routes, context: ApiContext): FastifyPluginAsync {
  return async (scope) => {
    await routes(scope as unknown as App, context);
  };
}

function v1(resources: readonly Routes[]): Routes {
  return async (app, context) => {
    await limitSessions(app, context);
    tellOrigin(app);
    takeNothingUnsaid(app);
    for (const resource of resources) await app.register(plugin(resource, context));
  };
}

const NO_QUERY = z.strictObject({});
const NO_BODY = z.strictObject({}).nullish();

/** A route that describes no query or no body takes none: what it does not know is refused everywhere, never passed over. */
function takeNothingUnsaid(app: App): void {
  app.addHook("onRoute", (route) => {
    const takesBody = ![route.method].flat().every((method) => SAFE_METHODS.has(method));
    const { querystring = NO_QUERY, body = takesBody ? NO_BODY : undefined } = route.schema ?? {};
    route.schema = { ...route.schema, querystring, ...(body === undefined ? {} : { body }) };
  });
}

/** Entries of the audit trail say from where a change came: whatever a handler does, it does as coming from there. */
function tellOrigin(app: App): void {
  app.addHook("preHandler", (request, _reply, done) => {
    runFrom({ address: request.ip, actorName: request.principal.userName }, done);
  });
}

async function limitSessions(app: App, context: ApiContext): Promise<void> {
  app.addHook("onRequest", requireSession(context));
  await app.register(rateLimit, {
    max: REQUESTS_PER_MINUTE_MAX,
    timeWindow: "1 minute",
    keyGenerator: (request) => request.principal.userId,
    allowList: isFeed,
    errorResponseBuilder: (_request, { ttl }) => tooMany(REQUESTS_PER_MINUTE_MAX, ttl),
  });
  // However many people and keys a clinic has, it leaves the others room.
  const ofClinic = app.createRateLimit({
    max: REQUESTS_OF_A_CLINIC_PER_MINUTE_MAX,
    timeWindow: "1 minute",
    keyGenerator: (request) => `clinic:${request.principal.clinicId}`,
  });
  app.addHook("onRequest", async (request) => {
    if (isFeed(request)) return;
    const counted = await ofClinic(request);
    if (!counted.isAllowed && counted.isExceeded) throw tooMany(REQUESTS_OF_A_CLINIC_PER_MINUTE_MAX, counted.ttl);
  });
}

/** Programs that send are held back by what they send, not by how often: see feed-limits.ts and the intake. */
function isFeed({ principal, routeOptions }: FastifyRequest): boolean {
  return principal.role === "api_key" && routeOptions.config.scope === "feed";
}

function tooMany(max: number, ttlMs: number): ProblemError {
  const retryAfterSeconds = Math.max(1, Math.ceil(ttlMs / 1_000));
  return new ProblemError({
    status: 429,
    code: "too_many_requests",
    title: `More than ${max} requests in a minute. Wait ${retryAfterSeconds} s, then go on.`,
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

/** PostgreSQL holds no text with a NUL: nothing is found under such a path, and no parameter means anything with one. */
function refuseNulInAddress(app: App): void {
  app.addHook("preHandler", async ({ is404, params, query }) => {
    if (is404) return;
    if (withNul(params) !== undefined) throw nothingHere();
    const parameter = withNul(query);
    if (parameter === undefined) return;
    throw invalid(parameter, "This text holds a control character. Remove it.", "control_characters");
  });
}

/** The name of the first value that holds a NUL. */
function withNul(values: unknown): string | undefined {
  return Object.entries(values ?? {}).find(([, value]) =>
    [value].flat().some((text) => String(text).includes("\0")),
  )?.[0];
}

function nothingHere(): ProblemError {
  const title = "There is nothing at this address. Check it for a typing mistake.";
  return new ProblemError({ status: 404, code: "not_found", title });
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

function protect(app: App, context: ApiContext): void {
  const headers = securityHeaders(context.publicUrl.startsWith("https:"));
  app.decorateReply("styleNonce", "");
  app.addHook("onRequest", async (request, reply) => {
    reply.styleNonce = drawRandom(NONCE_BYTES).toString("base64");
    reply.headers(headers);
    reply.header("content-security-policy", policy(reply.styleNonce));
    reply.header("x-request-id", request.id);
    refuseOtherSites(request, context.publicUrl);
  });
}

/**
 * What helmet sets, asked once. Its plugin asks for each answer anew and hangs a function on each that holds the whole
 * request: V8 then keeps most requests until it cleans up its old generation.
 */
function securityHeaders(isHttps: boolean): Record<string, string> {
  const ask = helmet({
    contentSecurityPolicy: false,
    crossOriginResourcePolicy: { policy: "same-origin" },
    frameguard: { action: "deny" },
    hsts: isHttps,
    referrerPolicy: { policy: "no-referrer" },
  });
  const headers: Record<string, string> = {};
  const answer = {
    setHeader(name: string, value: string) {
      headers[name] = value;
    },
    removeHeader() {},
  };
  ask({} as IncomingMessage, answer as unknown as ServerResponse, (error) => {
    if (error !== undefined) throw error;
  });
  return headers;
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
    return sendProblem(reply, nothingHere());
  });
}

/**
 * What holds for the routes of the feed alone: larger bodies than anywhere else, so a bound on what they hold in memory
 * together, and a JSON parser that takes more keys.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { ProblemError } from "../errors.ts";
import { parseStrictJson } from "./json.ts";
import type { App } from "./server.ts";

const MIB = 1024 * 1024;
/** Up to 1,000 events, which are up to 1,000 participants each. */
export const EVENTS_BODY_MAX_BYTES = 8 * MIB;
export const SNAPSHOT_BODY_MAX_BYTES = MIB;
/** Of all requests to the feed that are being read or worked on, in this process. */
const BODIES_MAX_BYTES = 64 * MIB;
const JSON_KEYS_MAX = 400_000;
const BUSY_RETRY_AFTER_SECONDS = 1;

/** To be called by a plugin that registers routes of the feed and no others. */
export function limitFeed(app: App): void {
  app.removeContentTypeParser("application/json");
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, async (_request: FastifyRequest, body: Buffer) =>
    body.length === 0 ? undefined : parseStrictJson(body, JSON_KEYS_MAX),
  );
  app.addHook("onRequest", reserve(BODIES_MAX_BYTES));
}

/** Turns requests away before their bodies are read while the others hold too much. */
function reserve(maxBytes: number) {
  let reserved = 0;
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const limit = request.routeOptions.bodyLimit;
    const announced = Number(request.headers["content-length"] ?? limit);
    // A false announcement is refused by Fastify, which compares it with what comes.
    const bytes = Number.isSafeInteger(announced) ? Math.min(announced, limit) : limit;
    if (reserved + bytes > maxBytes) throw busy();
    reserved += bytes;
    reply.raw.once("close", () => {
      reserved -= bytes;
    });
  };
}

function busy(): ProblemError {
  return new ProblemError({
    status: 503,
    code: "busy",
    title: "Too much is being received at once. Send the same request again in a moment.",
    retryAfterSeconds: BUSY_RETRY_AFTER_SECONDS,
  });
}

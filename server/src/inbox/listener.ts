/**
 * The built-in test inbox: a receiver of webhooks on a port of its own, for trying Hookwell without any other system.
 *
 * Promises: it listens on this machine's loopback only; a clinic's path cannot be guessed; whatever comes is bounded in
 * size and time, sealed and answered 200. Has no part in delivering: to the sender it is a receiver like any other.
 */
import type { IncomingMessage } from "node:http";
import { type FastifyInstance, type FastifyReply, fastify } from "fastify";
import { type Log, logEvent } from "../log.ts";
import { clinicOfInbox, INBOX_BODY_MAX_BYTES, type InboxStore, keepMessage } from "./messages.ts";

const INBOX_HOST = "127.0.0.1";
const REQUEST_TIMEOUT_MS = 10_000;
const TOKEN_MAX_CHARACTERS = 100;
const HEADERS_KEPT_MAX = 50;

export interface InboxOptions extends InboxStore {
  readonly log: Log;
  readonly port: number;
}

/** Where a clinic's inbox receives, without its token; the one address on this machine that egress may always dial. */
export function inboxUrlPrefix(port: number): string {
  return `http://localhost:${port}/inbox/`;
}

/** Opens the inbox; close it after everything that might still send to it. */
export async function startInbox(options: InboxOptions): Promise<{ close(): Promise<void> }> {
  const app = fastify({
    logger: false,
    bodyLimit: INBOX_BODY_MAX_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: TOKEN_MAX_CHARACTERS },
    forceCloseConnections: true,
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, async (_request: unknown, body: Buffer) => body);
  refuse(app, options.log);
  app.post<{ Params: { token: string } }>("/inbox/:token", async (request, reply) => {
    const clinicId = await clinicOfInbox(options.db, request.params.token);
    if (clinicId === null) return nothingHere(reply);
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    await keepMessage(options, clinicId, { headers: headersOf(request.raw), body });
    return { received: true, by: "Hookwell test inbox" };
  });
  await app.listen({ host: INBOX_HOST, port: options.port });
  return { close: () => app.close() };
}

function refuse(app: FastifyInstance, log: Log): void {
  app.setNotFoundHandler((_request, reply) => nothingHere(reply));
  app.setErrorHandler((error, _request, reply) => {
    const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
    if (status >= 400 && status < 500) return reply.code(status).send({ error: "This was not understood." });
    logEvent(log, "inbox.failed", { err: error }, "error");
    return reply.code(500).send({ error: "The test inbox could not keep this." });
  });
}

function nothingHere(reply: FastifyReply): FastifyReply {
  return reply.code(404).send({ error: "There is no test inbox at this address." });
}

function headersOf(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(request.headersDistinct).slice(0, HEADERS_KEPT_MAX)) {
    if (values !== undefined) headers[name] = values.join(", ");
  }
  return headers;
}

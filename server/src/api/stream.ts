/**
 * /v1/stream: tells a manager's page, or an embedded one, as server-sent events, that something has changed, so that it shows
 * new deliveries without being loaded again. It says *what kind of thing* changed and never what is in it: the page reads
 * that by the usual routes, with their rules. `Last-Event-ID` resumes on any process: what changed in between is said first.
 */
import type { ServerResponse } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Principal } from "../accounts/principal.ts";
import { inClinic } from "../db/pool.ts";
import { logEvent } from "../log.ts";
import { type ChangeMarks, changedSince, readChangeMarks, TOPICS, writeMarks } from "./change-marks.ts";
import type { ApiContext } from "./context.ts";
import type { App } from "./server.ts";
import { requireManager } from "./session.ts";
import { Watch, type Watcher } from "./watch.ts";

/** Shorter than what proxies wait on a silent connection, and than our own limit on idle ones. */
const HEARTBEAT_MS = 15_000;
/** After a lost connection; spread, so that not everybody comes back at once after a restart. */
const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 4_000;
/** What a client may leave unread. */
const UNREAD_MAX_BYTES = 64 * 1024;
const ID_MAX_CHARACTERS = 100;

const STREAM = {
  description: `\`event: changed\` with \`{"topics": […]}\` out of ${TOPICS.join(", ")}; the first one at once.`,
  content: { "text/event-stream": { schema: z.string() } },
};

export async function streamRoutes(app: App, context: ApiContext): Promise<void> {
  app.addHook("onRequest", requireManager);
  const watch = new Watch({
    read: (clinicId) => inClinic(context.db, clinicId, (tx) => readChangeMarks(tx, clinicId)),
    onFailure: (err, clinicId) => logEvent(context.log, "stream.failed", { clinic_id: clinicId, err }, "warn"),
  });
  // Open streams would keep the server from closing.
  app.addHook("preClose", async () => watch.close());
  const options = {
    schema: { summary: "Listen to what changes, as server-sent events.", response: { 200: STREAM } },
    exposeHeadRoute: false,
  };
  app.get("/stream", options, async (request, reply) => {
    const stream = new Stream(request, context);
    const leave = watch.enter(stream);
    stream.open(reply as unknown as FastifyReply, leave);
  });
}

/** One open page. */
class Stream implements Watcher {
  readonly clinicId: number;
  readonly userId: string;
  readonly #role: Principal["role"];
  readonly #request: FastifyRequest;
  readonly #context: ApiContext;
  #raw: ServerResponse | null = null;
  #seen: string | undefined;
  #isFirst = true;
  #wroteAtMs = 0;

  constructor(request: FastifyRequest, context: ApiContext) {
    this.clinicId = request.principal.clinicId;
    this.userId = request.principal.userId;
    this.#role = request.principal.role;
    this.#request = request;
    this.#context = context;
    const id = request.headers["last-event-id"];
    this.#seen = typeof id === "string" && id.length <= ID_MAX_CHARACTERS ? id : undefined;
  }

  open(reply: FastifyReply, leave: () => void): void {
    const { raw } = reply;
    reply.hijack();
    raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      "content-type": "text/event-stream; charset=utf-8",
      "x-accel-buffering": "no",
    });
    const retryMs = RETRY_MIN_MS + Math.round(Math.random() * (RETRY_MAX_MS - RETRY_MIN_MS));
    raw.write(`retry: ${retryMs}\n\n`);
    raw.on("error", () => raw.destroy());
    raw.once("close", leave);
    // Whoever went away while the session was looked up has closed already.
    if (raw.closed) leave();
    this.#raw = raw;
  }

  async mayStay(): Promise<boolean> {
    const now: Principal | null = await this.#context.accounts.authenticate(this.#request.headers);
    return now?.role === this.#role && now.clinicId === this.clinicId && now.userId === this.userId;
  }

  see(marks: ChangeMarks): boolean {
    const raw = this.#raw;
    if (raw === null || raw.destroyed || raw.writableLength > UNREAD_MAX_BYTES) return false;
    const topics = changedSince(this.#seen, marks);
    const isSilent = topics.length === 0 && !this.#isFirst;
    if (isSilent && this.#context.clock.monotonicMs() - this.#wroteAtMs < HEARTBEAT_MS) return true;
    this.#wroteAtMs = this.#context.clock.monotonicMs();
    this.#isFirst = false;
    this.#seen = writeMarks(marks);
    raw.write(isSilent ? ":\n\n" : `id: ${this.#seen}\nevent: changed\ndata: ${JSON.stringify({ topics })}\n\n`);
    return true;
  }

  end(): void {
    this.#raw?.end();
  }
}

/**
 * `/metrics` on a port of its own, for Prometheus alone: the port of the API never has it.
 *
 * Promises: it listens only where the operator asked for it, on this machine's loopback unless another host was named; it
 * answers GET and HEAD of `/metrics` and nothing else; few connections, short times. It has no credential: who may reach the
 * port is the operator's to say. Nothing it tells is of any clinic (metrics.ts).
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Log, logEvent } from "../log.ts";

const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";
const CONNECTIONS_MAX = 50;
const REQUEST_MS = 5_000;

export interface MetricsListenerOptions {
  readonly host: string;
  /** 0 means any free one; the log says which */
  readonly port: number;
  readonly log: Log;
  text(): Promise<string>;
}

export interface MetricsListener {
  readonly port: number;
  close(): Promise<void>;
}

export async function listenForMetrics({ host, port, log, text }: MetricsListenerOptions): Promise<MetricsListener> {
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, (request, response) => {
    answer(request, response, text).catch((err: unknown) => {
      logEvent(log, "metrics.failed", { err }, "error");
      response.destroy();
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((fulfil, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, fulfil);
  });
  const bound = (server.address() as AddressInfo).port;
  logEvent(log, "metrics.started", { port: bound });
  return {
    port: bound,
    close: () =>
      new Promise((fulfil) => {
        server.close(() => fulfil());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, text: () => Promise<string>): Promise<void> {
  const [path] = (request.url ?? "").split("?", 1);
  if (path !== "/metrics") return end(response, 404, "There is only /metrics here.\n");
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    return end(response, 405, "Only GET is possible here.\n");
  }
  end(response, 200, await text());
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    "content-type": status === 200 ? CONTENT_TYPE : "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  response.end(text);
}

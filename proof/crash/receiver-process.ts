/**
 * The receivers, a process that is never killed: every POST that arrives, whole or not, becomes a line of its log, and what
 * was answered stands in it. The path says who is meant and how he behaves: `/hook/<key>/<manner>`.
 */
import { openSync, writeSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ReceiverLine } from "../history/reading.ts";
import { generator, nowMs } from "./chance.ts";

/** How a receiver answers: after so long, and how often the first attempt at something fails. */
const MANNERS = {
  plain: { latencyMs: 5, failing: 0, asks: 0 },
  slow: { latencyMs: 400, failing: 0, asks: 0 },
  // Each time it asks, the whole webhook is held up: more often, and what comes in would be more than may go out.
  flaky: { latencyMs: 10, failing: 0.05, asks: 0.002 },
} as const;
export type Manner = keyof typeof MANNERS;

const RETRY_AFTER_SECONDS = 6;
const REPORT_EVERY_MS = 50;

const [, , logFile = "receivers.ndjson", seed = "1"] = process.argv;
const file = openSync(logFile, "a");
const random = generator(Number(seed));
let arrived: { key: string; atMs: number }[] = [];

function write(line: ReceiverLine): void {
  writeSync(file, `${JSON.stringify(line)}\n`);
}

function onRequest(request: IncomingMessage, response: ServerResponse): void {
  const [, , key = "", manner = "plain"] = (request.url ?? "").split("/");
  const headers = request.headers as Record<string, string>;
  const address = `http://${headers.host}${request.url}`;
  const chunks: Buffer[] = [];
  let isWritten = false;
  const note = (seen: Pick<ReceiverLine, "body" | "atMs" | "status" | "retryAfterSeconds">) => {
    if (!isWritten) write({ webhook: key, address, headers, ...seen });
    isWritten = true;
  };
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.once("close", () => {
    if (!request.complete) note({ body: null, atMs: nowMs(), status: null });
  });
  request.once("end", () => {
    const atMs = nowMs();
    arrived.push({ key, atMs });
    const { latencyMs, status, retryAfterSeconds } = answerTo(headers, manner);
    // Its place in the log is its place in time; that it could not be answered any more is the sender's loss.
    note({ body: Buffer.concat(chunks).toString("utf8"), atMs, status, retryAfterSeconds });
    setTimeout(() => {
      response.writeHead(status, retryAfterSeconds === null ? {} : { "retry-after": String(retryAfterSeconds) }).end();
    }, latencyMs);
  });
}

function answerTo(headers: Record<string, string>, manner: string) {
  const { latencyMs, failing, asks } = MANNERS[manner as Manner] ?? MANNERS.plain;
  const first = headers["webhook-attempt"] === "1";
  const chance = random();
  const status = first && chance < failing ? 500 : first && chance < failing + asks ? 503 : 200;
  return { latencyMs: latencyMs * random(), status, retryAfterSeconds: status === 503 ? RETRY_AFTER_SECONDS : null };
}

const server = createServer(onRequest);
server.listen(0, "127.0.0.1", () => process.send?.({ ready: true, port: (server.address() as AddressInfo).port }));
setInterval(() => {
  if (arrived.length > 0) process.send?.({ arrived });
  arrived = [];
}, REPORT_EVERY_MS);
process.once("disconnect", () => process.exit(0));

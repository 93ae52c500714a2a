/** A receiver that does something at a named moment of a request, once; before and after that it answers like any other. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { nowMs } from "../crash/chance.ts";
import type { ReceiverLine } from "../history/reading.ts";

export const MOMENTS = [
  "the connection is made",
  "the headers are there",
  "the request is whole",
  "the answer's headers are sent",
  "half of the answer is sent",
  "the answer is sent",
] as const;
/** Where the body has begun the receiver reads no more of it until it is told to. */
export type RequestMoment = (typeof MOMENTS)[number] | "the body begins";

export interface TrappedReceiver {
  url: string;
  lines: ReceiverLine[];
  set(trap: { moment: RequestMoment; spring: () => void }): void;
  /** answers come only when this is fulfilled */
  holding: Promise<unknown>;
  /** requests that ended before they were whole */
  cutShort: number;
  /** goes on with the body that has begun */
  readOn(): void;
  /** 200 by default */
  statusOf: (line: ReceiverLine) => number;
  close(): Promise<void>;
}

/** Its lines name the webhook that the path of the request names. */
export async function createTrappedReceiver(): Promise<TrappedReceiver> {
  let trap: { moment: RequestMoment; spring: () => void } | null = null;
  const at = (moment: RequestMoment) => {
    if (trap?.moment !== moment) return false;
    const { spring } = trap;
    trap = null;
    spring();
    return true;
  };
  const server = createServer((request, response) => answer(receiver, { request, response, at }));
  server.on("connection", () => at("the connection is made"));
  await new Promise<void>((fulfil) => server.listen(0, "127.0.0.1", fulfil));
  const receiver: TrappedReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    lines: [],
    set: (one) => {
      trap = one;
    },
    holding: Promise.resolve(),
    cutShort: 0,
    readOn: () => {},
    statusOf: () => 200,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((fulfil) => server.close(() => fulfil()));
    },
  };
  return receiver;
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  /** whether the trap sprung */
  at: (moment: RequestMoment) => boolean;
}

function answer(receiver: TrappedReceiver, { request, response, at }: Exchange): void {
  const headers = request.headers as Record<string, string>;
  const address = `http://${headers.host}${request.url}`;
  const line: ReceiverLine = { webhook: "", headers, body: null, address, atMs: nowMs(), status: null };
  receiver.lines.push(line);
  at("the headers are there");
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    if (!at("the body begins")) return;
    request.pause();
    receiver.readOn = () => request.resume();
  });
  request.once("close", () => {
    if (!request.complete) receiver.cutShort += 1;
  });
  request.once("end", () => {
    const status = receiver.statusOf(line);
    Object.assign(line, { body: Buffer.concat(chunks).toString("utf8"), atMs: nowMs(), status });
    at("the request is whole");
    void receiver.holding.then(() => {
      response.writeHead(status, { "content-length": "4" });
      response.flushHeaders();
      at("the answer's headers are sent");
      response.write("ok");
      at("half of the answer is sent");
      response.end("ok", () => at("the answer is sent"));
    });
  });
}

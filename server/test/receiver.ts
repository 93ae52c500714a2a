/** A receiver on loopback that a test steers: what it answers, when, and what it has received so far. */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Receiver {
  url: string;
  received: Received[];
  /** Decides each answer; 200 by default. It may keep the response open for as long as the test likes. */
  answer: (received: Received, response: ServerResponse) => void;
  /** How many requests are being held open at this moment, and the most there ever were. */
  open: number;
  openMost: number;
  close(): Promise<void>;
  /** Stops listening, as a receiver that is down: connections are refused until listen(). */
  down(): Promise<void>;
  up(): Promise<void>;
}

/** A receiver that answers 200 until told otherwise. */
export async function createReceiver(): Promise<Receiver> {
  let server = makeServer();
  let port = 0;
  const receiver: Receiver = {
    url: "",
    received: [],
    answer: (_received, response) => response.writeHead(200).end("ok"),
    open: 0,
    openMost: 0,
    close: () => stop(server),
    down: () => stop(server),
    async up() {
      server = makeServer();
      await listen(server, port);
    },
  };
  function makeServer(): Server {
    return createServer((request, response) => {
      receiver.open++;
      receiver.openMost = Math.max(receiver.openMost, receiver.open);
      response.once("close", () => receiver.open--);
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const got = { path: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks).toString("utf8") };
        receiver.received.push(got);
        receiver.answer(got, response);
      });
    });
  }
  port = await listen(server, 0);
  receiver.url = `http://127.0.0.1:${port}/hook`;
  return receiver;
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((fulfil, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", fulfil);
  });
  return (server.address() as AddressInfo).port;
}

async function stop(server: Server): Promise<void> {
  if (!server.listening) return;
  server.closeAllConnections();
  await new Promise<void>((fulfil) => server.close(() => fulfil()));
}

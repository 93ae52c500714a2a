/** A receiver below HTTP, for answers that no HTTP server would give: it counts connections and hands the socket over. */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";

export interface RawReceiver {
  port: number;
  /** `http://127.0.0.1:<port>/hook`, or https with a certificate. */
  url: URL;
  /** Connections ever accepted; with TLS, before the handshake. */
  connections: number;
  /** Those not closed yet. */
  open: Set<Socket>;
  /** Every request as it came over the wire, head and body. */
  requests: string[];
  /** Called with each complete request; by default a plain 200. */
  answer: (socket: Socket, request: string) => void;
  /** Called with each connection's first bytes, whatever they are. */
  answerAtOnce: (socket: Socket) => void;
  close(): Promise<void>;
}

export const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

export async function createRawReceiver(tls?: TlsOptions): Promise<RawReceiver> {
  const server = tls ? createTlsServer(tls) : createServer();
  const receiver: RawReceiver = {
    port: 0,
    url: new URL("http://127.0.0.1/"),
    connections: 0,
    open: new Set(),
    requests: [],
    answer: (socket) => socket.write(OK),
    answerAtOnce: () => {},
    close: () => stop(server, receiver.open),
  };
  server.on("connection", (socket: Socket) => {
    receiver.connections++;
    receiver.open.add(socket);
    socket.on("close", () => receiver.open.delete(socket));
    // What clients do to a socket is what these tests are about.
    socket.on("error", () => {});
  });
  server.on("tlsClientError", () => {});
  server.on(tls ? "secureConnection" : "connection", (socket: Socket) => {
    socket.on("error", () => {});
    readRequests(socket, receiver);
  });
  await new Promise<void>((fulfil) => server.listen(0, "127.0.0.1", fulfil));
  receiver.port = (server.address() as AddressInfo).port;
  receiver.url = new URL(`${tls ? "https" : "http"}://127.0.0.1:${receiver.port}/hook`);
  return receiver;
}

function readRequests(socket: Socket, receiver: RawReceiver): void {
  let received = "";
  socket.once("data", () => receiver.answerAtOnce(socket));
  socket.on("data", (chunk) => {
    received += chunk.toString("latin1");
    const headEnds = received.indexOf("\r\n\r\n");
    const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0);
    if (headEnds < 0 || received.length < headEnds + 4 + length) return;
    const request = received.slice(0, headEnds + 4 + length);
    received = received.slice(request.length);
    receiver.requests.push(request);
    receiver.answer(socket, request);
  });
}

async function stop(server: Server, open: Set<Socket>): Promise<void> {
  for (const socket of open) socket.destroy();
  await new Promise<void>((fulfil) => server.close(() => fulfil()));
}

/** Receivers that have gone wrong, each in its own way, in a process of its own. */
import { fork } from "node:child_process";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { freePort } from "../server/src/db/embedded/free-port.ts";

const DRIP_EVERY_MS = 1_000;
const DRIPPED = `HTTP/1.1 200 OK\r\nx-patience: ${"a".repeat(1_000)}`;

/** Addresses that refuse the connection, take the request and never answer, answer a byte a second, and answer 500. */
export interface DeadReceivers {
  urls: { refusing: string; hanging: string; dripping: string; failing: string };
  close(): void;
}

/** Starts them and waits until they listen. */
export async function startDeadReceivers(): Promise<DeadReceivers> {
  const child = fork(import.meta.filename, ["listen"]);
  const ports = await new Promise<Record<keyof DeadReceivers["urls"], number>>((fulfil, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the dead receivers ended with ${code}`)));
    child.once("message", (message) => fulfil(message as Record<keyof DeadReceivers["urls"], number>));
  });
  const url = (port: number) => `http://127.0.0.1:${port}/hook`;
  return {
    urls: {
      refusing: url(ports.refusing),
      hanging: url(ports.hanging),
      dripping: url(ports.dripping),
      failing: url(ports.failing),
    },
    close: () => child.kill(),
  };
}

const ANSWER_500 = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n";

function drip(socket: Socket): void {
  let sent = 0;
  const timer = setInterval(() => socket.write(DRIPPED.charAt(sent++) || "a"), DRIP_EVERY_MS);
  socket.once("close", () => clearInterval(timer));
}

async function portOf(onRequest: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    // Whatever comes first is taken for a whole request; what comes afterwards, for the next one.
    socket.on("data", () => onRequest(socket));
  });
  await new Promise<void>((fulfil) => server.listen({ port: 0, host: "127.0.0.1", backlog: 1_024 }, fulfil));
  return (server.address() as AddressInfo).port;
}

async function listen(): Promise<void> {
  process.once("disconnect", () => process.exit());
  const dripping = new WeakSet<Socket>();
  process.send?.({
    refusing: await freePort(),
    hanging: await portOf(() => {}),
    dripping: await portOf((socket) => {
      if (!dripping.has(socket)) drip(socket);
      dripping.add(socket);
    }),
    failing: await portOf((socket) => socket.write(ANSWER_500)),
  });
}

if (process.argv[2] === "listen") await listen();

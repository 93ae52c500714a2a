/** The benchmarks' receiver, a process of its own: answers 200 at once and notes when each request had arrived. */
import { fork } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** CLOCK_MONOTONIC, in ms: the same for all processes of a machine. */
export const machineMs = () => Number(process.hrtime.bigint()) / 1e6;

export interface BenchReceiver {
  url: string;
  /** When each request had arrived, by the value of its header `webhook-subject`. */
  arrivals: Map<string, number>;
  close(): void;
}

/** Starts the receiver and waits until it listens. */
export async function startReceiver(): Promise<BenchReceiver> {
  const child = fork(import.meta.filename, ["listen"]);
  const arrivals = new Map<string, number>();
  const port = await new Promise<number>((fulfil, reject) => {
    child.once("error", reject);
    child.on("message", (message: { port?: number; arrived?: [string, number][] }) => {
      if (message.port !== undefined) fulfil(message.port);
      for (const [subject, at] of message.arrived ?? []) arrivals.set(subject, at);
    });
  });
  return { url: `http://127.0.0.1:${port}/hook`, arrivals, close: () => child.kill() };
}

function listen(): void {
  let arrived: [string, number][] = [];
  const server = createServer((request, response) => {
    request.resume().once("end", () => {
      arrived.push([String(request.headers["webhook-subject"]), machineMs()]);
      response.writeHead(200).end("ok");
    });
  });
  server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
  setInterval(() => {
    if (arrived.length > 0) process.send?.({ arrived });
    arrived = [];
  }, 50);
  process.once("disconnect", () => process.exit());
}

if (process.argv[2] === "listen") listen();

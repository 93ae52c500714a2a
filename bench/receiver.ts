/**
 * The benchmarks' receiver, a process of its own: it takes signed POSTs, answers 200 at once and counts them, and on demand
 * notes when each had arrived. All contestants send to it.
 *
 * It speaks just enough HTTP/1.1 (keep-alive, content-length, many requests in one chunk) to cost less than anybody who
 * sends to it: what is measured shall be the sender. What it does not understand ends the benchmark.
 */
import { fork } from "node:child_process";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** CLOCK_MONOTONIC, in ms: the same for all processes of a machine. */
export const machineMs = () => Number(process.hrtime.bigint()) / 1e6;

const HEAD_BYTES_MAX = 16 * 1_024;
const REPORT_EVERY_MS = 50;

export interface BenchReceiver {
  url: string;
  pid: number;
  /** When each request had arrived (machineMs), by the value of its header `webhook-subject`; the first time it came. */
  arrivals: Map<string, number>;
  /** How many requests were answered since the last reset. */
  count(): Promise<number>;
  /** Begins to count anew. `record` says whether moments of arrival are noted, too; they are from the start. */
  reset(options: { record: boolean }): Promise<void>;
  close(): void;
}

interface FromReceiver {
  port?: number;
  arrived?: [string, number][];
  count?: number;
  failed?: string;
}

type ToReceiver = { ask: "count" } | { ask: "reset"; record: boolean };

/** Starts the receiver and waits until it listens. */
export async function startReceiver(): Promise<BenchReceiver> {
  const child = fork(import.meta.filename, ["listen"]);
  const arrivals = new Map<string, number>();
  const listening = Promise.withResolvers<number>();
  const waiting: ((count: number) => void)[] = [];
  child.once("error", listening.reject);
  child.on("message", (message: FromReceiver) => {
    if (message.failed !== undefined) throw new Error(`the receiver was sent something else: ${message.failed}`);
    if (message.port !== undefined) listening.resolve(message.port);
    for (const [subject, at] of message.arrived ?? []) if (!arrivals.has(subject)) arrivals.set(subject, at);
    if (message.count !== undefined) waiting.shift()?.(message.count);
  });
  const ask = (question: ToReceiver) =>
    new Promise<number>((fulfil) => {
      waiting.push(fulfil);
      child.send(question);
    });
  const port = await listening.promise;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    pid: child.pid ?? 0,
    arrivals,
    count: () => ask({ ask: "count" }),
    async reset({ record }) {
      await ask({ ask: "reset", record });
      arrivals.clear();
    },
    close: () => child.kill(),
  };
}

const ANSWER = Buffer.from("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok");
const HEAD_END = Buffer.from("\r\n\r\n");

/** What the listening process keeps. */
interface Counts {
  count: number;
  record: boolean;
  arrived: [string, number][];
}

function listen(): void {
  const counts: Counts = { count: 0, record: true, arrived: [] };
  const report = () => {
    if (counts.arrived.length > 0) process.send?.({ arrived: counts.arrived } satisfies FromReceiver);
    counts.arrived = [];
  };
  process.on("message", (question: ToReceiver) => {
    report();
    if (question.ask === "reset") Object.assign(counts, { count: 0, record: question.record });
    process.send?.({ count: counts.count } satisfies FromReceiver);
  });
  const server = createServer({ noDelay: true }, (socket) => answer(socket, counts));
  server.listen({ port: 0, host: "127.0.0.1", backlog: 1_024 }, () =>
    process.send?.({ port: (server.address() as AddressInfo).port } satisfies FromReceiver),
  );
  setInterval(report, REPORT_EVERY_MS);
  process.once("disconnect", () => process.exit());
}

function answer(socket: Socket, counts: Counts): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    const buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    let answered = 0;
    for (let end = endOfRequest(buffer, at); end !== undefined; end = endOfRequest(buffer, at)) {
      if (counts.record) note(buffer.toString("latin1", at, end), counts);
      at = end;
      answered += 1;
    }
    rest = buffer.subarray(at);
    counts.count += answered;
    if (answered > 0) socket.write(answered === 1 ? ANSWER : Buffer.concat(Array<Buffer>(answered).fill(ANSWER)));
  });
}

/** Where the request that begins at `from` ends; undefined as long as it is not all there. */
function endOfRequest(buffer: Buffer, from: number): number | undefined {
  const headEnd = buffer.indexOf(HEAD_END, from);
  if (headEnd === -1) {
    if (buffer.length - from > HEAD_BYTES_MAX) fail("a head without an end");
    return undefined;
  }
  const length = /\r\ncontent-length: *(\d+)/i.exec(buffer.toString("latin1", from, headEnd));
  if (length === null) return fail("a request without a content-length");
  const end = headEnd + HEAD_END.length + Number(length[1]);
  return end <= buffer.length ? end : undefined;
}

function note(request: string, counts: Counts): void {
  const subject = /\r\nwebhook-subject: *([^\r]+)/i.exec(request)?.[1];
  if (subject !== undefined) counts.arrived.push([subject, machineMs()]);
}

function fail(why: string): undefined {
  process.send?.({ failed: why } satisfies FromReceiver);
  return undefined;
}

if (process.argv[2] === "listen") listen();

/** The receivers that nobody wishes for: what each does to a request, and what has to come of it. Used by zoo.test.ts. */
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { OK } from "./raw-receiver.ts";

export interface Animal {
  /** What it does; reads on after "a receiver that". */
  readonly does: string;
  /** Called with each complete request. */
  readonly answer?: (socket: Socket, request: string) => void;
  /** Called with the first bytes of a connection, before the request is whole. */
  readonly answerAtOnce?: (socket: Socket) => void;
  readonly outcome: string;
  readonly status?: number;
  /** Whether the receiver counts as having accepted it. */
  readonly delivers?: boolean;
  /** Nothing may come over this connection afterwards. */
  readonly poisons?: boolean;
}

const head = (status: number | string, ...lines: string[]) =>
  `${[`HTTP/1.1 ${status} Said`, ...lines].join("\r\n")}\r\n\r\n`;

const DRIP_EVERY_MS = 15;
/** A message so quick comes through in time, one so slow never does. */
const BYTE_EVERY_MS = { inTime: 3, tooSlowly: 400 };
export const BOMB = { unpackedBytes: 2 * 1_024 ** 3, pieces: 256 };
const PIECE = `4000\r\n${"x".repeat(0x4000)}\r\n`;

/** Writes a piece again and again until the other side has had enough. */
function drip(socket: Socket, piece: string): void {
  const timer = setInterval(() => socket.write(piece), DRIP_EVERY_MS);
  socket.on("close", () => clearInterval(timer));
}

/** Writes a good answer whose status line comes byte by byte. */
function spell(socket: Socket, everyMs: number): void {
  const line = OK.slice(0, OK.indexOf("\r\n"));
  const pieces = [...line, OK.slice(line.length)];
  const timer = setInterval(() => {
    const piece = pieces.shift();
    if (piece === undefined) clearInterval(timer);
    else socket.write(piece);
  }, everyMs);
  socket.on("close", () => clearInterval(timer));
}

/** Writes as fast as the other side takes it, without an end. */
function flood(socket: Socket, piece: string): void {
  const pour = () => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on("drain", pour);
  pour();
}

/** Megabytes that become gigabytes: as a file in the format of gzip may be, it is the same small one again and again. */
export function explode(socket: Socket): void {
  const one = gzipSync(Buffer.alloc(BOMB.unpackedBytes / BOMB.pieces));
  const packed = Buffer.concat(Array.from({ length: BOMB.pieces }, () => one));
  socket.write(head(200, "Content-Encoding: gzip", `Content-Length: ${packed.length}`));
  socket.write(packed);
}

const SLOW: readonly Animal[] = [
  {
    does: "never answers",
    answer: () => {},
    ...{ outcome: "timed_out", poisons: true },
  },
  {
    does: "drips the headers of its answer",
    answer(socket) {
      socket.write("HTTP/1.1 200 OK\r\n");
      drip(socket, "X-Drip: y\r\n");
    },
    ...{ outcome: "timed_out", poisons: true },
  },
  {
    does: "drips the status line itself",
    answer: (socket) => drip(socket, "H"),
    ...{ outcome: "malformed_answer", poisons: true },
  },
  {
    does: "drips a good status line, and comes to its end in time",
    answer: (socket) => spell(socket, BYTE_EVERY_MS.inTime),
    ...{ outcome: "answered", status: 200, delivers: true },
  },
  {
    does: "drips a good status line so slowly that its end does not come in time",
    answer: (socket) => spell(socket, BYTE_EVERY_MS.tooSlowly),
    ...{ outcome: "timed_out", poisons: true },
  },
  {
    does: "says 200 and drips the body",
    answer(socket) {
      socket.write(head(200, "Content-Length: 100000"));
      drip(socket, "x");
    },
    ...{ outcome: "answered", status: 200, delivers: true, poisons: true },
  },
  {
    does: "says 500 and drips the body",
    answer(socket) {
      socket.write(head(500, "Transfer-Encoding: chunked"));
      drip(socket, "1\r\nx\r\n");
    },
    ...{ outcome: "answered", status: 500, poisons: true },
  },
  {
    does: "floods interim answers and never comes to the real one",
    answer: (socket) => flood(socket, head(103, "Link: </a>")),
    ...{ outcome: "malformed_answer", poisons: true },
  },
  {
    does: "comes to the real answer after 500 interim ones",
    answer: (socket) => socket.write(head(103, "Link: </a>").repeat(500) + OK),
    ...{ outcome: "answered", status: 200, delivers: true },
  },
  {
    does: "reads half of what it said it would send from nowhere: its length is too long",
    answer: (socket) => socket.write(`${head(200, "Content-Length: 100")}half`),
    ...{ outcome: "answered", status: 200, delivers: true, poisons: true },
  },
];

const BROKEN_OFF: readonly Animal[] = [
  {
    does: "resets the connection once it has the request",
    answer: (socket) => socket.resetAndDestroy(),
    ...{ outcome: "reset", poisons: true },
  },
  {
    does: "resets the connection in the middle of its headers",
    answer: (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Le", () => socket.resetAndDestroy()),
    ...{ outcome: "reset", poisons: true },
  },
  {
    does: "says 200 and resets the connection before its body",
    answer: (socket) => socket.write(head(200, "Content-Length: 100"), () => socket.resetAndDestroy()),
    ...{ outcome: "answered", status: 200, delivers: true, poisons: true },
  },
  {
    does: "closes its side without a word",
    answer: (socket) => socket.end(),
    ...{ outcome: "reset", poisons: true },
  },
  {
    does: "closes in the middle of its body",
    answer: (socket) => socket.end(`${head(200, "Content-Length: 100")}only this`),
    ...{ outcome: "answered", status: 200, delivers: true, poisons: true },
  },
  {
    does: "resets in the middle of its body, after saying 503",
    answer: (socket) => socket.write(`${head(503, "Content-Length: 100")}only`, () => socket.resetAndDestroy()),
    ...{ outcome: "answered", status: 503, poisons: true },
  },
  {
    does: "closes in the middle of a chunk",
    answer: (socket) => socket.end(`${head(200, "Transfer-Encoding: chunked")}ff\r\nnot so many`),
    ...{ outcome: "answered", status: 200, delivers: true, poisons: true },
  },
];

const TOO_MUCH: readonly Animal[] = [
  {
    does: "sends a body without an end",
    answer(socket) {
      socket.write(head(200, "Transfer-Encoding: chunked"));
      flood(socket, PIECE);
    },
    ...{ outcome: "answered", status: 200, delivers: true, poisons: true },
  },
  {
    does: "sends an error without an end",
    answer(socket) {
      socket.write(head(500));
      flood(socket, "error ".repeat(1_000));
    },
    ...{ outcome: "answered", status: 500, poisons: true },
  },
  {
    does: "sends headers of 1 MB",
    answer: (socket) =>
      socket.write(head(200, ...Array.from({ length: 1_000 }, (_, n) => `X-${n}: ${"z".repeat(1_000)}`))),
    ...{ outcome: "malformed_answer", poisons: true },
  },
  {
    does: "sends one header without an end",
    answer(socket) {
      socket.write("HTTP/1.1 200 OK\r\nX-Long: ");
      flood(socket, "z".repeat(4_096));
    },
    ...{ outcome: "malformed_answer", poisons: true },
  },
  {
    does: "sends more than the length that it said",
    answer: (socket) => socket.write(`${head(200, "Content-Length: 2")}ok and a lot more`),
    ...{ outcome: "answered", status: 200, delivers: true, poisons: true },
  },
  {
    does: "says 204 and sends a body",
    answer: (socket) => socket.write(`${head(204, "Content-Length: 5")}hello`),
    ...{ outcome: "answered", status: 204, delivers: true, poisons: true },
  },
  {
    does: "answers one request twice, and the second answer is another",
    answer: (socket) => socket.write(OK + head(500, "Content-Length: 0")),
    ...{ outcome: "answered", status: 200, delivers: true, poisons: true },
  },
  {
    does: "accepts before it has read the request",
    answerAtOnce: (socket) => socket.write(OK),
    answer: () => {},
    ...{ outcome: "answered", status: 200, delivers: true },
  },
  {
    does: "refuses before it has read the request, and hangs up",
    answerAtOnce: (socket) => socket.end(head(413, "Content-Length: 0", "Connection: close")),
    answer: () => {},
    ...{ outcome: "answered", status: 413, poisons: true },
  },
];

const GARBLED: readonly Animal[] = [
  ...(
    [
      ["a status of 0", "HTTP/1.1 0 Zero\r\nContent-Length: 0\r\n\r\n"],
      ["a status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"],
      ["a negative status", "HTTP/1.1 -200 OK\r\nContent-Length: 0\r\n\r\n"],
      ["a status line that is garbage", "\u0000\u0001\u0002 200 OK\r\n\r\n"],
      ["HTTP/0.9: a page and no headers", "<html>thanks</html>\r\n"],
      ["what another protocol says", "220 mail.example.test ESMTP\r\n"],
      ["HTTP/2 unasked", "\u0000\u0000\u0012\u0004\u0000\u0000\u0000\u0000\u0000"],
      ["two lengths that differ", head(200, "Content-Length: 2", "Content-Length: 3")],
      ["a length and chunks", head(200, "Content-Length: 5", "Transfer-Encoding: chunked")],
    ] as const
  ).map(
    ([what, text]): Animal => ({
      does: `answers with ${what}`,
      answer: (socket) => socket.write(text),
      ...{ outcome: "malformed_answer", poisons: true },
    }),
  ),
  {
    does: "sends chunks that are garbage",
    answer: (socket) => socket.write(`${head(200, "Transfer-Encoding: chunked")}zz\r\nnonsense\r\n`),
    ...{ outcome: "answered", status: 200, delivers: true, poisons: true },
  },
  {
    does: "answers with a status of 999",
    answer: (socket) => socket.write(head(999, "Content-Length: 0")),
    ...{ outcome: "answered", status: 999 },
  },
  {
    does: "answers with a status of 600 and no text",
    answer: (socket) => socket.write("HTTP/1.1 600\r\nContent-Length: 0\r\n\r\n"),
    ...{ outcome: "answered", status: 600 },
  },
  {
    does: "answers in HTTP/1.0",
    answer: (socket) => socket.end("HTTP/1.0 200 OK\r\n\r\nok"),
    ...{ outcome: "answered", status: 200, delivers: true, poisons: true },
  },
  {
    does: "wants to speak another protocol",
    answer: (socket) => socket.write(head(101, "Upgrade: websocket", "Connection: Upgrade")),
    ...{ outcome: "reset", poisons: true },
  },
  {
    does: "answers before it is asked",
    answerAtOnce: (socket) => socket.write(head(200, "Content-Length: 0") + head(200, "Content-Length: 0")),
    answer: () => {},
    ...{ outcome: "answered", status: 200, delivers: true, poisons: true },
  },
];

const REFUSING: readonly Animal[] = [301, 302, 303, 307, 308, 400, 401, 404, 413, 429, 500, 502, 503, 504].map(
  (status): Animal => ({
    does: `answers ${status}${status < 400 ? " and names another address" : ""}`,
    answer: (socket) => socket.write(head(status, "Location: http://127.0.0.1:9/elsewhere", "Content-Length: 0")),
    ...{ outcome: "answered", status },
  }),
);

export const ZOO: readonly Animal[] = [...SLOW, ...BROKEN_OFF, ...TOO_MUCH, ...GARBLED, ...REFUSING];

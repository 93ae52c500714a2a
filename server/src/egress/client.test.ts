/** What receivers answer, honest or not, and what is kept of it. Connections that are never made: dial.test.ts. */

import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { closeEgressAfterEach, openEgress, post, SHORT_DEADLINE_MS } from "../../test/egress.ts";
import { createRawReceiver, OK, type RawReceiver } from "../../test/raw-receiver.ts";
import { until } from "../../test/until.ts";
import { ANSWER_BYTES_MAX } from "./exchange.ts";
import { succeeded } from "./outcome.ts";

let receiver: RawReceiver;
closeEgressAfterEach();
beforeEach(async () => {
  receiver = await createRawReceiver();
});
afterEach(() => receiver.close());

const head = (...lines: string[]) => `${["HTTP/1.1 200 OK", ...lines].join("\r\n")}\r\n\r\n`;

/** Writes a piece again and again until the other side has had enough. */
function drip(socket: Socket, piece: string | Buffer, everyMs: number): void {
  const timer = setInterval(() => socket.write(piece), everyMs);
  socket.on("close", () => clearInterval(timer));
}

describe("a request", () => {
  test("goes out exactly as it was given: POST, path and query, headers, body, and nothing that was not asked for", async () => {
    const url = new URL("/a/b?c=d%20e", receiver.url);
    const headers = ["content-type", "application/json", "webhook-id", "msg_1"];
    await openEgress().post({ url, headers, body: '{"name":"Zoë"}' });
    expect(receiver.requests).toHaveLength(1);
    const [sent, body] = Buffer.from(receiver.requests[0] ?? "", "latin1")
      .toString("utf8")
      .split("\r\n\r\n");
    expect(sent?.split("\r\n").sort()).toEqual(
      [
        "POST /a/b?c=d%20e HTTP/1.1",
        `host: 127.0.0.1:${receiver.port}`,
        "connection: keep-alive",
        "content-type: application/json",
        "webhook-id: msg_1",
        "content-length: 15",
      ].sort(),
    );
    expect(body).toBe('{"name":"Zoë"}');
  });

  test("does not ask a proxy that the environment names", async () => {
    const proxy = await createRawReceiver();
    const before = { ...process.env };
    for (const name of ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"]) {
      process.env[name] = proxy.url.origin;
    }
    try {
      expect(await post(openEgress(), receiver.url)).toMatchObject({ kind: "answered" });
      expect([proxy.connections, receiver.connections]).toEqual([0, 1]);
    } finally {
      process.env = before;
      await proxy.close();
    }
  });

  test("uses a connection that stands already", async () => {
    const egress = openEgress();
    for (let n = 0; n < 20; n++) expect(await post(egress, receiver.url)).toMatchObject({ kind: "answered" });
    expect(receiver.requests).toHaveLength(20);
    expect(receiver.connections).toBeLessThan(10); // not one each; undici may open a second before the first is free
  });

  test("goes over a new connection when the receiver has closed the idle one", async () => {
    const egress = openEgress();
    expect(await post(egress, receiver.url)).toMatchObject({ kind: "answered" });
    for (const socket of receiver.open) socket.end();
    await until("both sides have closed it", () => receiver.open.size === 0);
    expect(await post(egress, receiver.url)).toMatchObject({ kind: "answered" });
    expect([receiver.connections, receiver.requests.length]).toEqual([2, 2]);
  });

  test("whose kept connection breaks under it is a reset, and is not sent a second time unasked", async () => {
    const egress = openEgress();
    await post(egress, receiver.url);
    receiver.answer = (socket) => socket.destroy();
    expect(await post(egress, receiver.url)).toMatchObject({ kind: "reset", bodySent: true });
    expect(receiver.requests).toHaveLength(2);
  });
});

describe("an answer", () => {
  test.each([200, 201, 204, 299])("of %i is a success", async (status) => {
    receiver.answer = (socket) =>
      socket.write(`HTTP/1.1 ${status} Fine\r\n${status === 204 ? "" : "Content-Length: 0\r\n"}\r\n`);
    const outcome = await post(openEgress(), receiver.url);
    expect(outcome).toMatchObject({ kind: "answered", bodySent: true, answer: { status, text: "", truncated: false } });
    expect(succeeded(outcome)).toBe(true);
  });

  test.each([304, 400, 401, 404, 410, 429, 500, 503])("of %i is an answer and no success", async (status) => {
    receiver.answer = (socket) => socket.write(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\nRetry-After: 7\r\n\r\n`);
    const outcome = await post(openEgress(), receiver.url);
    expect(outcome).toMatchObject({ kind: "answered", answer: { status, headers: { "retry-after": "7" } } });
    expect(succeeded(outcome)).toBe(false);
  });

  test.each([301, 302, 303, 307, 308])("of %i is never followed and no success", async (status) => {
    const elsewhere = await createRawReceiver();
    receiver.answer = (socket) =>
      socket.write(`HTTP/1.1 ${status} Moved\r\nLocation: ${elsewhere.url}\r\nContent-Length: 0\r\n\r\n`);
    const outcome = await post(openEgress(), receiver.url);
    expect(outcome).toMatchObject({ kind: "answered", answer: { status, headers: { location: elsewhere.url.href } } });
    expect(succeeded(outcome)).toBe(false);
    expect([receiver.requests.length, elsewhere.connections]).toEqual([1, 0]);
    await elsewhere.close();
  });

  test("that comes after interim ones is the one that counts", async () => {
    receiver.answer = (socket) => socket.write(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`);
    expect(await post(openEgress(), receiver.url)).toMatchObject({
      kind: "answered",
      answer: { status: 200, text: "ok" },
    });
  });

  test("without an end is cut at 16 KiB, its connection closed, and it is a success all the same", async () => {
    receiver.answer = (socket) => {
      socket.write(head("Transfer-Encoding: chunked"));
      drip(socket, `1000\r\n${"x".repeat(0x1000)}\r\n`, 1);
    };
    const outcome = await post(openEgress(), receiver.url);
    expect(outcome).toMatchObject({ kind: "answered", answer: { status: 200, truncated: true } });
    expect(outcome.kind === "answered" && Buffer.byteLength(outcome.answer.text)).toBe(ANSWER_BYTES_MAX);
    expect(succeeded(outcome)).toBe(true);
    await until("the connection is closed", () => receiver.open.size === 0);
  });

  test("of exactly 16 KiB is kept whole", async () => {
    receiver.answer = (socket) =>
      socket.write(head(`Content-Length: ${ANSWER_BYTES_MAX}`) + "x".repeat(ANSWER_BYTES_MAX));
    const outcome = await post(openEgress(), receiver.url);
    expect(outcome).toMatchObject({ answer: { truncated: false, text: "x".repeat(ANSWER_BYTES_MAX) } });
  });

  test("that is compressed is not unpacked", async () => {
    const packed = gzipSync("a".repeat(100_000));
    receiver.answer = (socket) => {
      socket.write(head("Content-Encoding: gzip", `Content-Length: ${packed.length}`));
      socket.write(packed);
    };
    const outcome = await post(openEgress(), receiver.url);
    expect(outcome).toMatchObject({
      answer: { headers: { "content-encoding": "gzip" }, text: packed.toString("utf8") },
    });
  });

  test("whose body breaks off keeps its status", async () => {
    receiver.answer = (socket) => socket.end(`${head("Content-Length: 100")}only this`);
    expect(await post(openEgress(), receiver.url)).toMatchObject({
      kind: "answered",
      answer: { status: 200, text: "only this", truncated: true },
    });
  });

  test("whose connection is reset after its head keeps its status", async () => {
    receiver.answer = (socket) => socket.write(`${head("Content-Length: 100")}only`, () => socket.resetAndDestroy());
    const outcome = await post(openEgress(), receiver.url);
    expect(outcome).toMatchObject({ kind: "answered", answer: { status: 200, truncated: true } });
  });

  test("with more than it announced is read to where it said, and the next request is not harmed", async () => {
    const egress = openEgress();
    receiver.answer = (socket) => socket.write(`${head("Content-Length: 2")}ok and more`);
    for (let n = 0; n < 2; n++) {
      expect(await post(egress, receiver.url)).toMatchObject({ kind: "answered", answer: { status: 200, text: "ok" } });
    }
  });

  test("with many headers is kept with the first 50 at most, cookies left out, long values cut", async () => {
    const many = Array.from({ length: 200 }, (_, n) => `X-${n}: v`);
    receiver.answer = (socket) =>
      socket.write(head("Set-Cookie: a=b", `X-Long: ${"y".repeat(5_000)}`, ...many, "Content-Length: 0"));
    const outcome = await post(openEgress(), receiver.url);
    const headers = outcome.kind === "answered" ? outcome.answer.headers : {};
    expect(Object.keys(headers).length).toBeLessThanOrEqual(50);
    expect(Object.keys(headers).length).toBeGreaterThan(40);
    expect(headers).not.toHaveProperty("set-cookie");
    expect(headers["x-long"]).toBe("y".repeat(1_000));
  });
});

describe("no answer that can be understood", () => {
  test.each([
    ["text that is no HTTP", "SSH-2.0-OpenSSH_9.2\r\n"],
    ["a status that is no number", "HTTP/1.1 abc OK\r\n\r\n"],
    ["two lengths that differ", head("Content-Length: 2", "Content-Length: 3")],
    ["a length that is no number", head("Content-Length: two")],
    ["a length and chunks", head("Content-Length: 5", "Transfer-Encoding: chunked")],
    ["a header with a bare line feed inside", "HTTP/1.1 200 OK\r\nA: b\nC\u0000D: e\r\n\r\n"],
    ["more than 16 KiB of headers", head(...Array.from({ length: 20 }, (_, n) => `X-${n}: ${"z".repeat(1_000)}`))],
  ])("is malformed: %s", async (_what, text) => {
    receiver.answer = (socket) => socket.write(text);
    expect(await post(openEgress(), receiver.url)).toMatchObject({ kind: "malformed_answer", bodySent: true });
    await until("the connection is closed", () => receiver.open.size === 0);
  });

  test("is a reset where the receiver breaks the connection off before it has answered", async () => {
    receiver.answer = (socket) => socket.resetAndDestroy();
    expect(await post(openEgress(), receiver.url)).toMatchObject({ kind: "reset", bodySent: true });
    receiver.answer = (socket) => socket.end();
    expect(await post(openEgress(), receiver.url)).toMatchObject({ kind: "reset", bodySent: true });
    receiver.answer = (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Le");
    expect(await post(openEgress(), receiver.url)).toMatchObject({ kind: "reset", bodySent: true });
  });
});

describe("the one deadline", () => {
  const short = () => openEgress({ deadlineMs: SHORT_DEADLINE_MS });

  test("ends a request that is never answered, and closes its connection", async () => {
    receiver.answer = () => {};
    expect(await post(short(), receiver.url)).toMatchObject({ kind: "timed_out", bodySent: true });
    await until("the connection is closed", () => receiver.open.size === 0);
  });

  test("ends headers that drip", async () => {
    receiver.answer = (socket) => {
      socket.write("HTTP/1.1 200 OK\r\n");
      drip(socket, "X-Drip: y\r\n", 20);
    };
    expect(await post(short(), receiver.url)).toMatchObject({ kind: "timed_out", bodySent: true });
    await until("the connection is closed", () => receiver.open.size === 0);
  });

  test("ends a body that drips; the status has been given and counts", async () => {
    receiver.answer = (socket) => {
      socket.write(head("Content-Length: 100000"));
      drip(socket, "x", 20);
    };
    const outcome = await post(short(), receiver.url);
    expect(outcome).toMatchObject({ kind: "answered", answer: { status: 200, truncated: true } });
    expect(succeeded(outcome)).toBe(true);
    await until("the connection is closed", () => receiver.open.size === 0);
  });
});

describe("a common host", () => {
  test("gets a limited number of connections at once; what is beyond waits its turn", async () => {
    const waiting: Socket[] = [];
    receiver.answer = (socket) => waiting.push(socket);
    const egress = openEgress();
    const outcomes = Promise.all(Array.from({ length: 80 }, () => post(egress, receiver.url)));
    await until("all connections are taken", () => receiver.requests.length === CONNECTIONS_PER_ORIGIN_MAX);
    expect([receiver.connections, receiver.open.size]).toEqual([CONNECTIONS_PER_ORIGIN_MAX, CONNECTIONS_PER_ORIGIN_MAX]);
    receiver.answer = (socket) => socket.write(OK);
    for (const socket of waiting) socket.write(OK);
    expect((await outcomes).map((o) => o.kind)).toEqual(Array(80).fill("answered"));
    expect(receiver.open.size).toBeLessThanOrEqual(CONNECTIONS_PER_ORIGIN_MAX);
  });
});

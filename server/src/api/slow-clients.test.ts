/** Slow clients, on real sockets: whoever drips a request is cut off, and everybody else is answered meanwhile. */
import type { AddressInfo } from "node:net";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi } from "../../test/api.ts";
import { until } from "../../test/until.ts";
import { OPEN_ROUTES, V1_ROUTES } from "./routes.ts";
import { type App, createServer } from "./server.ts";

const LIMITS = { headersMs: 300, requestMs: 600, checkEveryMs: 50, idleMs: 60_000 };
const DRIP_EVERY_MS = 25;
const ATTACKERS = 20;

let api: TestApi;
let app: App;
let port: number;

beforeAll(async () => {
  api = await startTestApi();
  app = await createServer(api.context, { v1: V1_ROUTES, open: OPEN_ROUTES, clients: LIMITS });
  await app.listen({ host: "127.0.0.1", port: 0 });
  port = (app.server.address() as AddressInfo).port;
});
afterAll(async () => {
  await app.close();
  await api.close();
});

interface Attack {
  readonly socket: Socket;
  received(): string;
  isCut(): boolean;
}

/** Sends the beginning, then one byte after the other, for as long as it is let. */
function drip(beginning: string, bytes: string): Attack {
  let received = "";
  let cut = false;
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    received += chunk;
  });
  const timer = setInterval(() => socket.write(bytes), DRIP_EVERY_MS);
  socket.on("close", () => {
    clearInterval(timer);
    cut = true;
  });
  if (beginning !== "") socket.write(beginning);
  return { socket, received: () => received, isCut: () => cut };
}

const SIGN_IN = "POST /api/auth/sign-in/email HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";

describe("a client that", () => {
  it.each([
    ["never ends its header", "GET /v1/me HTTP/1.1\r\nHost: x\r\n", "X-A: b\r\n"],
    ["sends a header byte by byte", "GET /v1/me HTTP/1.1\r\nHost: x\r\nX-Long: ", "a"],
    ["never ends its body", `${SIGN_IN}Content-Length: 100000\r\n\r\n`, " "],
    ["never ends its chunks", `${SIGN_IN}Transfer-Encoding: chunked\r\n\r\n`, "1\r\n \r\n"],
  ])("%s is cut off, and others are answered meanwhile", async (_what, beginning, bytes) => {
    const attacks = Array.from({ length: ATTACKERS }, () => drip(beginning, bytes));
    const answer = await fetch(`http://127.0.0.1:${port}/openapi.json`);
    expect(answer.status).toBe(200);
    await until("all of them are cut off", () => attacks.every((attack) => attack.isCut()));
    for (const attack of attacks) expect(attack.received()).toMatch(/^(HTTP\/1\.1 4\d\d |$)/);
  });

  it("connects and says nothing is cut off, too", async () => {
    let isClosed = false;
    connect(port, "127.0.0.1")
      .on("close", () => {
        isClosed = true;
      })
      .resume();
    await until("it is cut off", () => isClosed);
  });
});

describe("the limits of the server that runs", () => {
  it("are set on the server itself, since a limit that nobody reads is none", () => {
    const { server } = api.app;
    const { headersTimeout, requestTimeout, timeout, maxConnections } = server;
    expect({ headersTimeout, requestTimeout, timeout, maxConnections }).toEqual({
      ...{ headersTimeout: 15_000, requestTimeout: 30_000, timeout: 60_000, maxConnections: 5_000 },
    });
  });
});

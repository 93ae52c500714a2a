/**
 * A firewall forgets the connections to the database: nothing comes back on them, and nothing says so. New ones work. The
 * node notices by its own clock, leaves them, and goes on.
 */
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestEngine, type TestEngine } from "../../test/engine.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { systemClock } from "../clock.ts";
import { createKysely, createPools, type Pools } from "../db/pool.ts";
import { silentLog } from "../log.ts";
import { Neighbours } from "./notify.ts";
import { DeliveryStore } from "./store.ts";

const NOTICED_AFTER_MS = 90_000;

let engine: TestEngine;
let receiver: Receiver;
let proxy: Server;
let pools: Pools;
let forget = () => {};

beforeAll(async () => {
  [engine, receiver] = await Promise.all([createTestEngine(), createReceiver()]);
  const url = new URL(engine.database.url);
  proxy = createForgetfulProxy(Number(url.port));
  await new Promise<void>((fulfil) => proxy.listen(0, "127.0.0.1", fulfil));
  url.port = String((proxy.address() as AddressInfo).port);
  pools = createPools({ url: url.href, log: silentLog() });
});
afterAll(async () => {
  await engine.close();
  await receiver.close();
  proxy.close();
});

/** Passes everything on until forget() is called; from then on the connections of that moment are silent. */
function createForgetfulProxy(port: number): Server {
  const passing = new Set<{ on: boolean }>();
  forget = () => {
    for (const one of passing) one.on = false;
    passing.clear();
  };
  return createServer((near) => {
    const state = { on: true };
    passing.add(state);
    const far = connect(port, "127.0.0.1");
    near.on("data", (chunk) => state.on && far.write(chunk));
    far.on("data", (chunk) => state.on && near.write(chunk));
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
}

test("words between processes are heard again after their connection went silent", async () => {
  let woken = 0;
  const listens = new Neighbours({
    connect: () => pools.createClient("neighbours"),
    clock: systemClock,
    log: silentLog(),
    onWord: () => woken++,
  });
  const tells = new Neighbours({
    connect: () => engine.database.pools.createClient("neighbours"),
    clock: systemClock,
    log: silentLog(),
  });
  listens.start();
  tells.start();
  await until("it listens", () => woken === 1);
  forget();
  await until("its question is not answered, and it has connected again", () => woken > 1, NOTICED_AFTER_MS);
  const before = woken;
  tells.tell();
  await until("a word is heard", () => woken > before);
  await Promise.all([listens.stop(), tells.stop()]);
});

test("deliveries go on after the connections to the database went silent", async () => {
  const clinicId = await engine.createClinic();
  await engine.createWebhook(clinicId, { url: receiver.url });
  await engine.startDispatcher({ store: new DeliveryStore(pools.engine), db: createKysely(pools.dispatch) });
  await engine.emit(clinicId, "consult:1");
  await until("the first arrives", () => receiver.received.length === 1);
  forget();
  await engine.emit(clinicId, "consult:2");
  await until("the second arrives", () => receiver.received.length === 2, NOTICED_AFTER_MS);
  expect(receiver.received[1]?.headers["webhook-subject"]).toBe("consult:2");
});

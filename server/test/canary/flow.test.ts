/**
 * The whole way of an address that leads inside, through the real API and the real engine: created, changed, checked, tested,
 * delivered to, tried again, recovered. A listener on all addresses of this machine hears none of it.
 */
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { sampleFacts } from "@hookwell/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Clock, systemClock } from "../../src/clock.ts";
import { createKysely, inClinic } from "../../src/db/pool.ts";
import { Dispatcher } from "../../src/delivery/dispatcher.ts";
import { Recoverer } from "../../src/delivery/recover.ts";
import { DeliveryStore } from "../../src/delivery/store.ts";
import { createEgress, type Egress } from "../../src/egress/client.ts";
import { emit } from "../../src/outbox/emit.ts";
import { type Caller, startTestApi, type TestApi, type TestClinic } from "../api.ts";
import { STRICT } from "../egress.ts";
import { createNameServer, type NameServer } from "../name-server.ts";
import { until } from "../until.ts";
import { watchedLog } from "./watch.ts";

let listener: Server;
let port: number;
let connections = 0;
let names: NameServer;
let api: TestApi;
let clinic: TestClinic;
let manager: Caller;
let egress: Egress;
let dispatcher: Dispatcher;
let recoverer: Recoverer;
let waits = 0;
/** Counts for how often something is waited for. */
const clock: Clock = {
  ...systemClock,
  after(ms, then) {
    waits++;
    return systemClock.after(ms, then);
  },
};
/** Addresses of this machine, none of which is meant for the world. */
const INSIDE = [
  ...["127.0.0.1", "127.9.9.9", "::1"],
  ...Object.values(networkInterfaces())
    .flatMap((several) => several ?? [])
    .filter(({ internal, scopeid }) => !internal && !scopeid)
    .map(({ address }) => address),
];
const SENTENCE = "For safety we don’t send to internal addresses. Ask your administrator.";

beforeAll(async () => {
  listener = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>((fulfil) => listener.listen(0, "::", fulfil));
  port = (listener.address() as AddressInfo).port;
  names = await createNameServer({ "mixed.example.test": ["8.8.8.8", "127.0.0.1"] });
  for (const [n, address] of INSIDE.entries()) names.names[`in-${n}.example.test`] = [address];
  const nameServers = [names.address];
  api = await startTestApi({ clock, nameServers });
  clinic = await api.newClinic();
  manager = clinic.as.manager;
  egress = createEgress({ rules: STRICT, monotonicMs: systemClock.monotonicMs, nameServers });
  const { dispatch } = api.database.pools;
  const store = new DeliveryStore(dispatch);
  const { seal } = api.context;
  const shared = { store, seal, egress, db: createKysely(dispatch), log: watchedLog() };
  dispatcher = new Dispatcher({ ...shared, clock: systemClock, name: "test" });
  recoverer = new Recoverer({ pool: dispatch, log: watchedLog(), nudge: () => dispatcher.nudge() });
  await dispatcher.start();
});
afterAll(async () => {
  await dispatcher.stop();
  await egress.close();
  await api.close();
  await names.close();
  await new Promise((fulfil) => listener.close(fulfil));
});

const post = (path: string, body: object = {}) => manager(path, { method: "POST", body });
const patch = (id: number, body: object) => manager(`/v1/webhooks/${id}`, { method: "PATCH", body });
const at = (host: string) => `https://${host.includes(":") ? `[${host}]` : host}:${port}/hook`;

async function emitNow(): Promise<string> {
  const { seal } = api.context;
  const facts = sampleFacts("participant.added");
  const emitted = await inClinic(api.db, clinic.id, (tx) =>
    emit({ seal, clock: systemClock }, tx, { clinicId: clinic.id, subject: `consult:${Math.random()}`, facts }),
  );
  dispatcher.nudge();
  return emitted.id;
}

async function outcomesOf(eventId: string): Promise<string[]> {
  const { rows } = await api.database.pools.owner.query(
    "select outcome from attempts where event_id = $1 order by attempt",
    [eventId],
  );
  return rows.map(({ outcome }) => outcome);
}

async function bringDue(): Promise<void> {
  const { owner } = api.database.pools;
  await owner.query("update deliveries set due_at = now() where due_at > now() and due_at < 'infinity'");
  await owner.query("update runs set next_at = now() where next_at > now() and next_at < 'infinity'");
  dispatcher.nudge();
}

describe("an address that leads inside", () => {
  test("as a literal cannot be saved, changed to or tried, and is said to be internal", async () => {
    const { id } = (await post("/v1/webhooks", { url: at("hooks.example.test"), events: [] })).json;
    for (const address of INSIDE) {
      const url = at(address);
      for (const answer of [
        await post("/v1/webhooks", { url, events: ["participant.added"] }),
        await patch(id, { url }),
        await post(`/v1/webhooks/${id}/test`, { event: "participant.added", changes: { url } }),
      ]) {
        expect([answer.status, answer.json.errors[0].code]).toEqual([400, "blocked_address"]);
      }
    }
    expect(connections).toBe(0);
  });

  test("is answered alike by the check, as a literal and behind a name, in words and in time", async () => {
    const answers = new Set<string>();
    const hosts = [...INSIDE, ...Object.keys(names.names), "169.254.169.254", "10.255.255.1", "[fd00:ec2::254]"];
    for (const host of hosts) {
      waits = 0;
      const url = host.startsWith("[") ? `https://${host}/` : at(host);
      answers.add((await post("/v1/webhooks/check-url", { url })).text);
      expect(waits, host).toBe(1); // for the moment at which all refusals are told
    }
    expect([...answers].map((text) => JSON.parse(text))).toEqual([
      { ok: false, code: "blocked_address", message: SENTENCE },
    ]);
    expect(connections).toBe(0);
  });

  test("behind a name is answered alike by a test, and sent nothing", async () => {
    const answers = new Set<string>();
    const { id } = (await post("/v1/webhooks", { url: at("hooks.example.test"), events: [], draft: true })).json;
    for (const name of ["in-0.example.test", "mixed.example.test"]) {
      const tried = await post(`/v1/webhooks/${id}/test`, { event: "participant.added", changes: { url: at(name) } });
      answers.add(JSON.stringify(tried.json.result));
    }
    expect([...answers].map((text) => JSON.parse(text))).toMatchObject([
      { kind: "refused_address", status: null, duration_ms: 0, answer_text: null, sentence: SENTENCE },
    ]);
    expect(connections).toBe(0);
  });

  test("is not connected to by a delivery, its retry, a change of address and a recovery", async () => {
    const { id } = (await post("/v1/webhooks", { url: at("in-0.example.test"), events: ["participant.added"] })).json;
    const first = await emitNow();
    await until("it was refused", async () => (await outcomesOf(first)).length === 1);
    await bringDue();
    await until("it was refused again", async () => (await outcomesOf(first)).length === 2);
    expect((await patch(id, { url: at("mixed.example.test") })).status).toBe(200);
    await bringDue();
    await until("and at its new address", async () => (await outcomesOf(first)).length === 3);
    await patch(id, { enabled: false });
    const missed = await emitNow();
    await patch(id, { enabled: true });
    expect((await post(`/v1/webhooks/${id}/recover`, { from: "2020-01-01T00:00", states: ["off"] })).status).toBe(202);
    await recoverer.runOnce();
    dispatcher.nudge();
    await until("and when recovered", async () => (await outcomesOf(missed)).length === 1);
    const outcomes = [...(await outcomesOf(first)), ...(await outcomesOf(missed))];
    expect(new Set(outcomes)).toEqual(new Set(["refused_address"]));
    expect(connections).toBe(0);
  });

  test("that was saved under other rules is refused when it is sent to", async () => {
    const { owner } = api.database.pools;
    const { id } = (await post("/v1/webhooks", { url: at("hooks.example.test"), events: ["participant.added"] })).json;
    const seal = await inClinic(api.db, clinic.id, (tx) => api.context.seal.forClinic(tx, clinic.id));
    const sealed = seal.seal({ column: "webhooks.url", row: id }, `http://127.0.0.1:${port}/hook`);
    await owner.query("update webhooks set url = $1, version = version + 1 where id = $2", [sealed, id]);
    const event = await emitNow();
    const refused = "select outcome, body_sent from attempts where event_id = $1 and webhook_id = $2";
    await until("it was refused", async () => (await owner.query(refused, [event, id])).rows.length > 0);
    expect((await owner.query(refused, [event, id])).rows).toEqual([{ outcome: "refused_address", body_sent: false }]);
    expect(connections).toBe(0);
  });

  test("would be heard of: the witness is awake on every one of these addresses", async () => {
    for (const host of INSIDE) await new Promise((fulfil) => connect({ host, port }).on("close", fulfil));
    expect(connections).toBe(INSIDE.length);
  });
});

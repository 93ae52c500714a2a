/**
 * Interleavings of two statements that once lost a delivery or sent it twice at the same time. Each test holds one statement at
 * its lock until the other has committed, and tells the story of the bug it keeps away.
 */
import type pg from "pg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTestEngine, type TestEngine, type TestWebhook } from "../../test/engine.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { createLog } from "../log.ts";
import type { Begun, SettledAttempt } from "./engine-store.ts";
import { Run } from "./run.ts";
import { DeliveryStore } from "./store.ts";

const LEASE_MS = 30_000;
let engine: TestEngine;
let receiver: Receiver;
let clinicId: number;
let webhook: TestWebhook;

beforeEach(async () => {
  [engine, receiver] = await Promise.all([createTestEngine(), createReceiver()]);
  clinicId = await engine.createClinic();
  webhook = await engine.createWebhook(clinicId, { url: receiver.url });
});
afterEach(async () => {
  await engine.close();
  await receiver.close();
});

const somebodyWaits = () =>
  until("a statement waits for a lock", async () => {
    const { rows } = await engine.owner.query(
      "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
    );
    return rows.length > 0;
  });
const left = async () => (await engine.owner.query("select id from deliveries")).rows.length;

/** A store whose statements run on one connection, within a transaction that the test ends. */
function storeOn(client: pg.PoolClient): DeliveryStore {
  return new DeliveryStore({ query: (config: pg.QueryConfig) => client.query(config) } as unknown as pg.Pool);
}

function resultOf(begun: Begun, next: SettledAttempt["next"]): SettledAttempt {
  const status = next.do === "finish" ? 200 : 500;
  const said = { outcome: "answered", status, choice: begun.choice, bodySent: true, answer: null };
  return { begun, version: 1, startedMsAgo: 10, durationMs: 5, ...said, next };
}

const delivered: SettledAttempt["next"] = { do: "finish", state: "delivered", reason: null };

/** Everything that a node began ends well; then it puts the webhook to sleep, if it believes that it has seen all. */
async function endWell(node: number, run: Run, begun: readonly Begun[]): Promise<void> {
  const settled = await engine.store.settle(begun.map((one) => resultOf(one, delivered)));
  for (const one of begun) run.settled(one.orderKey, null, settled.find(({ id }) => id === one.id)?.hasNext ?? true);
  const nextInMs = run.hasSeenAll() ? run.nextDueInMs(0) : 0;
  await engine.store.release(node, [{ clinicId, webhookId: webhook.id, fence: run.fence, version: 1, nextInMs }]);
}

test.each([
  { how: "delivered", next: delivered },
  { how: "to be tried again", next: { do: "retry" as const, inMs: 1_000 } },
])("a lost node's late result ($how) beside the next node's scan leaves nothing asleep", async ({ next }) => {
  for (let n = 1; n <= 6; n++) await engine.emit(clinicId, `consult:${n}`);
  await engine.emit(clinicId, "consult:6", "consult.updated");
  const lost = await engine.store.register("lost", LEASE_MS);
  const late = (await engine.store.take(lost, { webhooks: 64, perWebhook: 8, suspect: false })).begun.find(
    (begun) => begun.orderKey === "consult:6",
  );
  await engine.loseNode(lost);
  const node = await engine.store.register("next", LEASE_MS);
  const taken = await engine.store.take(node, { webhooks: 64, perWebhook: 4, suspect: false });
  const [scan] = taken.runs;
  if (!scan || !late) throw new Error("nothing was taken");
  const run = new Run(scan, taken.begun.length, 0);
  for (const begun of taken.begun) run.begun(begun);

  // The late settling has the run's row; the scan's snapshot is older than its commit.
  const client = await engine.database.pools.engine.connect();
  await client.query("begin");
  await storeOn(client).settle([resultOf(late, next)]);
  const asked = run.nextRefill(run.concurrency - run.inFlightCount, 0);
  if (!asked) throw new Error("nothing was asked for");
  const refilling = engine.store.refill(node, [asked.request]);
  await somebodyWaits();
  await client.query("commit");
  client.release();
  const refilled = await refilling;

  run.refilled(refilled.runs[0] ?? scan, asked.scans);
  for (const begun of refilled.begun) run.begun(begun);
  await endWell(node, run, [...taken.begun, ...refilled.begun]);
  expect(await engine.store.sweep()).toBe(0);
  await engine.store.retire(node);
  await engine.startDispatcher();
  await until("nothing is left", async () => (await left()) === 0);
});

// TAKE has looked and has locked nothing yet. What is emitted meanwhile it does not see, and another node takes away the bell
// of that together with the webhook. When the webhook is given back as it was, nothing tells TAKE that somebody had it.
test("a TAKE that stalls while another node has the webhook and gives it back leaves nothing asleep", async () => {
  await engine.owner.query(
    `alter table nodes enable row level security;
     create policy stalls on nodes using (
       current_setting('test.stalls', true) is distinct from 'yes' or pg_advisory_xact_lock_shared(1) is not null)`,
  );
  const [stalling, quick] = [
    await engine.store.register("stalling", LEASE_MS),
    await engine.store.register("quick", LEASE_MS),
  ];
  const asked = { webhooks: 64, perWebhook: 8, suspect: false };
  await engine.emit(clinicId, "consult:1");
  const [client, brake] = [await engine.database.pools.engine.connect(), await engine.owner.connect()];
  await brake.query("begin");
  await brake.query("select pg_advisory_xact_lock(1)");
  await client.query("begin");
  await client.query("set local test.stalls = 'yes'");
  const stalled = storeOn(client).take(stalling, asked);
  await somebodyWaits();

  await engine.emit(clinicId, "consult:2");
  const { runs, begun } = await engine.store.take(quick, asked);
  expect(begun).toHaveLength(2);
  await engine.store.unbegin(begun);
  await engine.store.release(
    quick,
    runs.map(({ fence }) => ({ clinicId, webhookId: webhook.id, fence, version: 1, nextInMs: 0 })),
  );
  await brake.query("commit");
  brake.release();
  const scan = await stalled;
  await client.query("commit");
  client.release();

  for (const found of scan.runs) {
    const run = new Run(found, scan.begun.length, 0);
    for (const one of scan.begun) run.begun(one);
    await endWell(stalling, run, scan.begun);
  }
  expect(await engine.store.sweep()).toBe(0);
  await engine.startDispatcher();
  await until("nothing is left", async () => (await left()) === 0);
});

test("reaping the dead takes nothing from a node that has just taken the webhook over", async () => {
  const other = await engine.createWebhook(clinicId, { url: receiver.url });
  const late = await engine.store.register("late", LEASE_MS);
  await engine.emit(clinicId, "consult:1");
  const taken = await engine.store.take(late, { webhooks: 64, perWebhook: 1, suspect: false });
  const run = taken.runs.find(({ webhookId }) => webhookId === other.id);
  if (!run) throw new Error("the webhook was not taken");
  await engine.owner.query("update nodes set alive_until = now() - interval '1 minute' where id = $1", [late]);

  // Reaping waits at the first webhook's row while the second goes from the late node to one that lives.
  const client = await engine.owner.connect();
  await client.query("begin");
  await client.query("select from runs where webhook_id = $1 for update", [webhook.id]);
  const reaping = engine.store.reap();
  await somebodyWaits();
  await engine.store.release(late, [{ clinicId, webhookId: other.id, fence: run.fence, version: 1, nextInMs: 0 }]);
  const alive = await engine.store.register("alive", LEASE_MS);
  await engine.store.take(alive, { webhooks: 64, perWebhook: 1, suspect: false });
  await client.query("commit");
  client.release();
  await reaping;

  const { rows } = await engine.owner.query("select owner from runs where webhook_id = $1", [other.id]);
  expect(rows).toEqual([{ owner: alive }]);
});

describe("a success that was asked for", () => {
  let fresh: TestWebhook;
  let node: number;
  /** The manager's transaction that changes the address. */
  let manager: pg.PoolClient;
  const change = (on: pg.Pool | pg.PoolClient) =>
    on.query("update webhooks set version = version + 1, updated_at = now() where id = $1", [fresh.id]);
  const isProved = async () => {
    const { rows } = await engine.owner.query("select answered_at from runs where webhook_id = $1", [fresh.id]);
    return rows[0]?.answered_at !== null;
  };

  /** Begins the webhook's only delivery; it is sent under the version that the claim has seen. */
  async function claim(): Promise<SettledAttempt> {
    const { begun, runs } = await engine.store.take(node, { webhooks: 64, perWebhook: 1, suspect: true });
    const [one] = begun;
    if (!one || !runs[0]) throw new Error("nothing was begun");
    return { ...resultOf(one, delivered), version: runs[0].version };
  }

  beforeEach(async () => {
    fresh = await engine.createWebhook(clinicId, { url: receiver.url, proved: false });
    node = await engine.store.register("one", LEASE_MS);
    await engine.emit(clinicId, "consult:1");
    manager = await engine.owner.connect();
  });
  afterEach(() => manager.release());

  test("under the changed address proves it", async () => {
    await change(engine.owner);
    await engine.store.settle([await claim()]);
    expect(await isProved()).toBe(true);
  });

  test("before the change does not prove what came with it", async () => {
    const asked = await claim();
    await change(engine.owner);
    await engine.store.settle([asked]);
    expect(await isProved()).toBe(false);
  });

  // The change has the time at which its transaction began, and that is before the claim: times told that it came first.
  test("while the change's transaction was open does not prove it", async () => {
    await manager.query("begin");
    await manager.query("select now()");
    const asked = await claim();
    await change(manager);
    await manager.query("commit");
    await engine.store.settle([asked]);
    expect(await isProved()).toBe(false);
  });

  // The statement's snapshot is older than the change; what it waits for is the run's lock.
  test("before a change that commits only while the answer is settled does not prove it", async () => {
    const asked = await claim();
    await manager.query("begin");
    await change(manager);
    const settling = engine.store.settle([asked], {
      owner: node,
      health: [{ ...runOf(asked), failures: 1, failingMs: 5, probes: 0, parked: false }],
    });
    await somebodyWaits();
    await manager.query("commit");
    expect(await settling).toHaveLength(1);
    expect(await isProved()).toBe(false);
    const { rows } = await engine.owner.query("select failures from runs where webhook_id = $1", [fresh.id]);
    expect(rows).toEqual([{ failures: 0 }]);
  });

  const runOf = ({ begun, version }: SettledAttempt) => ({
    ...{ clinicId, webhookId: fresh.id, fence: begun.fence, version },
  });
});

// The time of a statement is fixed when it arrives; what commits before its snapshot is taken is due later than that. Whoever
// went by that time saw the delivery, took its bell away, and left it for a second.
test("a delivery that commits between the time of a statement and its snapshot is begun by it", async () => {
  const node = await engine.store.register("one", LEASE_MS);
  const client = await engine.database.pools.engine.connect();
  const late = async <Answer>(subject: string, statement: (store: DeliveryStore) => Promise<Answer>) => {
    await client.query("begin");
    await client.query("select now()");
    await engine.emit(clinicId, subject);
    const answer = await statement(storeOn(client));
    await client.query("commit");
    return answer;
  };
  const taken = await late("consult:1", (store) => store.take(node, { webhooks: 64, perWebhook: 8, suspect: false }));
  const [run] = taken.runs;
  if (!run) throw new Error("nothing was taken");
  const asked = { clinicId, webhookId: webhook.id, fence: run.fence, cursor: 0, want: 8, look: 16 };
  const refilled = await late("consult:2", (store) =>
    store.refill(node, [{ ...asked, passedOver: ["consult:1"], freed: [] }]),
  );
  client.release();
  expect([taken, refilled].map(({ begun }) => begun.map(({ orderKey }) => orderKey))).toEqual([
    ["consult:1"],
    ["consult:2"],
  ]);
});

test("a webhook that sleeps although something waits for it is found by the sweep", async () => {
  await engine.emit(clinicId, "consult:1");
  await engine.owner.query("delete from bells");
  expect(await engine.store.sweep()).toBe(1);
  expect(await engine.store.sweep()).toBe(0);
  await engine.startDispatcher();
  await until("it is delivered", async () => (await left()) === 0);
});

test("a webhook with thousands of consults that wait for their retry costs its neighbours nothing", async () => {
  const failing = await engine.createWebhook(clinicId, { url: receiver.url, events: [] });
  await engine.owner.query(
    `insert into deliveries (clinic_id, webhook_id, event_id, participants_per_request, order_key, choice_practitioner,
       choice_patient, attempt, sequence, due_at)
     select $1, $2, gen_random_uuid(), 200, 'consult:' || k, 'off', 'off', case when n = 1 then 3 else 0 end,
       case when n = 1 then k end, case when n = 1 then now() + interval '30 minutes' else now() end
     from generate_series(1, 40) n, generate_series(1, 2000) k`,
    [clinicId, failing.id],
  );
  await engine.owner.query("insert into bells (clinic_id, webhook_id) values ($1, $2)", [clinicId, failing.id]);
  const lines: string[] = [];
  const log = createLog({ destination: { write: (line: string) => void lines.push(line) } });
  await engine.startDispatcher({ log });
  await engine.emit(clinicId, "consult:1000000");
  await until("the neighbour's arrives", () => receiver.received.length === 1);
  await until("the failing one was looked at to its end", async () => {
    const { rows } = await engine.owner.query(
      "select from runs where webhook_id = $1 and owner is null and fence > 0",
      [failing.id],
    );
    return rows.length === 1;
  });
  expect(lines.filter((line) => line.includes("turn_failed"))).toEqual([]);
});

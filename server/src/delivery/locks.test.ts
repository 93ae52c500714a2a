/**
 * Locks are taken in one order by all who wait for them (store.ts). Where they were not, two statements that met, each with
 * what the other wanted, ended in an error of one of them: most of all after an outage, when a node's late results come
 * while the next node takes its webhooks.
 */
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createTestEngine, type TestEngine, type TestWebhook } from "../../test/engine.ts";
import { until } from "../../test/until.ts";
import { createKysely } from "../db/pool.ts";
import { resumeSending } from "../operator/pauses.ts";
import type { Begun, SettledAttempt } from "./engine-store.ts";

const LEASE_MS = 30_000;
const ALL = { webhooks: 64, perWebhook: 8, suspect: false };
let engine: TestEngine;
let clinicId: number;
/** with lower and with higher keys */
let first: TestWebhook;
let second: TestWebhook;
let node: number;
/** one delivery of each, in this order */
let begun: Begun[];
/** somebody who has a lock that others want */
let other: pg.Client;

beforeAll(async () => {
  engine = await createTestEngine();
});
afterAll(() => engine.close());
beforeEach(async () => {
  for (const table of ["deliveries", "runs", "bells", "nodes", "sending_pauses"])
    await engine.owner.query(`delete from ${table}`);
  clinicId = await engine.createClinic();
  const url = "https://receiver.example.test/";
  first = await engine.createWebhook(clinicId, { url });
  second = await engine.createWebhook(clinicId, { url });
  node = await engine.store.register("one", LEASE_MS);
  await engine.emit(clinicId, "consult:1");
  const taken = await engine.store.take(node, ALL);
  begun = taken.begun.toSorted((a, b) => a.webhookId - b.webhookId);
  expect(begun.map(({ webhookId }) => webhookId)).toEqual([first.id, second.id]);
  other = new pg.Client({ connectionString: engine.database.url });
  await other.connect();
  await other.query("begin");
});
afterEach(async () => {
  await other.query("rollback");
  await other.end();
});

const lockRun = ({ id }: TestWebhook) => other.query("select from runs where webhook_id = $1 for update", [id]);
const lockDeliveries = ({ id }: TestWebhook) =>
  other.query("select from deliveries where webhook_id = $1 for update", [id]);
const somebodyWaits = () =>
  until("a statement waits for a lock", async () => {
    const { rows } = await engine.owner.query(
      "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
    );
    return rows.length > 0;
  });
const results = (which: readonly Begun[]): SettledAttempt[] =>
  which.map((one) => ({
    ...{
      begun: one,
      version: 1,
      startedMsAgo: 10,
      durationMs: 5,
      outcome: "answered",
      status: 200,
      choice: one.choice,
    },
    ...{ bodySent: true, answer: null, next: { do: "finish", state: "delivered", reason: null } },
  }));
const runOf = (one: Begun) => ({ clinicId, webhookId: one.webhookId, fence: one.fence, version: 1, nextInMs: null });

test("a late settling and the next node's take of the same webhook do not wait for each other in a ring", async () => {
  await engine.loseNode(node);
  const next = await engine.store.register("next", LEASE_MS);
  await lockRun(first);
  // It has both deliveries and waits for the first run, and wants the second one then.
  const settling = engine.store.settle(results(begun));
  await somebodyWaits();
  const taken = await engine.store.take(next, ALL);
  expect(taken.runs).toMatchObject([{ webhookId: second.id, contended: true }]);
  expect(taken.begun).toEqual([]);
  await other.query("commit");
  expect(await settling).toHaveLength(2);
});

/** A pause of everything that is ended; the first webhook's row comes last in its table. */
async function pausedInReverse(): Promise<void> {
  await engine.owner.query("insert into sending_pauses (clinic_id, reason) values (null, 'a trial')");
  await engine.owner.query("update webhooks set paused = true");
  await engine.owner.query("update webhooks set name = 'last' where id = $1", [first.id]);
}

test("where one success follows another, a settling waits for nobody who has the run", async () => {
  await engine.owner.query("update runs set last_delivered_at = now() + interval '30 seconds'");
  await lockRun(first);
  await lockRun(second);
  const health = begun.map(({ webhookId, fence }) => ({
    ...{ clinicId, webhookId, fence, version: 1, failures: 0, failingMs: null, probes: 0, parked: false },
  }));
  expect(await engine.store.settle(results(begun), { owner: node, health })).toHaveLength(2);
});

test.each([
  ["RELEASE", lockRun, async () => engine.store.release(node, begun.toReversed().map(runOf))],
  ["UNBEGIN", lockDeliveries, async () => engine.store.unbegin(begun.toReversed())],
  ["SETTLE", lockDeliveries, async () => engine.store.settle(results(begun.toReversed()))],
  ["REAP", lockRun, async () => engine.loseNode(node)],
  [
    "the operator's resuming",
    lockRun,
    async () => {
      await pausedInReverse();
      const note = { reason: "the trial is over", cameFrom: "203.0.113.1" };
      await resumeSending(createKysely(engine.owner), { clinicId: null, webhookId: null }, note);
    },
  ],
] as const)("%s takes its locks in the order of keys", async (_what, lock, statement) => {
  await lock(first);
  const done = statement();
  await somebodyWaits();
  await lock(second); // which it would have by now, had it not begun with the first
  await other.query("commit");
  await done;
});

test("what is done now and then waits for nobody: it leaves out what is locked", async () => {
  await engine.store.release(node, begun.map(runOf));
  await engine.owner.query("update webhooks set enabled = false, off_reason = 'you'");
  await engine.owner.query("update runs set next_at = now()");
  await engine.owner.query(
    "insert into bells (clinic_id, webhook_id) select clinic_id, id from webhooks where clinic_id = $1",
    [clinicId],
  );
  await lockRun(first);
  await other.query("select from bells where webhook_id = $1 for update", [first.id]);
  await engine.store.reap();
  const { rows: left } = await engine.owner.query("select webhook_id from bells where clinic_id = $1", [clinicId]);
  expect(left).toEqual([{ webhook_id: first.id }]);
  const { rows: due } = await engine.owner.query("select webhook_id from runs where next_at < 'infinity'");
  expect(due).toEqual([{ webhook_id: first.id }]);
});

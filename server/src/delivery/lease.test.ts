/** A node lives as long as its process does: nothing else that the database is busy with keeps its heart from beating. */
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createTestEngine, type TestEngine } from "../../test/engine.ts";
import { until } from "../../test/until.ts";
import { type FixedClock, fixedClock } from "../clock.ts";
import { createLog } from "../log.ts";
import { Lease } from "./lease.ts";

let engine: TestEngine;
let clock: FixedClock;
let lease: Lease;
let lines: unknown[];
/** somebody who has locks that others want */
let other: pg.Client;

beforeAll(async () => {
  engine = await createTestEngine();
});
afterAll(() => engine.close());
beforeEach(async () => {
  other = new pg.Client({ connectionString: engine.database.url });
  await other.connect();
  await other.query("begin");
  clock = fixedClock("2026-01-05T08:00:00Z");
  const nothing = () => {};
  lines = [];
  const write = (line: string) => void lines.push(JSON.parse(line));
  lease = new Lease({
    store: engine.store,
    clock,
    log: createLog({ destination: { write }, level: "warn" }),
    name: "one",
    onChange: nothing,
    onOrphans: nothing,
  });
  await lease.start();
});
afterEach(async () => {
  await other.query("rollback");
  await other.end();
  await lease.stop();
});

const aliveUntil = async () =>
  (await engine.owner.query("select alive_until from nodes where id = $1", [lease.nodeId])).rows[0].alive_until;

/** The next beat is due, and comes. */
async function beats(): Promise<void> {
  const before = await aliveUntil();
  clock.advance({ seconds: 4 });
  await until("it has beaten", async () => String(await aliveUntil()) !== String(before));
}

const waiting = async () => {
  const { rows } = await engine.owner.query(
    "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
  );
  return rows.length;
};

test("beats while every connection of the engine is held by a statement that takes long", async () => {
  await other.query("lock table deliveries in access exclusive mode");
  const { engine: pool } = engine.database.pools;
  const long = Array.from({ length: pool.options.max }, () => pool.query("select from deliveries"));
  await until("all of them wait", async () => (await waiting()) === pool.options.max);
  await beats();
  await beats();
  await other.query("rollback");
  await Promise.all(long);
});

test("beats while what it does for a dead node waits for a lock", async () => {
  const webhook = await engine.createWebhook(await engine.createClinic(), { url: "https://receiver.example.test/" });
  const dead = await engine.store.register("dead", 30_000);
  await engine.owner.query("update runs set owner = $1 where webhook_id = $2", [dead, webhook.id]);
  await engine.owner.query("delete from nodes where id = $1", [dead]);
  await other.query("select from runs where webhook_id = $1 for update", [webhook.id]);
  await beats();
  await until("the dead node's webhook is waited for", async () => (await waiting()) === 1);
  await beats();
  await beats();
  expect(lease.maySend()).toBe(true);
});

test("one that stops when another was lost, and nobody has said so yet, says it", async () => {
  const webhook = await engine.createWebhook(await engine.createClinic(), { url: "https://receiver.example.test/" });
  const dead = await engine.store.register("dead", -60_000);
  await engine.owner.query("update runs set owner = $1 where webhook_id = $2", [dead, webhook.id]);
  await lease.stop();
  expect(lines).toMatchObject([{ level: "warn", event: "node.lost", nodes: 1, webhooks: 1 }]);
});

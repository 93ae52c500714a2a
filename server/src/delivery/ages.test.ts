/** The alarms of falling behind are raised when they should be, and not otherwise. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createTestEngine, type TestEngine, type TestWebhook } from "../../test/engine.ts";
import { createLog, type Log } from "../log.ts";
import { readAges, watchAges } from "./ages.ts";

let engine: TestEngine;
let webhook: TestWebhook;
let lines: { event: string; level: string }[];
let log: Log;

beforeAll(async () => {
  engine = await createTestEngine();
  const clinicId = await engine.createClinic();
  webhook = await engine.createWebhook(clinicId, { url: "http://127.0.0.1:1/" });
  await engine.emit(clinicId, "consult:1");
});
afterAll(() => engine.close());
beforeEach(() => {
  lines = [];
  log = createLog({ destination: { write: (line: string) => void lines.push(JSON.parse(line)) } });
});

const dueSince = (interval: string) =>
  engine.owner.query("update deliveries set due_at = now() - $1::interval", [interval]);
const runs = (change: string) => engine.owner.query(`update runs set ${change}`);
const alarms = async () => {
  await watchAges(engine.owner, log);
  return lines.splice(0).map(({ event, level }) => `${level} ${event}`);
};

test("a delivery that has been due for longer than 5 minutes is an alarm, whether its webhook is held, due or rung", async () => {
  expect(await alarms()).toEqual([]);
  await dueSince("6 minutes");
  expect(Math.floor((await readAges(engine.owner)).dueSeconds)).toBe(360);
  expect(await alarms()).toEqual(["error dispatcher.behind"]); // it was rung, and nobody has heard
  await engine.owner.query("delete from bells");
  expect(await alarms()).toEqual([]); // asleep: the sweep's business
  await runs("next_at = now()");
  expect(await alarms()).toEqual(["error dispatcher.behind"]);
  await runs("next_at = 'infinity', owner = 1");
  expect(await alarms()).toEqual(["error dispatcher.behind"]);
});

test("a webhook that is parked or off raises none, however long its deliveries wait", async () => {
  await runs("owner = null, next_at = now(), failures = 5, failing_since = now(), parked_at = now()");
  await dueSince("3 days");
  expect(await alarms()).toEqual([]);
  await runs("failures = 0, failing_since = null, parked_at = null");
  await engine.owner.query("update webhooks set enabled = false, off_reason = 'you' where id = $1", [webhook.id]);
  expect(await alarms()).toEqual([]);
});

test("a snapshot is as old as the transaction that holds it, and is no alarm while it is young", async () => {
  const client = await engine.database.pools.app.connect();
  await client.query("begin isolation level repeatable read");
  await client.query("select 1");
  const before = await readAges(engine.owner);
  await engine.owner.query("create table xids (n int)");
  for (let n = 0; n < 20; n++) await engine.owner.query("insert into xids values ($1)", [n]);
  const { snapshotSeconds, snapshotTransactions } = await readAges(engine.owner);
  expect(snapshotSeconds).toBeGreaterThan(before.snapshotSeconds);
  expect(snapshotTransactions).toBeGreaterThanOrEqual(20);
  expect(await alarms()).toEqual([]);
  await client.query("rollback");
  client.release();
});

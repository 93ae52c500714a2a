import type { Socket } from "node:net";
import { sampleFacts } from "@hookwell/sdk";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createTestClinic } from "../../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/database.ts";
import { createKysely, createPools, type Pools } from "../../db/pool.ts";
import type { Db } from "../../db/schema.ts";
import { silentLog } from "../../log.ts";
import { fedEvent, takeEvents } from "./events.ts";
import { inFeed } from "./in-feed.ts";

let database: TestDatabase;
let pools: Pools;
let db: Db;
/** How often something was written to the database. */
let writes = 0;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => {
  pools = createPools({ url: database.url, log: silentLog(), appConnectionsMax: 1 });
  db = createKysely(pools.app);
  pools.app.on("connect", (client) =>
    countWrites((client as unknown as { connection: { stream: Socket } }).connection.stream),
  );
});
afterEach(() => pools.close());

function countWrites(stream: Socket): void {
  for (const name of ["_write", "_writev"] as const) {
    const write = stream[name] as (...args: unknown[]) => void;
    stream[name] = (...args: unknown[]) => {
      writes += 1;
      write.apply(stream, args);
    };
  }
}

async function writesOf(work: () => Promise<unknown>): Promise<number> {
  const before = writes;
  await work();
  return writes - before;
}

test("a connection on which a transaction cannot be begun is clean again for the next one", async () => {
  await sql.raw("begin; select set_config('hookwell.clinic_id', '1', true)").execute(db);
  await expect(sql`select 1 / 0`.execute(db)).rejects.toThrow("division by zero");
  await expect(inFeed(db, 1, async () => "done")).rejects.toThrow("current transaction is aborted");
  expect(await inFeed(db, 1, async () => "done")).toBe("done");
});

test("what is asked for without waiting is written at once, the beginning with it, and answered in that order", async () => {
  const order: string[] = [];
  const ask = async (tx: Parameters<Parameters<typeof inFeed>[2]>[0], name: string) => {
    const { rows } = await sql<{ clinic: string }>`select current_setting('hookwell.clinic_id') as clinic`.execute(tx);
    order.push(`${name} ${rows[0]?.clinic}`);
  };
  const work = () => inFeed(db, 7, (tx) => Promise.all([ask(tx, "first"), ask(tx, "second"), ask(tx, "third")]));
  await work();
  order.length = 0;
  expect(await writesOf(work)).toBe(2);
  expect(order).toEqual(["first 7", "second 7", "third 7"]);
});

test("where one of those fails, all that was asked for is undone, and the connection is clean", async () => {
  const clinic = await createTestClinic(database.pools);
  const keep = "insert into feed_keys (clinic_id, key_hash, event_id, body_hash) values";
  const failing = inFeed(db, clinic.id, async (tx) => {
    const key = sql.raw(`${keep} (${clinic.id}, sha256('a'), gen_random_uuid(), sha256('b'))`);
    const results = [key.execute(tx), sql`select 1 / 0`.execute(tx), key.execute(tx)];
    await Promise.allSettled(results);
    await Promise.all(results);
  });
  await expect(failing).rejects.toThrow("division by zero");
  const { rows } = await inFeed(db, clinic.id, (tx) => sql`select 1 from feed_keys`.execute(tx));
  expect(rows).toEqual([]);
});

test("events are stored in three writes: their keys, they themselves, the commit", async () => {
  const clinic = await createTestClinic(database.pools);
  const take = (key: string) => {
    const facts = sampleFacts("participant.added");
    const event = fedEvent({ field: "", key, subject: `consult:${facts.consult.id}`, facts });
    return inFeed(db, clinic.id, (tx) => takeEvents(tx, clinic.context, [event]));
  };
  await take("makes the patients known");
  expect(await writesOf(() => take("is one of many"))).toBe(3);
});

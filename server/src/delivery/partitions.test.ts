/** Days are made and dropped while everything goes on. */
import { sampleFacts } from "@hookwell/sdk";
import { sql } from "kysely";
import type pg from "pg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTestEngine, type TestEngine } from "../../test/engine.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { inClinic } from "../db/pool.ts";
import { emit, emitMany } from "../outbox/emit.ts";
import { uuidv7 } from "../outbox/identifiers.ts";
import { dropPartitions, makePartitions, PARTITION_LOCK_WAIT_MS } from "./partitions.ts";

const DAY_MS = 86_400_000;
const KEPT_DAYS = 30;
let engine: TestEngine;
let clinicId: number;

beforeEach(async () => {
  engine = await createTestEngine();
  clinicId = await engine.createClinic();
});
afterEach(() => engine.close());

const query = async (text: string, values: unknown[] = []) => (await engine.owner.query(text, values)).rows;
const dayOf = (daysAgo: number) => new Date(Date.now() - daysAgo * DAY_MS).toISOString().slice(0, 10);
const suffixOf = (daysAgo: number) => dayOf(daysAgo).replaceAll("-", "");
const madeBy = (parent: string, daysAgo: number) =>
  query("select make_partition($1, $2::date) as made", [parent, dayOf(daysAgo)]);
const PARENTS = ["events", "attempts", "finished_deliveries"];
const makeDay = async (daysAgo: number) => {
  for (const parent of PARENTS) await madeBy(parent, daysAgo);
};
/** Tables of days, whether they belong to their parent or not. */
const dayTables = async () =>
  (
    await query(
      `select relname from pg_class where relkind = 'r' and relname ~ '^(events|attempts|finished_deliveries)_\\d{8}$' order by 1`,
    )
  ).map(({ relname }) => relname as string);

/** An event that happened so many days ago; its deliveries wait unless they are taken away. */
async function emitOld(daysAgo: number, subject = "consult:1"): Promise<string> {
  const id = uuidv7(Date.now() - daysAgo * DAY_MS);
  const event = { id, subject, facts: sampleFacts("participant.added") };
  await inClinic(engine.app, clinicId, (tx) => emitMany(engine, tx, { clinicId, events: [event] }));
  return id;
}
const tableOf = async (id: string) =>
  (await query("select tableoid::regclass::text as name from events where id = $1", [id]))[0]?.name;

describe("a day", () => {
  test("is made once, ahead, with what was waiting for it in the default partition", async () => {
    const today = await emitOld(0);
    const old = await emitOld(5);
    expect([await tableOf(today), await tableOf(old)]).toEqual(["events_other", "events_other"]);
    expect(await makePartitions(engine.owner)).toBe(true);
    const tables = await dayTables();
    expect(tables).toHaveLength(3 * 9);
    expect([await tableOf(today), await tableOf(old)]).toEqual([`events_${suffixOf(0)}`, "events_other"]);
    expect(await makePartitions(engine.owner)).toBe(true);
    expect(await dayTables()).toEqual(tables);
  });

  test("has the indexes and checks of its table, and is frozen by its first vacuum", async () => {
    await makeDay(0);
    const described = (table: string) =>
      query(
        `select (select count(*)::int from pg_index where indrelid = $1::regclass and indisvalid) as indexes,
           (select count(*)::int from pg_constraint where conrelid = $1::regclass and contype = 'c') as checks`,
        [table],
      );
    for (const parent of PARENTS) {
      expect(await described(`${parent}_${suffixOf(0)}`)).toEqual(await described(`${parent}_other`));
    }
    await emitOld(0);
    const visible =
      "select relpages > 0 and relallvisible = relpages as ok, age(relfrozenxid) < 100 as frozen from pg_class where relname = $1";
    await until("its pages are visible to all and frozen", async () => {
      await query(`vacuum events_${suffixOf(0)}`); // a page that a snapshot still needs is left to the next one
      const [{ ok, frozen }] = (await query(visible, [`events_${suffixOf(0)}`])) as [{ ok: boolean; frozen: boolean }];
      return ok && frozen;
    });
  });

  test("of which the default partition holds too many rows is left without one, and its rows are deleted by their age", async () => {
    await query(
      `insert into events (clinic_id, id, name, subject, subject_version, facts)
       select $1, (left(instant_bound(now() - interval '40 days')::text, 13) || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
         'consult.updated', 'consult:1', n, '' from generate_series(1, 10001) n`,
      [clinicId],
    );
    expect(await madeBy("events", 40)).toEqual([{ made: "crowded" }]);
    expect(await dayTables()).toEqual([]);
    await dropPartitions(engine.owner, KEPT_DAYS);
    expect(await query("select count(*)::int as n from events")).toEqual([{ n: 0 }]);
  });

  test("goes once everything of it is too old, and not a day before", async () => {
    for (const daysAgo of [KEPT_DAYS, KEPT_DAYS + 1, KEPT_DAYS + 2]) await makeDay(daysAgo);
    expect(await dropPartitions(engine.owner, KEPT_DAYS)).toEqual({ dropped: 6, busy: 0, waiting: 0 });
    expect(await dayTables()).toEqual(PARENTS.map((parent) => `${parent}_${suffixOf(KEPT_DAYS)}`).toSorted());
  });

  test("does not go as long as a delivery of it waits, whatever it waits for", async () => {
    const webhook = await engine.createWebhook(clinicId, { url: "http://127.0.0.1:1/" });
    await makeDay(KEPT_DAYS + 5);
    const id = await emitOld(KEPT_DAYS + 5);
    expect(await dropPartitions(engine.owner, KEPT_DAYS)).toEqual({ dropped: 0, busy: 0, waiting: 3 });
    expect(await tableOf(id)).toBe(`events_${suffixOf(KEPT_DAYS + 5)}`);
    await query("delete from deliveries where webhook_id = $1", [webhook.id]);
    expect(await dropPartitions(engine.owner, KEPT_DAYS)).toEqual({ dropped: 3, busy: 0, waiting: 0 });
  });
});

describe("partition work", () => {
  test("refuses no change and holds none up for longer than its lock's time, while deliveries go on", async () => {
    const receiver: Receiver = await createReceiver();
    await engine.createWebhook(clinicId, { url: receiver.url, concurrency: 16 });
    await engine.startDispatcher();
    let emitted = 0;
    let isOver = false;
    const emitters = Array.from({ length: 6 }, async (_, n) => {
      for (let at = 0; !isOver; at++) {
        // Whoever waits longer for a lock than this fails. A busy machine may take some time to let go of one.
        await inClinic(engine.app, clinicId, async (tx) => {
          await sql.raw(`set local lock_timeout = ${PARTITION_LOCK_WAIT_MS + 1_000}`).execute(tx);
          const subject = `consult:${n * 1_000_000 + at + 1}`;
          await emit(engine, tx, { clinicId, subject, facts: sampleFacts("participant.added") });
        });
        engine.nudge();
        emitted += 1;
      }
    });
    for (let daysAgo = 45; daysAgo > 40; daysAgo--) await makeDay(daysAgo);
    await makePartitions(engine.owner);
    let dropped = 0;
    // Whatever was busy is for the next pass; nobody waits for it meanwhile.
    for (let pass = 0; pass < 20 && dropped < 15; pass++)
      dropped += (await dropPartitions(engine.owner, KEPT_DAYS)).dropped;
    isOver = true;
    await Promise.all(emitters); // none has failed
    expect(dropped).toBe(15);
    expect(emitted).toBeGreaterThan(20);
    await until("all is delivered", async () => (await query("select from deliveries")).length === 0, 60_000);
    expect(receiver.received.length).toBeGreaterThanOrEqual(emitted);
    await receiver.close();
  });

  test("gives way to a transaction that does not end, and is done at the next pass", async () => {
    await makeDay(KEPT_DAYS + 1);
    const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const open = inClinic(engine.app, clinicId, async (tx) => {
      await emit(engine, tx, { clinicId, subject: "consult:1", facts: sampleFacts("participant.added") });
      begun.resolve();
      await mayEnd;
    });
    await begun.promise;
    try {
      const pass = dropPartitions(engine.owner, KEPT_DAYS);
      await engine.emit(clinicId, "consult:2"); // is not held up by the one who asks for the lock
      expect(await pass).toMatchObject({ dropped: 1, busy: 2 }); // of attempts, which no change touches
    } finally {
      end();
      await open;
    }
    expect(await dropPartitions(engine.owner, KEPT_DAYS)).toMatchObject({ dropped: 2, busy: 0 });
  });

  test("of several nodes at once makes and drops each day once", async () => {
    await makeDay(KEPT_DAYS + 1);
    const nodes = [engine.owner, engine.database.pools.owner];
    for (let pass = 0; pass < 10; pass++) {
      await Promise.all(nodes.flatMap((pool) => [makePartitions(pool), dropPartitions(pool, KEPT_DAYS)]));
    }
    expect(await dayTables()).toHaveLength(3 * 9);
  });

  test("that is cut off before any of its statements is finished by the next pass, and an event of that day still finds a place", async () => {
    for (let statement = 1; ; statement++) {
      await makeDay(KEPT_DAYS + 1);
      const cut = cutOff(engine.owner, statement);
      const result = await dropPartitions(cut, KEPT_DAYS).catch((error: Error) => error);
      await emitOld(KEPT_DAYS + 1, "consult:9"); // a late clock's; nobody listens, so nothing waits for it
      await dropPartitions(engine.owner, KEPT_DAYS);
      expect(await dayTables()).toEqual([]);
      if (!(result instanceof Error)) {
        expect(statement).toBeGreaterThan(10); // it has no more statements
        break;
      }
      expect(result.message).toBe("cut off");
    }
  });
});

/** A pool whose process is gone from its n-th statement on: nothing of that one is begun. */
function cutOff(pool: pg.Pool, statement: number): pg.Pool {
  let count = 0;
  const query = async (text: string, values?: unknown[]) => {
    count += 1;
    if (count >= statement) throw new Error("cut off");
    return pool.query(text, values);
  };
  return { query } as unknown as pg.Pool;
}

/** Recover: what failed, or was never sent because the webhook was off, is sent again, each exactly once (contract §7). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { nowMs } from "../../../proof/crash/chance.ts";
import { createTestEngine, type TestEngine } from "../../test/engine.ts";
import { violations } from "../../test/history.ts";
import { BY, HOUR, TestRecovery } from "../../test/recovery.ts";
import { until } from "../../test/until.ts";
import { inClinic } from "../db/pool.ts";
import { batchOf } from "./recover.ts";
import type { RecoverRange } from "./recoveries.ts";
import { resend } from "./resend.ts";
import { sqlFile } from "./sql-file.ts";

let engine: TestEngine;
let clinic: TestRecovery;

beforeAll(async () => {
  engine = await createTestEngine();
});
afterAll(() => engine.close());
beforeEach(async () => {
  clinic = await TestRecovery.create(engine);
});
afterEach(() => clinic.close());

describe("a recovery", () => {
  test("sends again exactly what was counted, each once, beside live events and through workers that are lost", async () => {
    await engine.startDispatcher();
    const delivered = await clinic.emitSome(20);
    await until("they are delivered", async () => (await clinic.finishedAs("delivered")).length === 20);
    const failed = await clinic.failSome(60);
    const off = await clinic.emitWhileOff(280);
    const gone = [...failed.slice(0, 20), ...off.slice(-20)];
    await clinic.loseContent(gone);
    expect(await clinic.count()).toEqual({ found: 300, leftOut: 40, countedAll: true });

    const startedMs = nowMs();
    const recovery = await clinic.start({ pacePerSecond: 80 });
    const live: string[] = [];
    for (let batch = 0; batch < 3; batch++) {
      live.push(...(await clinic.emitSome(5)));
      await loseWorkerInBatch();
      await until("the batch before has been started", async () => (await clinic.look(recovery)).waiting === 0);
      await clinic.bringBatchDue();
    }
    clinic.worker().start();
    clinic.worker().start();
    const ended = await until("it is done and all have ended", async () => {
      await clinic.bringBatchDue();
      const now = await clinic.look(recovery);
      return now.state === "done" && now.waiting === 0 && (await clinic.hot()) === 0 && now;
    });
    expect(ended).toMatchObject({ found: 300, leftOut: 40, queued: 300, waitsFor: null, startedByName: BY.userName });
    expect(ended).toMatchObject({ delivered: 300, failed: 0 }); // live events that arrived beside them are not counted
    expect(clinic.accepted().toSorted()).toEqual(
      [...delivered, ...failed, ...off, ...live].filter((id) => !gone.includes(id)).toSorted(),
    );
    const resent = [...failed, ...off].filter((id) => !gone.includes(id));
    expect(await violations(await clinic.history(resent, startedMs))).toEqual([]);
    expect(await clinic.count()).toMatchObject({ found: 0, leftOut: 40 });
  });

  /** A node claims a batch and vanishes before it commits; meanwhile nobody else works on it, and afterwards anybody may. */
  async function loseWorkerInBatch(): Promise<void> {
    const lost = await engine.database.pools.dispatch.connect();
    lost.on("error", () => {});
    const { rows } = await lost.query<{ pid: number }>("select pg_backend_pid() as pid");
    await lost.query("begin");
    const [due] = (await lost.query<Parameters<typeof batchOf>[0]>(sqlFile("due_recoveries"), [16])).rows;
    if (due === undefined) throw new Error("no recovery is due");
    const claimed = await lost.query(batchOf(due));
    expect(claimed.rows).toMatchObject([{ moved: 80 }]);
    const before = await clinic.hot();
    await clinic.worker().runOnce();
    expect(await clinic.hot()).toBeLessThanOrEqual(before);
    await engine.owner.query("select pg_terminate_backend($1)", [rows[0]?.pid]);
    lost.release(true);
    await until("the batch was undone, and another node has done it", async () => {
      await clinic.worker().runOnce();
      return (await queued()) % 80 === 0 && (await queued()) > lastQueued;
    });
    lastQueued = await queued();
  }
  let lastQueued = 0;
  const queued = async () =>
    (await engine.owner.query("select queued from recoveries where clinic_id = $1", [clinic.clinicId])).rows[0]
      ?.queued as number;

  test("keeps the number of what failed, gives one to what never had any, and counts its attempts on in one new schedule", async () => {
    await engine.startDispatcher();
    const [failed] = await clinic.failSome(1);
    const [off] = await clinic.emitWhileOff(1);
    const recovery = await clinic.start();
    await clinic.worker().runOnce();
    await until("both have come", () => clinic.accepted().length === 2);
    const arrived = (id: string | undefined) => clinic.receptions.findLast((one) => one.id === id);
    expect(arrived(failed)).toMatchObject({ sequence: 1, attempt: 11 });
    expect(arrived(off)).toMatchObject({ sequence: 2, attempt: 1 });
    await until("nothing waits", async () => (await clinic.hot()) === 0);
    expect(await clinic.look(recovery)).toMatchObject({ state: "done", queued: 2, waiting: 0 });
  });

  test("does not take a second time what fails again", async () => {
    await engine.startDispatcher();
    await clinic.failSome(3);
    clinic.status = 422;
    const recovery = await clinic.start();
    await clinic.worker().runOnce();
    await until("they are given up again", async () => {
      await engine.bringDue();
      await clinic.bringBatchDue();
      await clinic.worker().runOnce();
      return (await clinic.finishedAs("given_up")).length === 3;
    });
    const ended = { state: "done", queued: 3, waiting: 0 };
    expect(await clinic.look(recovery)).toMatchObject({ ...ended, delivered: 0, failed: 3 });
    const failed = await clinic.finishedAs("given_up");
    expect(failed.map(({ attempt }) => attempt)).toEqual([20, 20, 20]);
    // One that is sent again by hand and arrives has come back with the recovery, too.
    clinic.status = 200;
    const { event_id: eventId, webhook_id: webhookId, part } = failed[0] as (typeof failed)[number];
    await inClinic(engine.app, clinic.clinicId, (tx) => resend(tx, clinic.clinicId, { eventId, webhookId, part }));
    engine.nudge();
    await until("it has arrived", async () => (await clinic.finishedAs("delivered")).length === 1);
    expect(await clinic.look(recovery)).toMatchObject({ ...ended, delivered: 1, failed: 2 });
  });
});

test("wakes the dispatcher for the clinic whose deliveries have come back, and for no other", async () => {
  await clinic.emitWhileOff(2);
  await clinic.start();
  const nudged: number[] = [];
  const worker = clinic.worker((clinicId) => nudged.push(clinicId));
  await worker.runOnce();
  await clinic.bringBatchDue();
  await worker.runOnce();
  expect(nudged).toEqual([clinic.clinicId]);
});

describe("what is taken", () => {
  test("is what was asked for: its state, its range, and no test", async () => {
    await engine.startDispatcher();
    await clinic.failSome(2);
    const early = await clinic.emitWhileOff(3);
    await clinic.emitWhileOff(2);
    const old = early.map((id) => id.slice(4, 36));
    const past = "0190a0000000"; // of 2024
    for (const table of ["events", "finished_deliveries"]) {
      const column = table === "events" ? "id" : "event_id";
      await engine.owner.query(
        `update ${table} set ${column} = ($3 || right(replace(${column}::text, '-', ''), 20))::uuid
         where clinic_id = $1 and replace(${column}::text, '-', '') = any ($2::text[])`,
        [clinic.clinicId, old, past],
      );
    }
    await clinic.emitWhileOff(1);
    await engine.owner.query(
      "update finished_deliveries set test = true where clinic_id = $1 and event_id = (select max(id::text)::uuid from events)",
      [clinic.clinicId],
    );
    const found = async (range: Partial<RecoverRange>) => (await clinic.count({ ...HOUR, ...range })).found;
    expect(await found({ states: ["failed"] })).toBe(2);
    expect(await found({ states: ["off"] })).toBe(2);
    expect(await found({})).toBe(4);
    const from = Temporal.Instant.from("2024-01-01T00:00:00Z");
    expect(await found({ from, to: HOUR.from })).toBe(3);
    expect(await found({ from })).toBe(7);
    const at = Temporal.Instant.fromEpochMilliseconds(Number.parseInt(past, 16));
    expect(await found({ from: at, to: at.add({ milliseconds: 1 }) })).toBe(3);
    expect(await found({ from, to: at })).toBe(0);
    const recovery = await clinic.start({ states: ["off"], from });
    await clinic.worker().runOnce();
    expect(await clinic.look(recovery)).toMatchObject({ state: "done", found: 5, queued: 5 });
  });

  test("is nothing where the end is not after the beginning, and 409 where there is nothing to send", async () => {
    await expect(clinic.start({ to: HOUR.from })).rejects.toMatchObject({ status: 400, fields: [{ field: "to" }] });
    await expect(clinic.start()).rejects.toMatchObject({ status: 409, code: "nothing_to_recover" });
  });
});

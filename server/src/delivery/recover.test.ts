/** Recover: what failed, or was never sent because the webhook was off, is sent again, each exactly once (contract §7). */
import type pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { clinicLog } from "../../test/clinic-log.ts";
import { createTestEngine, type TestEngine, type TestWebhook } from "../../test/engine.ts";
import { type Reception, readLog, reception, violations } from "../../test/history.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { inClinic } from "../db/pool.ts";
import { silentLog } from "../log.ts";
import { deliveryId } from "../outbox/identifiers.ts";
import { batchOf, RECOVERED_WAITING_MAX, Recoverer } from "./recover.ts";
import {
  countRecoverable,
  getRecovery,
  type NewRecovery,
  type RecoverRange,
  type Recovery,
  type RecoveryStep,
  startRecovery,
  stepRecovery,
} from "./recoveries.ts";
import { sqlFile } from "./sql-file.ts";

let engine: TestEngine;
let receiver: Receiver;
let clinicId: number;
let webhook: TestWebhook;
let receptions: Reception[];
/** What the receiver answers. */
let status: number;
let workers: Recoverer[];
let subjects = 0;
const log = () => clinicLog(engine.owner, () => clinicId);
const BY = { userId: "test-manager", userName: "Test Manager" };
const HOUR: RecoverRange = {
  from: Temporal.Now.instant().subtract({ hours: 1 }),
  to: null,
  states: ["failed", "off"],
};

beforeAll(async () => {
  engine = await createTestEngine();
});
afterAll(() => engine.close());
beforeEach(async () => {
  receiver = await createReceiver();
  receptions = [];
  workers = [];
  status = 200;
  clinicId = await engine.createClinic();
  webhook = await engine.createWebhook(clinicId, { url: receiver.url, patient: "all", concurrency: 32 });
  receiver.answer = (got, response) => {
    receptions.push(reception(String(webhook.id), got, status));
    response.writeHead(status).end();
  };
});
afterEach(async () => {
  await Promise.all(workers.map((one) => one.stop()));
  await engine.stopDispatchers();
  await receiver.close();
});

const scope = () => ({ clinicId, webhookId: webhook.id });
const count = (range = HOUR) => inClinic(engine.app, clinicId, (tx) => countRecoverable(tx, scope(), range));
const start = (wanted: Partial<NewRecovery> = {}) =>
  inClinic(engine.app, clinicId, (tx) =>
    startRecovery(tx, scope(), { ...HOUR, pacePerSecond: null, by: BY, ...wanted }),
  );
const look = ({ id }: Recovery) => inClinic(engine.app, clinicId, (tx) => getRecovery(tx, scope(), id));
const step = ({ id }: Recovery, wanted: RecoveryStep) =>
  inClinic(engine.app, clinicId, (tx) => stepRecovery(tx, scope(), { id, step: wanted, actor: BY.userId }));

function worker(): Recoverer {
  const made = new Recoverer({ pool: engine.database.pools.dispatch, log: silentLog(), nudge: engine.nudge });
  workers.push(made);
  return made;
}

/** The next batch is due now, as if its time had come. */
const bringBatchDue = () =>
  engine.owner.query("update recoveries set next_at = now() where clinic_id = $1", [clinicId]);

async function setOn(on: boolean): Promise<void> {
  await engine.owner.query(
    "update webhooks set enabled = $3, off_reason = case when $3 then null else 'you' end where clinic_id = $1 and id = $2",
    [clinicId, webhook.id, on],
  );
  await engine.owner.query("insert into bells (clinic_id, webhook_id) values ($1, $2)", [clinicId, webhook.id]);
}

/** Events about subjects of their own; returns their webhook-ids. */
async function emitSome(times: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < times; n++) {
    const { id: eventId } = await engine.emit(clinicId, `consult:${++subjects}`);
    ids.push(deliveryId({ eventId, webhookId: webhook.id, part: 0 }));
  }
  return ids;
}

async function emitWhileOff(times: number): Promise<string[]> {
  await setOn(false);
  const ids = await emitSome(times);
  await setOn(true);
  return ids;
}

const finishedAs = async (state: string) => (await log().finished()).filter((one) => one.state === state);
const hot = async () => (await log().hot()).length;

/** Tried until they are given up; a dispatcher has to be running. */
async function failSome(times: number): Promise<string[]> {
  status = 422;
  const before = (await finishedAs("given_up")).length;
  const ids = await emitSome(times);
  await until("they are given up", async () => {
    await engine.bringDue();
    return (await finishedAs("given_up")).length === before + times;
  });
  status = 200;
  return ids;
}

async function loseContent(ids: readonly string[]): Promise<void> {
  await engine.owner.query(
    "delete from events where clinic_id = $1 and replace(id::text, '-', '') = any ($2::text[])",
    [clinicId, ids.map((id) => id.slice(4, 36))],
  );
}

const accepted = () => receptions.filter((one) => one.status < 300).map((one) => one.id);

describe("a recovery", () => {
  test("sends again exactly what was counted, each once, beside live events and through workers that are lost", async () => {
    await engine.startDispatcher();
    const delivered = await emitSome(20);
    await until("they are delivered", async () => (await finishedAs("delivered")).length === 20);
    const failed = await failSome(170);
    const off = await emitWhileOff(170);
    const gone = [...failed.slice(0, 20), ...off.slice(-20)];
    await loseContent(gone);
    expect(await count()).toEqual({ found: 300, leftOut: 40, countedAll: true });

    const recovery = await start({ pacePerSecond: 80 });
    const live: string[] = [];
    for (let batch = 0; batch < 3; batch++) {
      live.push(...(await emitSome(5)));
      await loseWorkerInBatch();
      await until("the batch before has been started", async () => (await look(recovery)).waiting === 0);
      await bringBatchDue();
    }
    worker().start();
    worker().start();
    const ended = await until("it is done and all have ended", async () => {
      await bringBatchDue();
      const now = await look(recovery);
      return now.state === "done" && now.waiting === 0 && (await hot()) === 0 && now;
    });
    expect(ended).toMatchObject({ found: 300, leftOut: 40, queued: 300, waitsFor: null, startedByName: BY.userName });
    expect(accepted().toSorted()).toEqual(
      [...delivered, ...failed, ...off, ...live].filter((id) => !gone.includes(id)).toSorted(),
    );
    const judged = { ...(await readLog(engine.owner, clinicId)), receptions };
    expect(violations(judged).toSorted()).toEqual(gone.map((id) => `${id} never arrived`).toSorted());
    expect(await count()).toMatchObject({ found: 0, leftOut: 40 });
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
    const before = await hot();
    await worker().runOnce();
    expect(await hot()).toBeLessThanOrEqual(before);
    await engine.owner.query("select pg_terminate_backend($1)", [rows[0]?.pid]);
    lost.release(true);
    await until("the batch was undone, and another node has done it", async () => {
      await worker().runOnce();
      return (await queued()) % 80 === 0 && (await queued()) > lastQueued;
    });
    lastQueued = await queued();
  }
  let lastQueued = 0;
  const queued = async () =>
    (await engine.owner.query<pg.QueryResultRow>("select queued from recoveries where clinic_id = $1", [clinicId]))
      .rows[0]?.queued as number;

  test("keeps the number of what failed, gives one to what never had any, and counts its attempts on in one new schedule", async () => {
    await engine.startDispatcher();
    const [failed] = await failSome(1);
    const [off] = await emitWhileOff(1);
    const recovery = await start();
    await worker().runOnce();
    await until("both have come", () => accepted().length === 2);
    const arrived = (id: string | undefined) => receptions.findLast((one) => one.id === id);
    expect(arrived(failed)).toMatchObject({ sequence: 1, attempt: 11 });
    expect(arrived(off)).toMatchObject({ sequence: 2, attempt: 1 });
    await until("nothing waits", async () => (await hot()) === 0);
    expect(await look(recovery)).toMatchObject({ state: "done", queued: 2, waiting: 0 });
  });

  test("does not take a second time what fails again", async () => {
    await engine.startDispatcher();
    await failSome(3);
    status = 422;
    const recovery = await start();
    await worker().runOnce();
    await until("they are given up again", async () => {
      await engine.bringDue();
      await bringBatchDue();
      await worker().runOnce();
      return (await finishedAs("given_up")).length === 3;
    });
    expect(await look(recovery)).toMatchObject({ state: "done", queued: 3 });
    expect((await finishedAs("given_up")).map(({ attempt }) => attempt)).toEqual([20, 20, 20]);
  });
});

describe("what is taken", () => {
  test("is what was asked for: its state, its range, and no test", async () => {
    await engine.startDispatcher();
    await failSome(2);
    const early = await emitWhileOff(3);
    await emitWhileOff(2);
    const old = early.map((id) => id.slice(4, 36));
    const past = "0190a0000000"; // of 2024
    for (const table of ["events", "finished_deliveries"]) {
      const column = table === "events" ? "id" : "event_id";
      await engine.owner.query(
        `update ${table} set ${column} = ($3 || right(replace(${column}::text, '-', ''), 20))::uuid
         where clinic_id = $1 and replace(${column}::text, '-', '') = any ($2::text[])`,
        [clinicId, old, past],
      );
    }
    await emitWhileOff(1);
    await engine.owner.query(
      "update finished_deliveries set test = true where clinic_id = $1 and event_id = (select max(id::text)::uuid from events)",
      [clinicId],
    );
    const found = async (range: Partial<RecoverRange>) => (await count({ ...HOUR, ...range })).found;
    expect(await found({ states: ["failed"] })).toBe(2);
    expect(await found({ states: ["off"] })).toBe(2);
    expect(await found({})).toBe(4);
    const from = Temporal.Instant.from("2024-01-01T00:00:00Z");
    expect(await found({ from, to: HOUR.from })).toBe(3);
    expect(await found({ from })).toBe(7);
    const at = Temporal.Instant.fromEpochMilliseconds(Number.parseInt(past, 16));
    expect(await found({ from: at, to: at.add({ milliseconds: 1 }) })).toBe(3);
    expect(await found({ from, to: at })).toBe(0);
    const recovery = await start({ states: ["off"], from });
    await worker().runOnce();
    expect(await look(recovery)).toMatchObject({ state: "done", found: 5, queued: 5 });
  });

  test("is nothing where the end is not after the beginning, and 409 where there is nothing to send", async () => {
    await expect(start({ to: HOUR.from })).rejects.toMatchObject({ status: 400, fields: [{ field: "to" }] });
    await expect(start()).rejects.toMatchObject({ status: 409, code: "nothing_to_recover" });
  });
});

describe("people", () => {
  test("pause it, resume it and cancel it; what is queued stays queued, and nothing more comes", async () => {
    await emitWhileOff(50);
    const recovery = await start({ pacePerSecond: 10 });
    await worker().runOnce();
    expect(await look(recovery)).toMatchObject({ state: "running", queued: 10, waiting: 10 });
    expect(await step(recovery, "pause")).toMatchObject({ state: "paused" });
    await worker().runOnce();
    expect((await look(recovery)).queued).toBe(10);
    await expect(start()).rejects.toMatchObject({ code: "recovery_active" });
    expect(await step(recovery, "pause")).toMatchObject({ state: "paused" });
    await step(recovery, "resume");
    await worker().runOnce();
    expect((await look(recovery)).queued).toBe(20);
    expect(await step(recovery, "cancel")).toMatchObject({ state: "cancelled", queued: 20, waiting: 20 });
    await bringBatchDue();
    await worker().runOnce();
    expect(await hot()).toBe(20);
    for (const wanted of ["pause", "resume"] as const)
      await expect(step(recovery, wanted)).rejects.toMatchObject({ status: 409, code: "recovery_ended" });
    const { rows } = await engine.owner.query("select action, actor from audit where clinic_id = $1 order by id", [
      clinicId,
    ]);
    expect(rows.map(({ action }) => action)).toEqual([
      ...["recovery.started", "recovery.paused", "recovery.resumed", "recovery.cancelled"],
    ]);
    // Another one goes on where this one stopped.
    expect(await start()).toMatchObject({ found: 30 });
  });

  test("who start two at the same time get one", async () => {
    await emitWhileOff(3);
    const asked = await Promise.allSettled(Array.from({ length: 4 }, () => start()));
    expect(asked.filter((one) => one.status === "fulfilled")).toHaveLength(1);
    for (const one of asked)
      if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "recovery_active" });
  });
});

describe("a recovery by itself", () => {
  test("stands still while its webhook is off or parked, and goes on afterwards", async () => {
    await emitWhileOff(30);
    const recovery = await start({ pacePerSecond: 10 });
    await setOn(false);
    await worker().runOnce();
    expect(await look(recovery)).toMatchObject({ state: "running", queued: 0, waitsFor: "webhook_off" });
    await setOn(true);
    const park = (parked: string) =>
      engine.owner.query(
        `update runs set parked_at = ${parked}, failures = case when ${parked} is null then 0 else 5 end, failing_since = ${parked}
         where clinic_id = $1`,
        [clinicId],
      );
    await park("now()");
    await worker().runOnce();
    expect(await look(recovery)).toMatchObject({ state: "running", queued: 0, waitsFor: "webhook_parked" });
    await park("null::timestamptz");
    await worker().runOnce();
    expect(await look(recovery)).toMatchObject({ queued: 10, waitsFor: null });
  });

  test("ends with its webhook", async () => {
    await emitWhileOff(3);
    const recovery = await start();
    await engine.owner.query("update webhooks set deleted_at = now() where id = $1", [webhook.id]);
    await worker().runOnce();
    const { rows } = await engine.owner.query("select state, queued from recoveries where id = $1", [recovery.id]);
    expect(rows).toEqual([{ state: "cancelled", queued: 0 }]);
  });

  test("keeps to half of the webhook's pace at most, and brings nothing while the last two batches have not been begun", async () => {
    await emitWhileOff(40);
    await engine.owner.query("update webhooks set pace_per_second = 10 where id = $1", [webhook.id]);
    const recovery = await start({ pacePerSecond: 500 });
    expect(recovery.pacePerSecond).toBe(5);
    const queued: number[] = [];
    for (let batch = 0; batch < 4; batch++) {
      await worker().runOnce();
      queued.push((await look(recovery)).queued);
      const { rows } = await engine.owner.query(
        "select extract(epoch from next_at - now())::float8 as seconds from recoveries where id = $1",
        [recovery.id],
      );
      expect(rows[0]?.seconds).toBeGreaterThan(0);
      expect(rows[0]?.seconds).toBeLessThanOrEqual(1);
      await worker().runOnce(); // not due yet
      await bringBatchDue();
    }
    expect(queued).toEqual([5, 10, 10, 10]);
    await engine.owner.query("update runs set answered_at = null where webhook_id = $1", [webhook.id]);
    expect((await look(recovery)).pacePerSecond).toBe(0.5);
  });

  test("is bounded in what waits for its retries", async () => {
    await emitWhileOff(10);
    const recovery = await start();
    await engine.owner.query(
      `insert into deliveries (clinic_id, webhook_id, event_id, participants_per_request, order_key, choice_practitioner,
         choice_patient, sequence, attempt, due_at, recovery_id)
       select $1, $2, gen_random_uuid(), 200, 'resend:' || n, 'off', 'off', n, 1, now() + interval '1 hour', 0
       from generate_series(1, $3::int) n`,
      [clinicId, webhook.id, RECOVERED_WAITING_MAX - 4],
    );
    await worker().runOnce();
    expect(await look(recovery)).toMatchObject({ state: "running", queued: 4 });
    await bringBatchDue();
    await worker().runOnce();
    expect((await look(recovery)).queued).toBe(4);
    await engine.owner.query("delete from deliveries where clinic_id = $1 and recovery_id = 0", [clinicId]);
    await bringBatchDue();
    await worker().runOnce();
    expect(await look(recovery)).toMatchObject({ state: "done", queued: 10 });
  });
});

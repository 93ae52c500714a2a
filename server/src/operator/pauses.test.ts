/** The kill switches: nothing leaves while they hold, on no node; nothing is lost; and each act is written down. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestEngine, type TestEngine, type TestWebhook } from "../../test/engine.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { createKysely, inClinic } from "../db/pool.ts";
import type { Db } from "../db/schema.ts";
import { Recoverer } from "../delivery/recover.ts";
import { Sender } from "../delivery/sender.ts";
import { Targets } from "../delivery/targets.ts";
import { sendTest } from "../delivery/test-send.ts";
import { silentLog } from "../log.ts";
import type { Notice } from "../notices/kinds.ts";
import { callOperational } from "../notices/operational-call.ts";
import { createOperationalWebhook } from "../notices/operational-webhook.ts";
import { listPauses, type PauseScope, pauseSending, resumeSending } from "./pauses.ts";

let engine: TestEngine;
let owner: Db;
let receiver: Receiver;
let other: Receiver;
let clinicId: number;
let webhook: TestWebhook;
const note = { reason: "it floods a receiver", cameFrom: "test" };
const ALL: PauseScope = { clinicId: null, webhookId: null };
const theWebhook = (): PauseScope => ({ clinicId, webhookId: webhook.id });
const theClinic = (): PauseScope => ({ clinicId, webhookId: null });

beforeAll(async () => {
  engine = await createTestEngine();
  owner = createKysely(engine.database.pools.owner);
});
afterAll(() => engine.close());
beforeEach(async () => {
  [receiver, other] = await Promise.all([createReceiver(), createReceiver()]);
  clinicId = await engine.createClinic();
  webhook = await engine.createWebhook(clinicId, { url: receiver.url });
});
afterEach(async () => {
  await engine.stopDispatchers();
  for (const pause of await listPauses(owner)) await resumeSending(owner, pause, note);
  await Promise.all([receiver.close(), other.close()]);
});

/** What is emitted afterwards to a webhook that is not paused has arrived: whatever was to leave before has left. */
async function othersGoOn(): Promise<void> {
  const apart = await engine.createClinic();
  await engine.createWebhook(apart, { url: other.url });
  await engine.emit(apart, "consult:9");
  await until("the others go on", () => other.received.length > 0);
}

describe("while sending is paused", () => {
  test.each([
    ["of a webhook", theWebhook],
    ["of its clinic", theClinic],
  ])(
    "%s nothing of it leaves, from no node, and the others go on; then everything does, in order",
    async (_, scope) => {
      await engine.startDispatcher();
      await engine.startDispatcher({ name: "second" });
      expect(await pauseSending(owner, scope(), note)).toBe(true);
      const names = ["participant.added", "consult.updated", "participant.removed"] as const;
      for (const name of names) await engine.emit(clinicId, "consult:1", name);
      await othersGoOn();
      expect(receiver.received).toEqual([]);
      const { rows } = await engine.owner.query("select attempt, begun_at from deliveries where clinic_id = $1", [
        clinicId,
      ]);
      expect(rows).toEqual(names.map(() => ({ attempt: 0, begun_at: null })));
      expect(await resumeSending(owner, scope(), note)).toBe(true);
      engine.nudge();
      await until("all have arrived", () => receiver.received.length === names.length);
      expect(receiver.received.map(({ headers }) => headers["webhook-sequence"])).toEqual(["1", "2", "3"]);
    },
  );

  test("of all, nothing of anybody leaves, not even of a webhook made meanwhile", async () => {
    await pauseSending(owner, ALL, note);
    const made = await engine.createWebhook(clinicId, { url: other.url });
    const { rows } = await engine.owner.query("select paused from webhooks where id = $1", [made.id]);
    expect(rows).toEqual([{ paused: true }]);
    await engine.startDispatcher();
    await engine.emit(clinicId, "consult:1");
    expect(await engine.store.take(1, { webhooks: 10, perWebhook: 10, suspect: false })).toMatchObject({ runs: [] });
    await engine.store.reap(); // its bells fall silent, and yet nobody is called a sleeper
    expect(await engine.store.sweep()).toBe(0);
    expect((await engine.owner.query("select from bells where clinic_id = $1", [clinicId])).rowCount).toBe(0);
    expect([receiver.received, other.received]).toEqual([[], []]);
    await resumeSending(owner, ALL, note);
    engine.nudge();
    await until("both have it", () => receiver.received.length === 1 && other.received.length === 1);
  });

  test("a probe that comes due is put off, and made once it is over", async () => {
    const park =
      "update runs set parked_at = now(), failures = 5, failing_since = now(), next_at = now() where webhook_id = $1";
    await engine.emit(clinicId, "consult:1");
    await engine.owner.query(park, [webhook.id]);
    await pauseSending(owner, theWebhook(), note);
    await engine.store.reap();
    await resumeSending(owner, theWebhook(), note);
    expect(await engine.store.sweep()).toBe(0);
    const node = await engine.store.register("node", 30_000);
    const { runs } = await engine.store.take(node, { webhooks: 10, perWebhook: 10, suspect: true });
    expect(runs).toMatchObject([{ webhookId: webhook.id, parked: true, seen: 1 }]);
  });

  test("what a node holds already goes no further than what had been begun", async () => {
    let release = () => {};
    receiver.answer = (_got, response) => {
      release = () => response.end();
    };
    await engine.owner.query("update webhooks set concurrency = 1 where id = $1", [webhook.id]);
    for (const subject of ["consult:1", "consult:2", "consult:3"]) await engine.emit(clinicId, subject);
    await engine.startDispatcher();
    await until("the first is on its way", () => receiver.received.length === 1);
    await pauseSending(owner, theWebhook(), note);
    receiver.answer = (_got, response) => response.end();
    release();
    await until("the node has let go of it", async () => {
      const { rows } = await engine.owner.query("select owner from runs where webhook_id = $1", [webhook.id]);
      return rows[0].owner === null;
    });
    await othersGoOn();
    expect(receiver.received).toHaveLength(1);
  });

  test("a recovery stands still, and goes on afterwards", async () => {
    await engine.owner.query(
      `insert into recoveries (clinic_id, webhook_id, states, from_time, until_event_id, cursor_event_id, cursor_part,
         found, left_out, counted_all, started_by, started_by_name)
       values ($1, $2, '{off}', now() - interval '1 hour', 'ffffffff-ffff-7fff-bfff-ffffffffffff',
         '00000000-0000-7000-8000-000000000000', 0, 0, 0, true, 'test', 'test')`,
      [clinicId, webhook.id],
    );
    const state = async () =>
      (await engine.owner.query("select state from recoveries where webhook_id = $1", [webhook.id])).rows[0].state;
    const recoverer = new Recoverer({ pool: engine.database.pools.dispatch, log: silentLog(), nudge: () => {} });
    await pauseSending(owner, theWebhook(), note);
    await recoverer.runOnce();
    expect(await state()).toBe("running");
    await resumeSending(owner, theWebhook(), note);
    await recoverer.runOnce();
    expect(await state()).toBe("done");
  });

  test("the clinic's operational address is not called either, and is tried again later", async () => {
    const { app, dispatch, seal, clock, egress } = engine;
    const room = { seal, clinicId, actor: "test", checkAddress: (text: string) => egress.check(text) };
    await inClinic(app, clinicId, (tx) => createOperationalWebhook(tx, room, { url: other.url }));
    const notice = {
      id: 1,
      kind: "webhook.recovered",
      webhook: null,
      details: {},
      createdAt: clock.now(),
    } as unknown as Notice;
    const tell = () => callOperational({ db: dispatch, seal, clock, egress }, clinicId, notice);
    for (const scope of [theClinic(), ALL]) {
      await pauseSending(owner, scope, note);
      expect(await tell()).toEqual({ ok: false, error: "paused", status: null, forGood: false });
      expect(other.received).toEqual([]);
      await resumeSending(owner, scope, note);
    }
    expect(await tell()).toEqual({ ok: true });
    expect(other.received).toHaveLength(1);
  });

  test("a test is not sent, and says why", async () => {
    const { app, dispatch, seal, clock, store, egress } = engine;
    const targets = new Targets({ db: dispatch, seal, clock });
    const sender = new Sender({ db: dispatch, clock, egress, targets, log: silentLog() });
    await pauseSending(owner, theClinic(), note);
    const sent = sendTest(
      { db: app, seal, clock, store, targets, sender },
      { clinicId, webhookId: webhook.id, event: "consult.updated" },
    );
    await expect(sent).rejects.toMatchObject({ status: 409, code: "sending_paused" });
    expect(receiver.received).toEqual([]);
  });
});

describe("pauses of several scopes", () => {
  test("add up: what is under two goes on when both have ended", async () => {
    await pauseSending(owner, theWebhook(), note);
    await pauseSending(owner, theClinic(), note);
    expect(await pauseSending(owner, theClinic(), note)).toBe(false);
    await resumeSending(owner, theClinic(), note);
    expect(await resumeSending(owner, theClinic(), note)).toBe(false);
    const paused = async () =>
      (await engine.owner.query("select paused from webhooks where id = $1", [webhook.id])).rows[0].paused;
    expect(await paused()).toBe(true);
    await resumeSending(owner, theWebhook(), note);
    expect(await paused()).toBe(false);
  });

  test("name a clinic and a webhook that are there", async () => {
    const missing = 999_999;
    await expect(pauseSending(owner, { clinicId: missing, webhookId: null }, note)).rejects.toMatchObject({
      status: 404,
    });
    await expect(pauseSending(owner, { clinicId, webhookId: missing }, note)).rejects.toMatchObject({ status: 404 });
    await expect(pauseSending(owner, { clinicId: null, webhookId: webhook.id }, note)).rejects.toMatchObject({
      status: 400,
    });
    expect(await listPauses(owner)).toEqual([]);
  });
});

describe("an act of the operator", () => {
  test("is written down for good, and in the audit of the clinic it concerns", async () => {
    await pauseSending(owner, theWebhook(), note);
    const acts = "select action, clinic_id, webhook_id, reason, came_from from operator_acts order by id desc limit 1";
    expect((await engine.owner.query(acts)).rows).toEqual([
      { action: "sending.paused", clinic_id: clinicId, webhook_id: webhook.id, reason: note.reason, came_from: "test" },
    ]);
    await expect(engine.owner.query("delete from operator_acts")).rejects.toThrow(/only ever added to/);
    await expect(engine.owner.query("update operator_acts set reason = ''")).rejects.toThrow(/only ever added to/);
    await expect(engine.owner.query("truncate operator_acts")).rejects.toThrow(/only ever added to/);
    const audit = "select actor, action, target from audit where clinic_id = $1 order by id";
    expect((await engine.owner.query(audit, [clinicId])).rows).toEqual([
      { actor: "operator", action: "sending.paused", target: `webhook:${webhook.id}` },
    ]);
  });

  test("cannot be undone by a clinic: what a webhook's row says of it is the database's to say", async () => {
    await pauseSending(owner, theWebhook(), note);
    await inClinic(engine.app, clinicId, (tx) =>
      tx.updateTable("webhooks").set({ paused: false }).where("clinic_id", "=", clinicId).execute(),
    );
    const { rows } = await engine.owner.query("select paused from webhooks where id = $1", [webhook.id]);
    expect(rows).toEqual([{ paused: true }]);
    await expect(
      inClinic(engine.app, clinicId, (tx) => tx.selectFrom("sending_pauses").selectAll().execute()),
    ).rejects.toThrow(/permission denied/);
  });
});

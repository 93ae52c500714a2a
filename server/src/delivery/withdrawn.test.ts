/** A delivery that was begun and of which nothing left is not begun after all; nobody says later that it may have arrived. */
import { expect, test } from "vitest";
import { clinicLog } from "../../test/clinic-log.ts";
import type { TestEngine } from "../../test/engine.ts";
import { StoreWithPause, withOwnClinic } from "../../test/own-clinic.ts";
import type { Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { silentLog } from "../log.ts";
import { runMaintenance } from "../maintenance.ts";
import type { DeliveryStore } from "./store.ts";

let engine: TestEngine;
let receiver: Receiver;
let clinicId: number;
const log = () => clinicLog(engine.owner, () => clinicId);

withOwnClinic((own) => {
  ({ engine, receiver, clinicId } = own);
});

const newStore = () => new StoreWithPause({ engine, clinicId });
const attemptsOf = async () => (await log().attempts()).map(({ attempt, outcome }) => ({ attempt, outcome }));
const begunOnes = async () => (await log().hot()).filter(({ begun_at }) => begun_at !== null);

test.each([
  { how: "at the first try", failures: 0 },
  { how: "though the database does not take it at first", failures: 2 },
])("what waits for its pace when the lease is dropped is begun anew, $how", async ({ failures }) => {
  await engine.createWebhook(clinicId, { url: receiver.url });
  for (let n = 0; n < 4; n++) await engine.emit(clinicId, `consult:${n}`);
  class UnableStore extends StoreWithPause {
    failuresLeft = failures;
    unbegun = 0;
    override async unbegin(...args: Parameters<DeliveryStore["unbegin"]>): Promise<void> {
      if (this.failuresLeft-- > 0) throw new Error("the connection is cut");
      await super.unbegin(...args);
      this.unbegun += args[0].length;
    }
    /** The turn that began them fails at its end. */
    override async release(...args: Parameters<DeliveryStore["release"]>): Promise<void> {
      if (this.unbegun === 0) throw new Error("the connection is cut");
      await super.release(...args);
    }
    override async settle(...args: Parameters<DeliveryStore["settle"]>) {
      if (this.unbegun === 0) throw new Error("the connection is cut");
      return await super.settle(...args);
    }
  }
  const store = new UnableStore({ engine, clinicId });
  await engine.startDispatcher({ store, hostPerSecond: 3 });
  await until("all are delivered", async () => (await log().finished()).length === 4);
  expect(store.unbegun).toBeGreaterThan(0);
  expect(await attemptsOf()).toEqual(Array(4).fill({ attempt: 1, outcome: "answered" }));
  expect(receiver.received).toHaveLength(4);
});

test("what was begun for a webhook that is deleted before it is sent ends as cancelled, without a word of doubt", async () => {
  const webhook = await engine.createWebhook(clinicId, { url: receiver.url });
  await engine.emit(clinicId, "consult:1");
  const store = newStore();
  store.onBegun = async () => {
    await engine.owner.query(
      "update webhooks set deleted_at = now(), updated_at = now(), version = version + 1 where id = $1",
      [webhook.id],
    );
  };
  await engine.startDispatcher({ store });
  await until("it is not begun any more", async () => (await begunOnes()).length === 0);
  await engine.stopDispatchers();
  await engine.owner.query("update webhooks set deleted_at = now() - interval '2 minutes' where id = $1", [webhook.id]);
  await runMaintenance({ owner: engine.owner, log: silentLog(), retentionDays: 60 });
  expect(await log().finished()).toMatchObject([{ state: "cancelled", reason: "deleted", attempt: 0 }]);
  expect(await log().attempts()).toEqual([]);
  expect(receiver.received).toEqual([]);
});

test("what was narrowed before it was sent, by a node that was then lost, stays narrow though it is ticked again", async () => {
  const webhook = await engine.createWebhook(clinicId, { url: receiver.url, patient: "all" });
  const choose = (patient: string) =>
    engine.owner.query(
      "update webhooks set include_patient = $2, updated_at = now(), version = version + 1 where id = $1",
      [webhook.id, patient],
    );
  await engine.emit(clinicId, "consult:1");
  class UnableStore extends StoreWithPause {
    override settle(): Promise<never> {
      return Promise.reject(new Error("the database does not take it"));
    }
  }
  const store = new UnableStore({ engine, clinicId });
  store.onBegun = async () => void (await choose("off"));
  const lost = await engine.startDispatcher({ store });
  await until("it has arrived", () => receiver.received.length === 1);
  await lost.stop();
  await engine.owner.query("update runs set owner = null, next_at = now() where clinic_id = $1", [clinicId]);
  await choose("all");
  await engine.startDispatcher();
  await until("the next node delivers", async () => (await log().finished()).length === 1);
  const bodies = receiver.received.map(({ body }) => JSON.parse(body)[0]);
  expect(bodies).toHaveLength(2);
  for (const body of bodies) expect(body).not.toHaveProperty("participant");
  expect(await attemptsOf()).toEqual([
    { attempt: 1, outcome: "unknown" },
    { attempt: 2, outcome: "answered" },
  ]);
});

test("a withdrawal that comes after another node has begun the delivery changes nothing", async () => {
  await engine.createWebhook(clinicId, { url: receiver.url });
  await engine.emit(clinicId, "consult:1");
  const all = { webhooks: 64, perWebhook: 8, suspect: false };
  const lost = await engine.store.register("lost", 30_000);
  const { begun } = await engine.store.take(lost, all);
  await engine.loseNode(lost);
  const next = await engine.store.register("next", 30_000);
  await engine.store.take(next, all);
  const before = await log().hot();
  await engine.store.unbegin(begun);
  expect(await log().hot()).toEqual(before);
  expect(before).toMatchObject([{ attempt: 2 }]);
});

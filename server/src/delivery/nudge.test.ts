/** What wakes a node after a commit of its own process: what is held is looked at, what is not is taken, and nothing else. */
import { sampleFacts } from "@hookwell/sdk";
import { describe, expect, test } from "vitest";
import type { TestEngine } from "../../test/engine.ts";
import { withOwnClinic } from "../../test/own-clinic.ts";
import type { Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { inClinic } from "../db/pool.ts";
import { emit } from "../outbox/emit.ts";
import type { Scan } from "./engine-store.ts";
import { DeliveryStore } from "./store.ts";

let engine: TestEngine;
let receiver: Receiver;
let clinicId: number;

withOwnClinic((own) => {
  ({ engine, receiver, clinicId } = own);
});

/** Takes until it is told to stop: then a node only knows what it holds. */
class StoreThatStopsTaking extends DeliveryStore {
  takes = 0;
  isTaking = true;

  override take(...args: Parameters<DeliveryStore["take"]>): Promise<Scan> {
    this.takes++;
    const nothing = { runs: [], begun: [], waiting: [], rung: [], lookedUpTo: null };
    return this.isTaking ? super.take(...args) : Promise.resolve(nothing);
  }
}

const newStore = () => new StoreThatStopsTaking(engine.database.pools.engine, engine.database.pools.pulse);

/** Commits an event without telling anybody, and returns whom it has woken. */
async function commit(subject: string): Promise<readonly number[]> {
  const { app, seal, clock } = engine;
  const facts = sampleFacts("participant.added");
  const { woken } = await inClinic(app, clinicId, (tx) => emit({ seal, clock }, tx, { clinicId, subject, facts }));
  return woken;
}

describe("a commit", () => {
  test("tells which webhooks have something to send: those that listen and are on", async () => {
    const { id } = await engine.createWebhook(clinicId, { url: receiver.url });
    await engine.createWebhook(clinicId, { url: receiver.url, enabled: false });
    await engine.createWebhook(clinicId, { url: receiver.url, events: ["participant.removed"] });
    const other = await engine.createWebhook(clinicId, { url: receiver.url });
    expect([...(await commit("consult:1"))].sort()).toEqual([id, other.id].sort());
  });

  test("that names a webhook which is held is delivered although nothing more is taken", async () => {
    await engine.createWebhook(clinicId, { url: receiver.url, concurrency: 4 });
    receiver.answer = () => {}; // an answer that is waited for keeps the webhook held
    const store = newStore();
    await engine.startDispatcher({ store });
    engine.nudge(clinicId, await commit("consult:1"));
    await until("it is held", () => receiver.received.length === 1);
    store.isTaking = false;
    engine.nudge(clinicId, await commit("consult:2"));
    await until("the second one arrives", () => receiver.received.length === 2);
    await receiver.down();
  });

  test("that names one which is not held has it taken", async () => {
    await engine.createWebhook(clinicId, { url: receiver.url });
    const store = newStore();
    store.isTaking = false;
    await engine.startDispatcher({ store });
    await until("it has looked and found nothing", () => store.takes > 0);
    const woken = await commit("consult:1");
    store.isTaking = true;
    engine.nudge(clinicId, woken);
    await until("it arrives", () => receiver.received.length === 1);
  });

  test("is told to other nodes unless all that it names is held here", async () => {
    const { id } = await engine.createWebhook(clinicId, { url: receiver.url });
    receiver.answer = () => {};
    const holder = await engine.startDispatcher();
    engine.nudge(clinicId, await commit("consult:1"));
    await until("it is held", () => receiver.received.length === 1);
    expect(holder.needsHelp(clinicId, [id + 1])).toBe(false); // it is alone
    const other = await engine.startDispatcher();
    await until("the holder knows of the other", () => holder.needsHelp(clinicId, [id + 1]));
    await until("the other knows of the holder", () => other.needsHelp(clinicId, [id]));
    expect(holder.needsHelp(clinicId, [id])).toBe(false);
    expect(holder.needsHelp(clinicId)).toBe(true);
    await receiver.down();
  });
});

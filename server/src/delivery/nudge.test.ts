/** What wakes a node after a commit of its own process: what is held is looked at, what is not is taken, and nothing else. */
import { type EventName, sampleFacts } from "@hookwell/sdk";
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

/** Holds up the first refill that is for this webhook alone, until it is let go; every other one goes on. */
class StoreWithSlowRefill extends DeliveryStore {
  slowFor: number | null = null;
  /** webhooks that are being looked at, each as often as it is */
  readonly underway: number[] = [];
  readonly twice = new Set<number>();
  readonly #go = Promise.withResolvers<void>();

  override async refill(...[owner, requests]: Parameters<DeliveryStore["refill"]>): Promise<Scan> {
    const webhooks = requests.map(({ webhookId }) => webhookId);
    for (const id of webhooks) if (this.underway.includes(id)) this.twice.add(id);
    this.underway.push(...webhooks);
    if (webhooks.length === 1 && webhooks[0] === this.slowFor) {
      this.slowFor = null;
      await this.#go.promise;
    }
    try {
      return await super.refill(owner, requests);
    } finally {
      for (const id of webhooks) this.underway.splice(this.underway.indexOf(id), 1);
    }
  }

  letGo(): void {
    this.#go.resolve();
  }
}

const newStore = () => new StoreThatStopsTaking(engine.database.pools.engine, engine.database.pools.pulse);

/** Commits an event without telling anybody, and returns whom it has woken. */
async function commit(subject: string, event: EventName = "participant.added"): Promise<readonly number[]> {
  const { app, seal, clock } = engine;
  const facts = sampleFacts(event);
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

  test("waits for no statement that looks at another webhook, and one webhook is looked at by one at a time", async () => {
    const slow = await engine.createWebhook(clinicId, {
      url: receiver.url,
      concurrency: 64,
      events: ["invoice.updated"],
    });
    await engine.createWebhook(clinicId, { url: receiver.url, concurrency: 64 });
    receiver.answer = () => {};
    const store = new StoreWithSlowRefill(engine.database.pools.engine, engine.database.pools.pulse);
    await engine.startDispatcher({ store });
    const send = async (subject: string, event: EventName) => engine.nudge(clinicId, await commit(subject, event));
    const arrived = () => receiver.received.map(({ headers }) => headers["webhook-subject"]);
    await send("invoice:1", "invoice.updated");
    await send("consult:1", "participant.added");
    await until("both are held", () => arrived().length === 2);

    store.slowFor = slow.id;
    let invoices = 1;
    while (store.slowFor !== null) {
      await send(`invoice:${++invoices}`, "invoice.updated");
      await until("it is held up or there", () => store.slowFor === null || arrived().includes(`invoice:${invoices}`));
    }
    for (const subject of ["consult:2", "consult:3"]) {
      await send(`invoice:${++invoices}`, "invoice.updated");
      await send(subject, "participant.added");
      await until("the other webhook's arrives", () => arrived().includes(subject));
    }
    expect(arrived()).not.toContain(`invoice:${invoices}`);
    store.letGo();
    await until("all arrive", () => arrived().length === invoices + 3);
    expect([...store.twice]).toEqual([]);
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

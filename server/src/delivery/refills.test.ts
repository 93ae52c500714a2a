/**
 * Refills go on beside the dispatcher's turns, and two of them beside each other: each test holds one at a chosen moment until
 * something else has happened, and tells the story of what must not be lost by it.
 */
import { sampleFacts } from "@hookwell/sdk";
import { expect, test } from "vitest";
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

/** Holds the next refill that looks at this webhook, before its statement begins or after it has ended, until it is let go. */
class Hold {
  readonly webhookId: number;
  readonly when: "before" | "after";
  isReached = false;
  readonly #go = Promise.withResolvers<void>();

  constructor(webhookId: number, when: "before" | "after") {
    this.webhookId = webhookId;
    this.when = when;
  }

  reached(): Promise<void> {
    this.isReached = true;
    return this.#go.promise;
  }

  letGo(): void {
    this.#go.resolve();
  }
}

class HeldUpStore extends DeliveryStore {
  holds: Hold[] = [];
  isTaking = true;
  settlesFail = false;
  failed = 0;

  override async refill(...[owner, requests]: Parameters<DeliveryStore["refill"]>): Promise<Scan> {
    const hold = this.holds.find(({ webhookId }) => requests.some((request) => request.webhookId === webhookId));
    this.holds = this.holds.filter((one) => one !== hold);
    if (hold?.when === "before") await hold.reached();
    const scan = await super.refill(owner, requests);
    if (hold?.when === "after") await hold.reached();
    return scan;
  }

  /** Where it takes nothing, this node hears of bells by its refills alone. */
  override take(...args: Parameters<DeliveryStore["take"]>): Promise<Scan> {
    const nothing = { runs: [], begun: [], waiting: [], rung: [], lookedUpTo: null };
    return this.isTaking ? super.take(...args) : Promise.resolve(nothing);
  }

  override settle(...args: Parameters<DeliveryStore["settle"]>): ReturnType<DeliveryStore["settle"]> {
    if (!this.settlesFail) return super.settle(...args);
    this.failed++;
    return Promise.reject(new Error("the connection is lost"));
  }

  /** From now on. */
  hold(webhookId: number, when: Hold["when"]): Hold {
    const hold = new Hold(webhookId, when);
    this.holds.push(hold);
    return hold;
  }
}

const newStore = () => new HeldUpStore(engine.database.pools.engine, engine.database.pools.pulse);
const commit = (subject: string) => {
  const event = { clinicId, subject, facts: sampleFacts("consult.updated") };
  return inClinic(engine.app, clinicId, (tx) => emit(engine, tx, event));
};
const send = async (subject: string) => engine.nudge(clinicId, (await commit(subject)).woken);
const arrived = () => receiver.received.map(({ headers }) => headers["webhook-subject"]);
const attempts = async () => {
  const rows = await engine.owner.query("select outcome, attempt from attempts where clinic_id = $1", [clinicId]);
  return rows.rows as { outcome: string; attempt: number }[];
};

/** The first request about this subject is not answered until what is returned is called. All others are at once. */
function keepOpen(subject: string): () => void {
  const first = Promise.withResolvers<void>();
  let isFirst = true;
  receiver.answer = async ({ headers }, response) => {
    if (isFirst && headers["webhook-subject"] === subject) {
      isFirst = false;
      await first.promise;
    }
    response.writeHead(200).end();
  };
  return first.resolve;
}

test("what another process commits between a settling and a scan that hears its bell is not slept over", async () => {
  const { id } = await engine.createWebhook(clinicId, {
    url: receiver.url,
    events: ["consult.updated"],
    concurrency: 8,
  });
  const answerFirst = keepOpen("consult:1");
  const store = newStore();
  await engine.startDispatcher({ store });
  await send("consult:1");
  await until("the first is in flight", () => arrived().length === 1);
  // A scan from the start that passes over the first's subject, and has not begun yet.
  const hold = store.hold(id, "before");
  await send("consult:2");
  await until("it is about to begin", () => hold.isReached);
  store.isTaking = false;
  answerFirst();
  await until("the first is settled", async () => (await attempts()).length === 1);
  await commit("consult:1"); // by another process: nobody is told here
  hold.letGo();
  await until("its next one arrives", () => arrived().filter((subject) => subject === "consult:1").length === 2);
});

test("what was begun under a lease that is lost meanwhile is given back: nobody doubts later whether it was sent", async () => {
  const { id } = await engine.createWebhook(clinicId, {
    url: receiver.url,
    events: ["consult.updated"],
    concurrency: 8,
  });
  const answerFirst = keepOpen("consult:1");
  const store = newStore();
  await engine.startDispatcher({ store });
  await send("consult:1");
  await until("it is held", () => arrived().length === 1);
  const hold = store.hold(id, "after");
  await send("consult:2");
  await until("the next one is begun, and the answer on its way", () => hold.isReached);
  store.settlesFail = true;
  answerFirst();
  await until("the lease is lost by a failure", () => store.failed > 0);
  store.settlesFail = false;
  hold.letGo();
  await until("it arrives under the next lease", () => arrived().length === 2);
  await until("both are settled", async () => (await attempts()).length === 2);
  expect(await attempts()).toEqual([
    { outcome: "answered", attempt: 1 },
    { outcome: "answered", attempt: 1 },
  ]);
});

test("a backlog goes on while webhooks that were rung are looked at", async () => {
  const events = { backlog: "consult.updated", rung: "participant.added" } as const;
  const backlog = await engine.createWebhook(clinicId, { url: receiver.url, events: [events.backlog], concurrency: 2 });
  const rung = await engine.createWebhook(clinicId, { url: receiver.url, events: [events.rung], concurrency: 8 });
  const ring = async (subject: string) => {
    const event = { clinicId, subject, facts: sampleFacts(events.rung) };
    const { woken } = await inClinic(engine.app, clinicId, (tx) => emit(engine, tx, event));
    engine.nudge(clinicId, woken);
  };
  const answerFirst = keepOpen("consult:1000");
  const store = newStore();
  await engine.startDispatcher({ store });
  await ring("consult:1000");
  await until("the one is held", () => arrived().length === 1);
  const first = store.hold(backlog.id, "before");
  // All at once, so that its bells are heard when it is taken, and never again.
  await inClinic(engine.app, clinicId, async (tx) => {
    const facts = sampleFacts(events.backlog);
    for (let n = 1; n <= 30; n++) await emit(engine, tx, { clinicId, subject: `consult:${n}`, facts });
  });
  await until("the backlog is looked at", () => first.isReached);
  const second = store.hold(rung.id, "before");
  await ring("consult:1001");
  await until("the rung one as well", () => second.isReached);
  first.letGo();
  await until("the backlog has arrived", () => arrived().length === 31);
  expect(arrived()).not.toContain("consult:1001");
  second.letGo();
  answerFirst();
  await until("the rung one's has arrived, too", () => arrived().includes("consult:1001"));
});

/** What may go wrong between a change and its delivery, one fault at a time. */
import { sampleFacts } from "@hookwell/sdk";
import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { clinicLog } from "../../test/clinic-log.ts";
import type { TestEngine } from "../../test/engine.ts";
import { readLog, reception, violations } from "../../test/history.ts";
import { StoreWithPause, withOwnClinic } from "../../test/own-clinic.ts";
import type { Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { type Clock, systemClock } from "../clock.ts";
import { inClinic } from "../db/pool.ts";
import { emit } from "../outbox/emit.ts";
import type { SettledAttempt } from "./engine-store.ts";
import { LEASE_MS } from "./lease.ts";
import { DeliveryStore } from "./store.ts";

let engine: TestEngine;
let receiver: Receiver;
let clinicId: number;
const log = () => clinicLog(engine.owner, () => clinicId);

withOwnClinic((own) => {
  ({ engine, receiver, clinicId } = own);
});

const subjects = () => receiver.received.map((r) => r.headers["webhook-subject"]);
const allDelivered = () =>
  until("all is delivered", async () => {
    await engine.bringDue();
    return (await log().hot()).length === 0;
  });

describe("a transaction", () => {
  test("that commits after a later one was already delivered is not lost", async () => {
    await engine.createWebhook(clinicId, { url: receiver.url });
    await engine.startDispatcher();
    await inClinic(engine.app, clinicId, async (tx) => {
      await emit(engine, tx, { clinicId, subject: "consult:early", facts: sampleFacts("participant.added") });
      await engine.emit(clinicId, "consult:late");
      await until("the later one is delivered", async () => (await log().finished()).length === 1);
    });
    engine.nudge();
    await allDelivered();
    expect(subjects()).toEqual(["consult:late", "consult:early"]);
    expect((await log().finished()).map((f) => f.sequence).sort()).toEqual([1, 2]);
  });

  test("that commits late while its webhook is being drained is not lost", async () => {
    await engine.createWebhook(clinicId, { url: receiver.url, concurrency: 1 });
    const waiting: (() => void)[] = [];
    receiver.answer = (_got, response) => waiting.push(() => response.writeHead(200).end());
    await engine.startDispatcher();
    await inClinic(engine.app, clinicId, async (tx) => {
      await emit(engine, tx, { clinicId, subject: "consult:early", facts: sampleFacts("participant.added") });
      for (let n = 0; n < 5; n++) await engine.emit(clinicId, `consult:${n}`);
      for (let n = 0; n < 3; n++) (await until("a request is open", () => waiting.shift()))();
      await until("three have ended", async () => (await log().finished()).length === 3);
    });
    receiver.answer = (_got, response) => response.writeHead(200).end();
    for (const release of waiting.splice(0)) release();
    await allDelivered();
    expect(subjects().toSorted()).toEqual([
      "consult:0",
      "consult:1",
      "consult:2",
      "consult:3",
      "consult:4",
      "consult:early",
    ]);
  });

  test("that rolls back sends nothing and leaves no gap in the sequence", async () => {
    await engine.createWebhook(clinicId, { url: receiver.url });
    await engine.startDispatcher();
    for (let n = 0; n < 6; n++) {
      const change = inClinic(engine.app, clinicId, async (tx) => {
        await emit(engine, tx, { clinicId, subject: `consult:${n}`, facts: sampleFacts("participant.added") });
        if (n % 2 === 1) throw new Error("refused");
      });
      await change.catch(() => {});
      engine.nudge();
    }
    await until("three are delivered", async () => (await log().finished()).length === 3);
    expect(subjects().toSorted()).toEqual(["consult:0", "consult:2", "consult:4"]);
    expect((await log().finished()).map((f) => f.sequence).sort()).toEqual([1, 2, 3]);
  });
});

describe("a database connection", () => {
  test("that is cut again and again loses nothing, keeps the order, and deliveries go on", async () => {
    const webhook = await engine.createWebhook(clinicId, { url: receiver.url });
    await engine.startDispatcher({ random: () => 0 });
    for (let n = 0; n < 60; n++) {
      await engine.emit(clinicId, `consult:${n % 7}`);
      if (n % 10 !== 5) continue;
      await until("a connection is cut", async () => {
        const { rowCount } = await engine.owner.query(
          "select pg_terminate_backend(pid) from pg_stat_activity where application_name in ('hookwell dispatch', 'hookwell engine') and datname = current_database()",
        );
        return rowCount;
      });
    }
    await allDelivered();
    expect(await log().finished()).toHaveLength(60);
    const receptions = receiver.received.map((got) => reception(String(webhook.id), got, 200));
    expect(await violations({ ...(await readLog(engine, clinicId)), receptions })).toEqual([]);
  });
});

describe("a database connection that is cut between two statements of a change", () => {
  test("fails that change alone: nothing of it is stored, and this process lives", async () => {
    await engine.createWebhook(clinicId, { url: receiver.url });
    const change = inClinic(engine.app, clinicId, async (tx) => {
      await emit(engine, tx, { clinicId, subject: "consult:1", facts: sampleFacts("participant.added") });
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
      await engine.owner.query("select pg_terminate_backend($1, 5000)", [rows[0]?.pid]);
      await emit(engine, tx, { clinicId, subject: "consult:1", facts: sampleFacts("consult.updated") });
    });
    await expect(change).rejects.toThrow();
    expect((await engine.emit(clinicId, "consult:1")).subjectVersion).toBe(1);
    expect(await log().hot()).toHaveLength(1);
  });
});

describe("a node", () => {
  test("whose lease no longer reaches in the moment before sending sends nothing, and leaves it to be sent in time", async () => {
    await engine.createWebhook(clinicId, { url: receiver.url });
    let aheadMs = 0;
    const clock: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs };
    const store = new StoreWithPause({ engine, clinicId });
    // The process stands still between claiming and sending for longer than the lease allows, once.
    store.onBegun = async () => {
      aheadMs = LEASE_MS / 2;
    };
    await engine.startDispatcher({ store, clock });
    await engine.emit(clinicId, "consult:1");
    await until("it is delivered", async () => (await log().finished()).length === 1);
    expect(aheadMs).toBeGreaterThan(0);
    expect(receiver.received.map((r) => r.headers["webhook-attempt"])).toEqual(["1"]);
    expect(await log().attempts()).toMatchObject([{ attempt: 1, status: 200 }]);
  });

  test("that was declared dead and has not heard of it yet takes nothing", async () => {
    await engine.createWebhook(clinicId, { url: receiver.url });
    await engine.emit(clinicId, "consult:1");
    const node = await engine.store.register("dead", LEASE_MS);
    await engine.loseNode(node);
    expect(await engine.store.take(node, { webhooks: 10, perWebhook: 8, suspect: false })).toMatchObject({
      runs: [],
      begun: [],
    });
    await engine.startDispatcher();
    await until("another one does", async () => (await log().finished()).length === 1);
    expect(await log().attempts()).toHaveLength(1);
  });

  test("that stops lets what is in flight end, settles it, and gives back what it holds at once", async () => {
    await engine.createWebhook(clinicId, { url: receiver.url, concurrency: 1 });
    let release: (() => void) | null = null;
    receiver.answer = (_got, response) => {
      release = () => response.writeHead(200).end();
    };
    const dispatcher = await engine.startDispatcher();
    for (let n = 0; n < 3; n++) await engine.emit(clinicId, `consult:${n}`);
    const answerFirst = await until("the first is in flight", () => release);
    const stopping = dispatcher.stop();
    receiver.answer = (_got, response) => response.writeHead(200).end();
    answerFirst();
    await stopping;
    expect(await log().finished()).toHaveLength(1);
    expect(await log().attempts()).toMatchObject([{ outcome: "answered", late: false }]);
    expect((await engine.owner.query("select from nodes")).rowCount).toBe(0);
    await engine.startDispatcher();
    await until("the next node delivers the rest", async () => (await log().hot()).length === 0);
    expect(receiver.received).toHaveLength(3); // nothing twice
  });
});

describe("a node that stops while its results cannot be written down", () => {
  test("gives up after a few tries, and leaves them to the next one", async () => {
    await engine.createWebhook(clinicId, { url: receiver.url });
    class UnableStore extends DeliveryStore {
      override settle(): Promise<never> {
        return Promise.reject(new Error("the database does not take it"));
      }
    }
    const dispatcher = await engine.startDispatcher({ store: new UnableStore(engine.database.pools.engine) });
    await engine.emit(clinicId, "consult:1");
    await until("it has arrived", () => receiver.received.length === 1);
    await dispatcher.stop();
    await engine.owner.query("update runs set owner = null, next_at = now() where clinic_id = $1", [clinicId]);
    await engine.startDispatcher();
    await until("the next one delivers", async () => (await log().finished()).length === 1);
    expect(await log().attempts()).toMatchObject([{ outcome: "unknown" }, { outcome: "answered" }]);
  });
});

describe("a settling", () => {
  async function beginOne(): Promise<SettledAttempt> {
    await engine.createWebhook(clinicId, { url: receiver.url });
    await engine.emit(clinicId, "consult:1");
    const node = await engine.store.register("one", LEASE_MS);
    const begun = (await engine.store.take(node, { webhooks: 10, perWebhook: 8, suspect: false })).begun.find(
      (b) => b.clinicId === clinicId,
    );
    if (!begun) throw new Error("nothing was begun");
    return {
      ...{
        begun,
        version: 1,
        startedMsAgo: 10,
        durationMs: 5,
        outcome: "answered",
        status: 200,
        choice: null,
        bodySent: true,
        answer: null,
      },
      next: { do: "finish", state: "delivered", reason: null },
    };
  }

  test("that is repeated because nobody knew whether it was committed changes nothing and is not called late", async () => {
    const result = await beginOne();
    expect(await engine.store.settle([result])).toHaveLength(1);
    expect(await engine.store.settle([result])).toEqual([]);
    expect(await log().attempts()).toMatchObject([{ attempt: 1, status: 200, late: false }]);
    expect(await log().finished()).toHaveLength(1);
  });

  test("of a lost claim and of the claim after it, both at once, marks the first as late and counts the second", async () => {
    const result = await beginOne();
    const next = await engine.store.register("next", LEASE_MS);
    await engine.owner.query("update runs set owner = null, next_at = now() where clinic_id = $1", [clinicId]);
    const again = (await engine.store.take(next, { webhooks: 10, perWebhook: 8, suspect: false })).begun.find(
      (b) => b.clinicId === clinicId,
    );
    if (!again) throw new Error("it was not begun again");
    expect(await engine.store.settle([result, { ...result, begun: again }])).toHaveLength(1);
    expect(await log().attempts()).toMatchObject([
      { attempt: 1, outcome: "answered", late: true },
      { attempt: 2, outcome: "answered", late: false },
    ]);
    expect(await log().finished()).toMatchObject([{ attempt: 2 }]);
  });

  test("after its node was lost still counts as long as nobody has begun the delivery again", async () => {
    const result = await beginOne();
    await engine.owner.query("update nodes set alive_until = now() - interval '1 minute'");
    await engine.store.reap();
    expect(await engine.store.settle([result])).toHaveLength(1);
    expect(await log().attempts()).toMatchObject([{ attempt: 1, late: false }]);
    expect(await log().finished()).toMatchObject([{ state: "delivered", sequence: 1 }]);
  });
});

/** Several nodes on one database, some of which vanish: nothing is lost, nothing is out of order, every doubt is recorded. */
import { sampleFacts } from "@hookwell/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestEngine, type TestEngine, type TestWebhook } from "../../test/engine.ts";
import { type History, type Reception, readLog, reception, violations } from "../../test/history.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { systemClock } from "../clock.ts";
import { inClinic } from "../db/pool.ts";
import { createLog } from "../log.ts";
import { emit } from "../outbox/emit.ts";
import { DeliveryStore } from "./store.ts";

const WEBHOOKS = 3;
const SUBJECTS = 30;
const EVENTS = 300;

let engine: TestEngine;
let receivers: Receiver[];
let webhooks: TestWebhook[];
let receptions: Reception[];
let clinicId: number;
const seed = Math.floor(Math.random() * 2 ** 31);
const random = generator(seed);

/** mulberry32: small, and the same again from its seed. */
function generator(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

beforeAll(async () => {
  engine = await createTestEngine();
});
afterAll(() => engine.close());
beforeEach(async () => {
  clinicId = await engine.createClinic();
  receptions = [];
  receivers = await Promise.all(Array.from({ length: WEBHOOKS }, createReceiver));
  webhooks = [];
  for (const receiver of receivers)
    webhooks.push(await engine.createWebhook(clinicId, { url: receiver.url, patient: "id" }));
  return async () => {
    await engine.stopDispatchers();
    await Promise.all(receivers.map((receiver) => receiver.close()));
  };
});

/** Receivers that note what they got and answered, and fail so often. */
function recordAll(failing: number): void {
  for (const [at, receiver] of receivers.entries()) {
    receiver.answer = (got, response) => {
      const status = random() < failing ? 503 : 200;
      receptions.push(reception(String(webhooks[at]?.id), got, status));
      response.writeHead(status).end();
    };
  }
}

async function emitAll(events = EVENTS): Promise<void> {
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let n = writer; n < events; n += 4) await engine.emit(clinicId, `consult:${Math.floor(random() * SUBJECTS)}`);
  });
  await Promise.all(writers);
}

/** How many webhooks each living node holds. */
async function shares(): Promise<number[]> {
  const { rows } = await engine.owner.query<{ n: number }>(
    `select (select count(*)::int from runs r where r.owner = n.id) as n from nodes n where alive_until > now()
     order by n.id`,
  );
  return rows.map(({ n }) => n);
}

/** Nobody is nudged, so that whoever takes next may be a node that vanishes. */
async function emitQuietly(count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const event = {
      clinicId,
      subject: `consult:${Math.floor(random() * SUBJECTS)}`,
      facts: sampleFacts("consult.updated"),
    };
    await inClinic(engine.app, clinicId, (tx) => emit(engine, tx, event));
  }
}

/** Takes what it can get and is never heard of again. */
async function vanishingNode(): Promise<number> {
  const ghost = await engine.store.register("ghost", 30_000);
  const taken = await engine.store.take(ghost, {
    webhooks: 2,
    perWebhook: 1 + Math.floor(random() * 8),
    suspect: false,
  });
  await engine.loseNode(ghost);
  return taken.begun.length;
}

/** A node that the others do not hear of any more: its heartbeats do not arrive. */
class UnheardStore extends DeliveryStore {
  override beat(): Promise<never> {
    return Promise.reject(new Error("no way to the database"));
  }
}

const unfinished = async () =>
  (
    await engine.owner.query<{ n: number }>("select count(*)::int as n from deliveries where clinic_id = $1", [
      clinicId,
    ])
  ).rows[0]?.n;

async function allDelivered(): Promise<void> {
  await until("all is delivered", async () => {
    await engine.bringDue();
    return (await unfinished()) === 0;
  });
}

const history = async (): Promise<History> => ({ ...(await readLog(engine, clinicId)), receptions });

describe("two nodes", () => {
  test("share the work, and without a fault everything arrives exactly once", async () => {
    recordAll(0);
    await engine.startDispatcher({ store: new DeliveryStore(engine.database.pools.engine) });
    await engine.startDispatcher({ store: new DeliveryStore(engine.database.pools.engine) });
    await emitAll();
    await allDelivered();
    expect(await violations(await history()), `seed ${seed}`).toEqual([]);
    expect(receptions).toHaveLength(EVENTS * WEBHOOKS);
  });

  test("share webhooks that have much to do evenly, also where one comes late, and what moves arrives once and in order", async () => {
    for (const receiver of receivers)
      webhooks.push(await engine.createWebhook(clinicId, { url: `${receiver.url}/2`, patient: "id" }));
    await engine.owner.query("update webhooks set concurrency = 1 where clinic_id = $1", [clinicId]);
    for (const [at, receiver] of receivers.entries()) {
      receiver.answer = (got, response) => {
        const webhook = webhooks[at + (got.path.endsWith("/2") ? WEBHOOKS : 0)];
        receptions.push(reception(String(webhook?.id), got, 200));
        // Until the shares are even nobody is so quick that his backlog ends.
        setTimeout(() => response.writeHead(200).end(), isSlow ? 500 : 0);
      };
    }
    let isSlow = true;
    await emitAll(60);
    const onGivenUp = () => engine.nudge();
    await engine.startDispatcher({ onGivenUp });
    await until("the first holds them all", async () => (await shares())[0] === 2 * WEBHOOKS);
    await engine.startDispatcher({ onGivenUp });
    await until("each holds its half", async () => String(await shares()) === String([WEBHOOKS, WEBHOOKS]));
    isSlow = false;
    await allDelivered();
    expect(await violations(await history()), `seed ${seed}`).toEqual([]);
    expect(receptions).toHaveLength(60 * 2 * WEBHOOKS);
  });

  test("one of which stops leave nothing in doubt: what was begun and waits for its pace is as if it had not been", async () => {
    recordAll(0);
    await engine.owner.query("update webhooks set pace_per_second = 5 where clinic_id = $1", [clinicId]);
    await emitAll(6);
    // By this clock no time passes, so that nothing more is sent than at once; its timers are real ones.
    const clock = { ...systemClock, monotonicMs: () => 0 };
    const stopping = await engine.startDispatcher({ clock });
    const begun = () => engine.owner.query("select from deliveries where begun_at is not null");
    const waitForPace = async () => receptions.length === WEBHOOKS && (await begun()).rows.length === WEBHOOKS;
    await until("one of each webhook was sent, and the next is begun", waitForPace);
    await stopping.stop();
    expect((await begun()).rows).toEqual([]);
    await engine.startDispatcher();
    await allDelivered();
    const judged = await history();
    expect(await violations(judged), `seed ${seed}`).toEqual([]);
    expect(judged.attempts.filter(({ isInDoubt, attempt }) => isInDoubt || attempt !== 1)).toEqual([]);
  });

  test("take over from one whose time runs out between two heartbeats", async () => {
    recordAll(0);
    await engine.startDispatcher();
    const ghost = await engine.store.register("ghost", 30_000);
    await engine.owner.query("update nodes set takes = false where id <> $1", [ghost]);
    await until("the ghost holds something", async () => {
      await emitQuietly(1); // once more, where the other node was sooner
      await engine.store.take(ghost, { webhooks: 2, perWebhook: 1, suspect: false });
      return (await engine.owner.query("select from runs where owner = $1", [ghost])).rows.length > 0;
    });
    await engine.owner.query("update nodes set alive_until = now() - interval '4 seconds' where id = $1", [ghost]);
    await allDelivered();
    expect(await violations(await history()), `seed ${seed}`).toEqual([]);
    expect((await engine.owner.query("select from nodes where name = 'ghost'")).rows).toEqual([]);
  });

  test.each([WEBHOOKS, 0])(
    "say once in their logs that another was lost, and that %i webhooks came due by it",
    async (held) => {
      const open: (() => void)[] = [];
      let isHanging = true;
      for (const receiver of receivers) {
        receiver.answer = (_got, response) => {
          if (isHanging) open.push(() => response.writeHead(200).end());
          else response.writeHead(200).end();
        };
      }
      await engine.startDispatcher({ store: new UnheardStore(engine.database.pools.engine) });
      if (held > 0) await engine.emit(clinicId, "consult:1");
      await until("it holds what it is given", async () => open.length === held && (await shares())[0] === held);
      await engine.owner.query("update nodes set alive_until = now() - interval '4 seconds'");
      const lines: unknown[] = [];
      const write = (line: string) => void lines.push(JSON.parse(line));
      const log = createLog({ destination: { write }, level: "warn" });
      await engine.startDispatcher({ log });
      await engine.startDispatcher({ log });
      const lost = async () =>
        (await engine.owner.query("select from nodes where alive_until < now()")).rows.length === 0;
      await until("it is declared dead", lost);
      isHanging = false;
      for (const answer of open) answer();
      await allDelivered();
      await engine.stopDispatchers();
      expect(lines).toMatchObject([{ level: "warn", event: "node.lost", nodes: 1, webhooks: held }]);
    },
  );

  test("beside others that vanish in the middle of their claims lose nothing, keep the order, and record every doubt", async () => {
    recordAll(0.05);
    let claimsLost = 0;
    for (let round = 0; round < 15; round++) {
      await emitQuietly(EVENTS / 15);
      claimsLost += await vanishingNode();
      claimsLost += await vanishingNode();
      expect(claimsLost, `seed ${seed}`).toBeGreaterThan(0); // the first has nobody beside it
      if (round < 2) await engine.startDispatcher({ random: () => 0 });
    }
    await allDelivered();
    const judged = await history();
    expect(await violations(judged), `seed ${seed}`).toEqual([]);
    expect(judged.committed).toHaveLength(EVENTS * WEBHOOKS);
    expect(judged.attempts.filter((a) => a.isInDoubt).length).toBeGreaterThan(0);
  });

  test("that are all declared dead while they send come back as new ones and go on", async () => {
    recordAll(0);
    await engine.startDispatcher();
    await engine.startDispatcher();
    const emitting = emitAll();
    await until("something has arrived", () => receptions.length > 50);
    await engine.passTime("40 seconds");
    await engine.store.reap();
    await emitting;
    await allDelivered();
    expect(await violations(await history()), `seed ${seed}`).toEqual([]);
    const nodes = await until("two live nodes are left", async () => {
      const { rows } = await engine.owner.query("select name from nodes where alive_until > now()");
      return rows.length === 2 ? rows : null;
    });
    expect(nodes.map((node) => node.name)).toEqual(["test", "test"]);
  });
});

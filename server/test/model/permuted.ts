/**
 * Nodes and emitters on PostgreSQL whose statements and commits come in an order that fast-check permutes.
 *
 * Each statement of the engine runs in a transaction of its own, and its commit is a step for itself: between the two, others
 * begin, wait for its locks, or commit. After each step the database is given the time to come to rest, when every statement
 * that was begun has ended or waits for a lock, so that the order of steps alone decides what happens.
 */

import { sampleFacts } from "@hookwell/sdk";
import type fc from "fast-check";
import type pg from "pg";
import { inClinic } from "../../src/db/pool.ts";
import type { Begun, Scan, SettledAttempt } from "../../src/delivery/engine-store.ts";
import { Run } from "../../src/delivery/run.ts";
import type { DeliveryStore } from "../../src/delivery/store.ts";
import { emit } from "../../src/outbox/emit.ts";
import { deliveryId } from "../../src/outbox/identifiers.ts";
import type { TestEngine } from "../engine.ts";

const LEASE_MS = 30_000;
const PLACES = 3;

/** One begun delivery, noted when its claim was committed. */
export interface Claim {
  node: string;
  begun: Begun;
  /** an earlier attempt of it was under way just then, on a node that has not been lost */
  isBeside: boolean;
}

export interface NodePlan {
  turns: number;
  /** the turn in which it begins deliveries and is never heard of again; its result may come late */
  isLostAt: number;
  settlesLate: boolean;
  /** which of its attempts fail, by their order */
  fails: readonly boolean[];
}

/** The engine's statements over a pool, or over one connection of it. */
export type StoreOver = (pool: pg.Pool) => DeliveryStore;

export class Stage {
  readonly engine: TestEngine;
  readonly clinicId: number;
  readonly claims: Claim[] = [];
  /** deliveries whose attempt a living node has not settled yet */
  readonly underWay = new Set<string>();
  readonly #scheduler: fc.Scheduler;
  readonly #storeOver: StoreOver;
  readonly #arrived: { name: string; goOn: () => void }[] = [];
  #acting = 0;

  constructor(
    engine: TestEngine,
    clinicId: number,
    { scheduler, storeOver }: { scheduler: fc.Scheduler; storeOver: StoreOver },
  ) {
    this.engine = engine;
    this.clinicId = clinicId;
    this.#scheduler = scheduler;
    this.#storeOver = storeOver;
  }

  /** Somebody acts: the stage plays until all have ended. */
  act(actor: () => Promise<void>): Promise<void> {
    this.#acting++;
    return actor().finally(() => {
      this.#acting--;
    });
  }

  claim(node: string, begun: Begun): void {
    this.claims.push({ node, begun, isBeside: this.underWay.has(deliveryId(begun)) });
    this.underWay.add(deliveryId(begun));
  }

  /** These attempts are settled, or lost with their node: another may be begun. */
  over(begun: readonly Begun[]): void {
    for (const one of begun) this.underWay.delete(deliveryId(one));
  }

  async play(): Promise<void> {
    for (;;) {
      await this.#comeToRest();
      this.#queue();
      if (this.#scheduler.count() > 0) await this.#scheduler.waitOne();
      else if (this.#acting === 0) return;
    }
  }

  /** A point at which others may come first. */
  turn(name: string): Promise<void> {
    return new Promise((goOn) => this.#arrived.push({ name, goOn }));
  }

  /** Who has come first to his turn is chance; by name, the same choices of the scheduler are the same order again. */
  #queue(): void {
    for (const { name, goOn } of this.#arrived.splice(0).sort((a, b) => (a.name < b.name ? -1 : 1)))
      void this.#scheduler.schedule(Promise.resolve(), name).then(goOn);
  }

  /** One statement of the store and, as a step for itself, its commit. */
  async statement<Answer>(name: string, work: (store: DeliveryStore) => Promise<Answer>): Promise<Answer> {
    await this.turn(name);
    const client = await this.engine.database.pools.engine.connect();
    try {
      await client.query("begin");
      const answer = await work(this.#storeOver(client as unknown as pg.Pool));
      await this.turn(`${name}: commit`);
      await client.query("commit");
      return answer;
    } catch (error) {
      await client.query("rollback");
      throw error;
    } finally {
      client.release();
    }
  }

  /** Emits about subjects in one transaction, whose commit is a step for itself. */
  async emit(name: string, subjects: readonly string[]): Promise<void> {
    await this.turn(name);
    await inClinic(this.engine.app, this.clinicId, async (tx) => {
      for (const subject of subjects) {
        await emit(this.engine, tx, { clinicId: this.clinicId, subject, facts: sampleFacts("consult.updated") });
      }
      await this.turn(`${name}: commit`);
    });
  }

  /** Until everybody who acts has come to a turn of his, has ended, or waits for a lock. */
  async #comeToRest(): Promise<void> {
    for (let calm = 0; calm < 2; ) {
      await new Promise((fulfil) => setImmediate(fulfil));
      const atTurn = this.#scheduler.count() + this.#arrived.length;
      const isAtRest = atTurn === this.#acting || atTurn + (await this.#waiting()) === this.#acting;
      calm = isAtRest ? calm + 1 : 0;
    }
  }

  async #waiting(): Promise<number> {
    const { rows } = await this.engine.owner.query<{ n: number }>(
      "select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
    );
    return rows[0]?.n ?? 0;
  }
}

/** What the dispatcher does in its turns, on the real Run and store, a statement at a time. */
export class SteppedNode {
  readonly #stage: Stage;
  readonly #name: string;
  readonly #plan: NodePlan;
  readonly #runs = new Map<number, Run>();
  #owner = 0;
  #results: { run: Run; begun: Begun }[] = [];
  #attempts = 0;
  #isLost = false;

  constructor(stage: Stage, name: string, plan: NodePlan) {
    this.#stage = stage;
    this.#name = name;
    this.#plan = plan;
  }

  /** Its turns, and then it stops in good order; or it is lost. */
  async work(): Promise<void> {
    const { store } = this.#stage.engine;
    this.#owner = await store.register(this.#name, LEASE_MS);
    for (let turn = 0; turn < this.#plan.turns; turn++) {
      await this.#settle();
      await this.#take();
      if (turn === this.#plan.isLostAt) return this.#vanish();
      await this.#refill();
      await this.#release((run) => run.canSleep(Number.POSITIVE_INFINITY));
    }
    while (this.#results.length > 0) await this.#settle();
    await this.#release(() => true);
    await store.retire(this.#owner);
  }

  /** Its lease runs out, others take over, and its results come when nobody waits for them any more. */
  async #vanish(): Promise<void> {
    await this.#stage.turn(`${this.#name} is lost`);
    this.#isLost = true;
    this.#stage.over(this.#results.map(({ begun }) => begun));
    await this.#stage.engine.loseNode(this.#owner);
    if (this.#plan.settlesLate) await this.#settle();
  }

  async #take(): Promise<void> {
    const request = { webhooks: 64, perWebhook: 2, suspect: false };
    const scan = await this.#stage.statement(`${this.#name} takes`, (store) => store.take(this.#owner, request));
    for (const found of scan.runs) {
      const begun = scan.begun.filter(({ webhookId }) => webhookId === found.webhookId);
      this.#runs.set(found.webhookId, new Run(found, begun.length, 0));
    }
    for (const key of scan.rung) this.#runs.get(key.webhookId)?.rung();
    this.#handle(scan);
  }

  async #refill(): Promise<void> {
    const asked = [...this.#runs.values()].flatMap((run) => {
      const refill = run.nextRefill(PLACES - run.inFlightCount, 0);
      return refill ? [{ run, ...refill }] : [];
    });
    if (asked.length === 0) return;
    const requests = asked.map(({ request }) => request);
    const scan = await this.#stage.statement(`${this.#name} refills`, (store) => store.refill(this.#owner, requests));
    for (const { run, scans } of asked) {
      const found = scan.runs.find(({ webhookId }) => webhookId === run.webhookId);
      if (found) run.refilled(found, scans);
      else run.gone = true;
    }
    this.#handle(scan);
  }

  #handle(scan: Scan): void {
    for (const { webhookId, orderKey } of scan.waiting) this.#runs.get(webhookId)?.waits(orderKey, 0);
    for (const begun of scan.begun) {
      const run = this.#runs.get(begun.webhookId);
      if (!run) throw new Error("a delivery was begun for a webhook that this node does not hold");
      run.begun(begun);
      this.#stage.claim(this.#name, begun);
      this.#results.push({ run, begun });
    }
  }

  async #settle(): Promise<void> {
    const batch = this.#results.splice(0);
    if (batch.length === 0) return;
    const rows = batch.map(({ begun }) => this.#resultOf(begun));
    const counted = await this.#stage.statement(`${this.#name} settles`, (store) => store.settle(rows));
    if (!this.#isLost) this.#stage.over(batch.map(({ begun }) => begun));
    for (const [at, { run, begun }] of batch.entries()) {
      const found = counted.find(({ id }) => id === begun.id);
      run.settled(begun.orderKey, rows[at]?.next.do === "retry" ? 0 : null, found?.hasNext ?? true);
    }
  }

  #resultOf(begun: Begun): SettledAttempt {
    const isFailure = this.#plan.fails[this.#attempts++ % this.#plan.fails.length] === true;
    const said = {
      outcome: "answered",
      status: isFailure ? 500 : 200,
      choice: begun.choice,
      bodySent: true,
      answer: null,
    };
    const next = isFailure
      ? { do: "retry" as const, inMs: 0 }
      : { do: "finish" as const, state: "delivered" as const, reason: null };
    return { begun, version: 1, startedMsAgo: 0, durationMs: 1, ...said, next };
  }

  async #release(which: (run: Run) => boolean): Promise<void> {
    const asleep = [...this.#runs.values()].filter(which);
    if (asleep.length === 0) return;
    const rows = asleep.map((run) => {
      const { clinicId, webhookId, fence, version } = run;
      return { clinicId, webhookId, fence, version, nextInMs: run.sleepMs(0) };
    });
    await this.#stage.statement(`${this.#name} releases`, (store) => store.release(this.#owner, rows));
    for (const { webhookId } of asleep) this.#runs.delete(webhookId);
  }
}

/** A simulated world: one database, some nodes, a clinic, receivers; and what keeps and starts its nodes. */
import type { RunKey, Scan } from "../../src/delivery/engine-store.ts";
import { deliveryId } from "../../src/outbox/identifiers.ts";
import { ModelStore, type Seen } from "../model/model-store.ts";
import type { WebhookRow } from "../model/tables.ts";
import type { Breakage } from "./breakages.ts";
import { SimulatedClinic } from "./clinic.ts";
import { SimulatedDatabase } from "./database.ts";
import { SimulatedDatabaseClock } from "./database-clock.ts";
import { GOOD_HABITS, SimulatedNetwork } from "./network.ts";
import { SimulatedNode } from "./node.ts";
import { type Plan, planOf } from "./plan.ts";
import { SeededRandom } from "./random.ts";
import { Timeline } from "./timeline.ts";

const WORD_TAKES_MS = 5;
const WORD_LOST = 0.2;
const STARTED_AGAIN_AFTER_MS = 1_000;
/** A node that does not stop by then is no longer waited for, as no operating system would. */
const STOP_LIMIT_MS = 10 * 60_000;

/** A line of a node's log, from a warning on. */
export interface Complaint {
  node: string;
  event: string;
  /** the kind of error, where there was one */
  kind: string | null;
}

export class World {
  readonly timeline: Timeline;
  readonly databaseClock: SimulatedDatabaseClock;
  readonly random: SeededRandom;
  readonly plan: Plan;
  readonly model: ModelStore;
  readonly database: SimulatedDatabase;
  readonly network: SimulatedNetwork;
  readonly clinic: SimulatedClinic;
  readonly complaints: Complaint[] = [];
  /** webhooks that slept in vain at some moment, and when that was first seen */
  readonly sleepers = new Map<number, number>();
  /** what each webhook was, one after the other, and from when on, in ms of simulated time */
  readonly settings: { fromMs: number; row: WebhookRow }[] = [];
  /** by webhook-id and attempt: when what began it looked at the tables, each time that it was begun, in ms of simulated time */
  readonly claims = new Map<string, number[]>();
  /** by attempt row: when it says that the attempt started, in ms of simulated time */
  readonly starts = new Map<string, number>();
  /** by webhook-id: when a delivery has ended, each time, in ms of simulated time */
  readonly ends = new Map<string, number[]>();
  readonly breakage: Breakage | null;
  nodes: SimulatedNode[] = [];
  /** nodes are started again when they end, until the world ends */
  isEnding = false;
  /** when everything had ended for the first time, managers asked for what had not arrived */
  hasRecovered = false;
  #nodesMade = 0;
  #nudges = 0;

  private constructor(
    parts: Pick<World, "random" | "plan" | "model" | "clinic" | "breakage" | "timeline" | "databaseClock">,
  ) {
    this.timeline = parts.timeline;
    this.databaseClock = parts.databaseClock;
    this.random = parts.random;
    this.plan = parts.plan;
    this.model = parts.model;
    this.clinic = parts.clinic;
    this.breakage = parts.breakage;
    this.database = new SimulatedDatabase(this.timeline, this.random.fork());
    this.network = new SimulatedNetwork(this.timeline, this.random.fork());
    this.database.watch = () => {
      for (const { webhookId } of this.model.sleepers()) this.sleepers.set(webhookId, this.timeline.nowMs);
      // With a seeded bug all is known by then, and what follows may take long.
      if (this.breakage && this.sleepers.size > 0) this.timeline.fail(new Error("a webhook slept in vain"));
    };
    this.#noteSettings();
    this.#noteClaims();
    this.#noteStarts();
    this.#noteEnds();
    for (const webhook of this.plan.webhooks) {
      const key = this.clinic.addWebhook(webhook);
      this.network.habits.set(this.model.tables.webhook(key).host, webhook.habits);
    }
  }

  static async create(seed: number, breakage: Breakage | null): Promise<World> {
    const timeline = new Timeline();
    const random = new SeededRandom(seed);
    const plan = planOf(random.fork());
    const databaseClock = new SimulatedDatabaseClock(timeline);
    const model = new ModelStore(() => databaseClock.nowMs);
    breakage?.model?.(model);
    const clinic = await SimulatedClinic.create({ model, timeline, databaseClock, random: random.fork() });
    breakage?.clinic?.(clinic, model);
    return new World({ timeline, databaseClock, random, plan, model, clinic, breakage });
  }

  #noteSettings(): void {
    const { webhooks } = this.model.tables;
    const set = webhooks.set.bind(webhooks);
    webhooks.set = (name, row) => {
      this.settings.push({ fromMs: this.timeline.nowMs, row });
      return set(name, row);
    };
  }

  #noteClaims(): void {
    const { model, timeline, claims } = this;
    const looked = new WeakMap<Seen, number>();
    const [snapshot, take, refill] = [model.snapshot, model.takeAsSeen, model.refillAsSeen].map((it) =>
      it.bind(model),
    ) as [ModelStore["snapshot"], ModelStore["takeAsSeen"], ModelStore["refillAsSeen"]];
    const note = (seen: Seen, scan: Scan): Scan => {
      for (const begun of scan.begun) {
        const name = `${deliveryId(begun)}#${begun.attempt}`;
        claims.set(name, [...(claims.get(name) ?? []), looked.get(seen) ?? timeline.nowMs]);
      }
      return scan;
    };
    model.snapshot = () => {
      const seen = snapshot();
      looked.set(seen, timeline.nowMs);
      return seen;
    };
    model.takeAsSeen = (seen, asked) => note(seen, take(seen, asked));
    model.refillAsSeen = (seen, asked) => note(seen, refill(seen, asked));
  }

  /** A row tells it by the database's clock, which may have been set since what it tells of was begun. */
  #noteStarts(): void {
    const { timeline, databaseClock, claims, starts } = this;
    const { attempts } = this.model.tables;
    const set = attempts.set.bind(attempts);
    attempts.set = (name, row) => {
      const begunMs = claims.get(`${deliveryId(row)}#${row.attempt}`)?.at(-1);
      const toldMs = timeline.nowMs - (databaseClock.nowMs - row.startedAt);
      starts.set(name, row.outcome === "unknown" ? (begunMs ?? toldMs) : toldMs);
      return set(name, row);
    };
  }

  #noteEnds(): void {
    const { finished } = this.model.tables;
    const set = finished.set.bind(finished);
    finished.set = (name, row) => {
      const id = deliveryId(row);
      this.ends.set(id, [...(this.ends.get(id) ?? []), this.timeline.nowMs]);
      return set(name, row);
    };
  }

  /** A manager gives a webhook another address; what is there may be as bad as what was at the old one. */
  move(key: RunKey): void {
    const { host } = this.model.tables.webhook(key);
    const habits = this.random.pick([GOOD_HABITS, this.network.habits.get(host) ?? GOOD_HABITS]);
    const moved = this.clinic.move(key);
    if (moved !== null) this.network.habits.set(moved, habits);
  }

  /** Starts a node; one whose start fails is killed, and another started a little later, as a supervisor does. */
  startNode(): void {
    const node = new SimulatedNode(`node ${++this.#nodesMade}`, this);
    this.nodes.push(node);
    node.dispatcher.start().catch(() => {
      this.kill(node);
      this.timeline.after(STARTED_AGAIN_AFTER_MS, () => !this.isEnding && this.startNode());
    });
  }

  kill(node: SimulatedNode): void {
    node.process.kill();
    this.nodes = this.nodes.filter((other) => other !== node);
  }

  /** Stops a node in good order; whatever comes of it, the process ends. */
  async stop(node: SimulatedNode): Promise<void> {
    this.nodes = this.nodes.filter((other) => other !== node);
    this.timeline.trace(`${node.process.name} is told to stop`);
    await node.dispatcher.stop().catch(() => {});
    node.process.kill();
  }

  async stopAll(): Promise<void> {
    const stopping = Promise.all(this.nodes.map((node) => this.stop(node)));
    await this.timeline.runUntilKept(stopping, STOP_LIMIT_MS);
  }

  /** A commit has told one of the nodes, if any, that there is something to do: with names every other time, as the feed does. */
  nudge(): void {
    if (this.nodes.length === 0 || this.random.chance(0.3)) return;
    const node = this.random.pick(this.nodes);
    const [key] = this.clinic.webhooks;
    const webhookIds = ++this.#nudges % 2 === 0 ? this.clinic.webhooks.map(({ webhookId }) => webhookId) : undefined;
    node.process.reach(() => node.dispatcher.nudge(key?.clinicId, webhookIds));
  }

  /** Word between processes: some of it is lost. */
  tellOthers(teller: SimulatedNode): void {
    for (const node of this.nodes) {
      if (node === teller || this.random.chance(WORD_LOST)) continue;
      this.timeline.after(WORD_TAKES_MS, () => node.process.reach(() => node.dispatcher.nudge()));
    }
  }

  heard(node: string, line: string): void {
    const { event, err } = JSON.parse(line) as { event: string; err?: { kind: string } };
    this.timeline.trace(`${node} complains: ${event} ${err?.kind ?? ""}`);
    this.complaints.push({ node, event, kind: err?.kind ?? null });
  }
}

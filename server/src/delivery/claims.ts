/**
 * What this node holds: it leases webhooks that have due work, begins their deliveries as far as there are places, and puts
 * them to sleep when they have nothing to do.
 *
 * Owns: the runs that are held, when the next TAKE of each pool is due, this node's share beside others. Promises: an attempt
 * is marked as begun before it is handed over to be sent (underway.ts), and nothing is begun under a lease that no longer
 * reaches. TAKE and REFILL may fill the same free places, so that neither keeps the other out; what is too much waits for a
 * place in this process. Does not: know what a webhook still has to look at (run.ts), send, settle.
 */
import type { Clock } from "../clock.ts";
import { type EngineStore, nameOf, type Scan, type Vitals } from "./engine-store.ts";
import { Held } from "./held.ts";
import type { Lease } from "./lease.ts";
import type { Pool } from "./places.ts";
import { Round } from "./round.ts";
import { Run } from "./run.ts";
import { Share } from "./share.ts";
import type { Underway } from "./underway.ts";
import { POLL_MS } from "./wake.ts";

const WEBHOOKS_TAKEN_MAX = 64;
const BEGUN_PER_TAKE_MAX = 8;
/** Those whose receivers are in doubt can wait a little: what is healthy waits while they are looked for. */
export const SUSPECTS_TAKEN_EVERY_MS = 50;
const SUSPECTS_POLL_MS = 2_000;
const POOLS: readonly Pool[] = ["healthy", "suspect"];

export interface ClaimsOptions {
  store: EngineStore;
  clock: Clock;
  lease: Pick<Lease, "nodeId" | "maySend">;
  underway: Underway;
  /** there may be more to look at: the next turn should come at once */
  onMore: () => void;
}

export class Claims {
  readonly #options: ClaimsOptions;
  readonly #runs = new Held();
  readonly #share = new Share<Run>();
  readonly #rounds: Record<Pool, Round> = {
    healthy: new Round(0, POLL_MS),
    suspect: new Round(SUSPECTS_TAKEN_EVERY_MS, SUSPECTS_POLL_MS),
  };
  /** what has committed since the last turn: clinics, and webhooks by their names where those are known */
  readonly #nudgedBy = { clinics: new Set<number>(), webhooks: new Set<string>() };

  constructor(options: ClaimsOptions) {
    this.#options = options;
  }

  /**
   * Something may be due, of this clinic where it is known: then what is held of it is looked at without a TAKE. Where its
   * webhooks are known, too, there is a TAKE only for those that are not held.
   */
  nudge(clinicId?: number, webhookIds?: readonly number[]): void {
    if (clinicId === undefined || webhookIds === undefined) this.#takeSoon();
    if (clinicId === undefined) return;
    if (webhookIds === undefined) this.#nudgedBy.clinics.add(clinicId);
    else for (const webhookId of webhookIds) this.#nudgedBy.webhooks.add(nameOf({ clinicId, webhookId }));
  }

  /** Whether these webhooks are known, and all held here. */
  holdsAll(clinicId?: number, webhookIds?: readonly number[]): boolean {
    if (clinicId === undefined || webhookIds === undefined) return false;
    return webhookIds.every((webhookId) => this.#runs.get({ clinicId, webhookId }) !== undefined);
  }

  #takeSoon(): void {
    for (const pool of POOLS) this.#rounds[pool].nudge();
  }

  /** Learns what a heartbeat said, and gives up what is more than this node's share. Returns whether that is any. */
  shareOut(vitals: Vitals): boolean {
    // A parked webhook is held for its probe only, one that backs off for nothing yet: they are no burden.
    const now = this.#now();
    const burden = [...this.#runs.all()].filter((run) => !run.health.isParked && run.backsOffMs(now) === 0);
    return this.#share.beat(vitals, burden) > 0;
  }

  /** Begins what there are places for: of webhooks that are taken now and, beside it, of those held, in turn. */
  async fill(): Promise<void> {
    const { clinics, webhooks } = this.#nudgedBy;
    this.#runs.hear(clinics);
    if (!this.#runs.hearAll(webhooks, this.#now())) this.#takeSoon();
    clinics.clear();
    webhooks.clear();
    await allEnded([this.#takeBoth(), this.#refill()]);
  }

  async #takeBoth(): Promise<void> {
    await this.#take("healthy");
    await this.#take("suspect");
  }

  async #take(pool: Pool): Promise<void> {
    const { store, lease, underway, onMore } = this.#options;
    const places = underway.free(pool);
    const round = this.#rounds[pool];
    if (places <= 0 || round.msUntilDue(this.#now()) > 0 || !lease.maySend()) return;
    round.began(this.#now());
    const suspect = pool === "suspect";
    const room = this.#share.room(this.#runs.size);
    const webhooks = Math.min(WEBHOOKS_TAKEN_MAX, places, room || Number.POSITIVE_INFINITY);
    const perWebhook = Math.max(1, Math.min(BEGUN_PER_TAKE_MAX, Math.floor(places / webhooks)));
    const scan = await store.take(lease.nodeId, {
      ...{ webhooks, perWebhook, suspect, room: room > 0 },
      ...(round.after && { after: round.after }),
    });
    const now = this.#now();
    const isNew = scan.rung.some((key) => this.#runs.get(key)?.isNews(now));
    for (const key of scan.rung) this.#runs.get(key)?.rung(key.version);
    const taken = scan.runs.length;
    round.ended({ hasTaken: taken > 0, isNew, isFull: taken === webhooks, upTo: scan.lookedUpTo }, now);
    const begun = Map.groupBy(scan.begun, nameOf);
    for (const found of scan.runs) this.#hold(new Run(found, begun.get(nameOf(found))?.length ?? 0, now));
    this.#handOver(scan);
    if (taken + scan.rung.length > 0) onMore();
  }

  #hold(run: Run): void {
    const now = this.#now();
    this.#runs.add(run);
    if (run.recoveredMs !== null) this.#options.underway.paced.of(run, now).riseFrom(run.recoveredMs, now);
  }

  async #refill(): Promise<void> {
    const { store, lease, underway, onMore } = this.#options;
    if (!lease.maySend()) return;
    const places = underway.allFree();
    const placesOf = (run: Run) => underway.placesOf(run);
    const asked = this.#runs.nextRefills({ places, placesOf, nowMs: this.#now() });
    if (asked.size === 0) return;
    const requests = [...asked.values()].map(({ request }) => request);
    const scan = await store.refill(lease.nodeId, requests);
    this.#runs.noteRefilled(asked, scan.runs);
    this.#handOver(scan);
    onMore(); // there may be more windows to look at
  }

  #handOver(scan: Scan): void {
    const now = this.#now();
    for (const waiting of scan.waiting) {
      this.#runs.get(waiting)?.waits(waiting.orderKey, now + waiting.dueInMs);
    }
    const { underway } = this.#options;
    for (const begun of scan.begun) {
      const run = this.#runs.get(begun);
      if (!run) throw new Error("a delivery was begun for a webhook that this node does not hold");
      underway.add(run, begun);
    }
    underway.sendWhatMay();
  }

  /**
   * Puts runs to sleep that have nothing to do; on stopping all of them. What was not looked at to the end is due at once.
   * Returns whether some of them were given up for others to take.
   */
  async putToSleep({ stopping }: { stopping: boolean }): Promise<boolean> {
    const now = this.#now();
    const idle: Run[] = [];
    for (const run of this.#runs.all()) if (stopping || run.canSleep(now)) idle.push(run);
    if (idle.length === 0) return false;
    const asleep = idle.map((run) => {
      const { clinicId, webhookId, fence, version } = run;
      const yields = !stopping && this.#share.isYielded(run);
      return { clinicId, webhookId, fence, version, nextInMs: run.sleepMs(now), yields };
    });
    await this.#options.store.release(this.#options.lease.nodeId, asleep);
    this.#runs.remove(idle);
    // We know when the first of them is due, and need not find out by polling.
    const soonestMs = Math.min(...asleep.map(({ nextInMs }) => nextInMs ?? Number.POSITIVE_INFINITY));
    for (const pool of POOLS) this.#rounds[pool].dueAt(this.#now() + soonestMs);
    return asleep.some(({ yields }) => yields);
  }

  /** The lease is lost: nothing that was held is ours any more. */
  forgetAll(): void {
    this.#runs.clear();
  }

  /** ms until there may be something to begin, or a run may sleep. */
  msUntilNext(nowMs: number): number {
    const { underway } = this.#options;
    const places = underway.allFree();
    let wait = Number.POSITIVE_INFINITY;
    for (const pool of POOLS) {
      if (places[pool] > 0) wait = Math.min(wait, this.#rounds[pool].msUntilDue(nowMs));
    }
    for (const run of this.#runs.all()) {
      if (run.isFull) continue;
      const backsOffMs = run.backsOffMs(nowMs);
      if (backsOffMs > 0) {
        wait = Math.min(wait, backsOffMs);
        continue;
      }
      const due = run.nextDueInMs(nowMs);
      if (due !== null && places[run.pool] > 0) wait = Math.min(wait, due);
      // What is due already waits for a place, and stays held for it: whoever leaves one wakes the loop.
      if (due !== 0) wait = Math.min(wait, run.lingersMs(nowMs));
      if (!run.canSleep(nowMs)) {
        const pause = underway.paced.of(run, nowMs).msUntilNext(nowMs);
        if (pause > 0) wait = Math.min(wait, pause);
      }
    }
    return wait;
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }
}

/** Waits until all have ended, whatever fails, and then throws the first failure: what goes on unseen would find another state. */
async function allEnded(works: readonly Promise<void>[]): Promise<void> {
  for (const ended of await Promise.allSettled(works)) if (ended.status === "rejected") throw ended.reason;
}

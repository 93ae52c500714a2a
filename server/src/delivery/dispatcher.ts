/**
 * The dispatcher: leases webhooks that have due work and drains each with its own concurrency, pace and order per subject.
 *
 * Owns: which runs this node holds, the places for requests in flight, the loop. Promises: an attempt is marked as begun
 * before anything is sent; no transaction is open while something is sent; nothing is sent under a lease that could end
 * before the request's deadline; every attempt's outcome is settled, fenced, or left to the next holder as "unknown".
 * Does not: hold SQL (store.ts), know what a webhook still has to look at (run.ts), send (sender.ts), decide (policy.ts).
 *
 * One turn of the loop: begin to settle what came back → take new runs and, beside it, refill those we hold, in turn → put
 * idle ones to sleep → wait. Both may fill the same free places, so that neither keeps the other out; what is too much waits
 * for a place in this process. Settling goes on beside them, one batch after another: what is being settled still counts as
 * in flight, so a scan passes over it, and its subject is looked at again once it is settled.
 */
import type { Clock } from "../clock.ts";
import type { Db } from "../db/schema.ts";
import type { Egress } from "../egress/client.ts";
import { type Log, logEvent } from "../log.ts";
import type { Seal } from "../seal/seal.ts";
import { type Begun, type EngineStore, nameOf, type Scan } from "./engine-store.ts";
import { Held } from "./held.ts";
import { Lease } from "./lease.ts";
import { HOST_PACE_DEFAULT_PER_SECOND, Paced } from "./paced.ts";
import { Places, type Pool } from "./places.ts";
import { Round } from "./round.ts";
import { Run } from "./run.ts";
import { Sender } from "./sender.ts";
import { type Settled, Settler } from "./settler.ts";
import { Share } from "./share.ts";
import { Targets } from "./targets.ts";
import { POLL_MS, Wake } from "./wake.ts";
import { Withdrawn } from "./withdrawn.ts";

const WEBHOOKS_TAKEN_MAX = 64;
const BEGUN_PER_TAKE_MAX = 8;
/** Those whose receivers are in doubt can wait a little; the healthy ones come first. */
const SUSPECTS_TAKEN_EVERY_MS = 50;
/** Deliveries that were begun and wait for their pace, at most; beyond it nothing more is begun. */
const UNSENT_MAX = 2_000;
const SUSPECTS_POLL_MS = 2_000;
const AFTER_FAILURE_MS = 500;
const FAILED_TURNS_ON_STOP_MAX = 5;

export interface DispatcherOptions {
  store: EngineStore;
  /** runs as hookwell_dispatch */
  db: Db;
  seal: Seal;
  egress: Egress;
  clock: Clock;
  log: Log;
  /** shown to operators: host and process */
  name: string;
  /** no other process can have this database open, so every other node is dead (the embedded database) */
  alone?: boolean;
  /** requests a second to one host, over all clinics and nodes */
  hostPerSecond?: number;
  /** webhooks were given up that are due at once: the other nodes should look */
  onGivenUp?: () => void;
  /** an attempt was written down */
  onSettled?: ((settled: Settled) => void) | undefined;
  random?: () => number;
}

const POOLS: readonly Pool[] = ["healthy", "suspect"];

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #lease: Lease;
  readonly #sender: Sender;
  readonly #wake: Wake;
  readonly #runs = new Held();
  readonly #paced: Paced;
  readonly #places = new Places();
  readonly #settler: Settler;
  readonly #withdrawn: Withdrawn;
  readonly #share = new Share<Run>();
  readonly #rounds: Record<Pool, Round> = {
    healthy: new Round(0, POLL_MS),
    suspect: new Round(SUSPECTS_TAKEN_EVERY_MS, SUSPECTS_POLL_MS),
  };
  /** clinics that have committed something since the last turn */
  readonly #nudgedBy = new Set<number>();
  #stopping = false;
  #loop: Promise<void> | null = null;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#wake = new Wake(options.clock);
    this.#sender = new Sender({ ...options, targets: new Targets(options) });
    this.#lease = new Lease({
      ...options,
      onChange: () => this.#wake.ring(),
      onOrphans: () => this.nudge(),
      onBeat: (vitals) => {
        if (!this.#stopping && this.#share.beat(vitals, this.#sharedRuns()) > 0) this.#wake.ring();
      },
    });
    const { store, clock, onSettled, hostPerSecond = HOST_PACE_DEFAULT_PER_SECOND } = options;
    this.#paced = new Paced({
      ...{ hostPerSecond, liveNodes: () => this.#lease.liveNodes },
      reachedBy: (host) => options.egress.reachedBy(host),
    });
    this.#withdrawn = new Withdrawn(store);
    const onEnd = () => this.#wake.ring();
    this.#settler = new Settler({
      store,
      clock,
      paced: this.#paced,
      nodeId: () => this.#lease.nodeId,
      onEnd,
      onSettled,
    });
  }

  /** Registers this node and begins to deliver. */
  async start(): Promise<void> {
    await this.#lease.start();
    this.#loop = this.#work();
  }

  /**
   * Something may be due: called after a commit that emitted, with the clinic where it is known. What this node holds of it
   * is looked at without being told so by a TAKE.
   */
  nudge(clinicId?: number): void {
    if (clinicId !== undefined) this.#nudgedBy.add(clinicId);
    this.#takeSoon();
    this.#wake.ring();
  }

  /** There are other nodes, and this one has every place taken or is stopping: they would be sooner. */
  get needsHelp(): boolean {
    return this.#lease.liveNodes > 1 && (this.#stopping || this.#freePlaces("healthy") === 0);
  }

  /** Takes nothing new, lets what is in flight end, settles it, gives the leases back. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#lease.stopTaking();
    this.#wake.ring();
    try {
      await this.#loop;
    } finally {
      await this.#lease.stop();
    }
    this.#options.onGivenUp?.();
  }

  /** A parked webhook is held for its probe only, and is no burden. */
  #sharedRuns(): Run[] {
    return this.#runs.all().filter((run) => !run.health.isParked);
  }

  async #work(): Promise<void> {
    let failedTurns = 0;
    while (!(this.#stopping && this.#inFlight === 0 && this.#settler.isIdle)) {
      try {
        await this.#turn();
        // While it stops they are counted over all: between two settlings that fail there are turns that do not.
        if (!this.#stopping) failedTurns = 0;
      } catch (err) {
        logEvent(this.#options.log, "dispatcher.turn_failed", { err }, "error");
        // Whether the statement was committed is not known: claims may exist that we have not seen. A new node begins afresh.
        this.#lease.drop();
        if (this.#stopping && ++failedTurns >= FAILED_TURNS_ON_STOP_MAX) return;
        await this.#wake.wait(AFTER_FAILURE_MS);
      }
    }
    if (!this.#lease.isLost()) await this.#sleepRuns({ stopping: true });
  }

  async #turn(): Promise<void> {
    this.#settler.settle();
    if (this.#lease.isLost()) return this.#beginAfresh();
    this.#places.moveSlow(this.#now());
    await this.#withdraw();
    if (!this.#stopping) {
      this.#runs.hear(this.#nudgedBy);
      this.#nudgedBy.clear();
      await allEnded([this.#takeBoth(), this.#refill()]);
      await this.#sleepRuns({ stopping: false });
    }
    this.#sendWhatThePaceAllows();
    if (!this.#settler.isWanted) await this.#wake.wait(this.#msToNextTurn());
  }

  /** Our lease is lost or in doubt: nothing is begun until what is in flight has ended, then this node starts as a new one. */
  async #beginAfresh(): Promise<void> {
    this.#runs.clear();
    this.#withdrawn.abandon(this.#paced.drop());
    await this.#withdrawn.tell();
    if (this.#inFlight > 0 || !this.#settler.isIdle) await this.#wake.wait(POLL_MS);
    else if (!this.#stopping) await this.#lease.renew();
    this.#takeSoon();
  }

  /**
   * What waits for its pace while this node is stopping is for the next holder to send; what its pace holds back for long is
   * begun anew when its time has come, as its webhook is then; and what the sender did not send is not begun.
   */
  async #withdraw(): Promise<void> {
    if (this.#stopping) this.#withdrawn.abandon(this.#paced.drop());
    else {
      this.#withdrawn.putOff(this.#paced.takeStale(this.#now()), ({ run }) => {
        const now = this.#now();
        return now + Math.max(1, this.#paced.msUntil(run, now));
      });
    }
    await this.#withdrawn.tell();
  }

  /** Requests in flight, and deliveries that were begun and wait for their pace or for being withdrawn. */
  get #inFlight(): number {
    return this.#places.inFlight + this.#paced.count + this.#withdrawn.count;
  }

  #takeSoon(): void {
    for (const pool of POOLS) this.#rounds[pool].nudge();
  }

  async #takeBoth(): Promise<void> {
    await this.#take("healthy");
    await this.#take("suspect");
  }

  async #take(pool: Pool): Promise<void> {
    const places = this.#freePlaces(pool);
    const round = this.#rounds[pool];
    if (places <= 0 || round.msUntilDue(this.#now()) > 0 || !this.#lease.maySend()) return;
    round.began();
    const suspect = pool === "suspect";
    const room = this.#share.room(this.#runs.size);
    const webhooks = Math.min(WEBHOOKS_TAKEN_MAX, places, room || Number.POSITIVE_INFINITY);
    const perWebhook = Math.max(1, Math.min(BEGUN_PER_TAKE_MAX, Math.floor(places / webhooks)));
    const scan = await this.#options.store.take(this.#lease.nodeId, {
      ...{ webhooks, perWebhook, suspect, room: room > 0 },
      ...(round.after && { after: round.after }),
    });
    round.ended(scan, scan.runs.length === webhooks, this.#now());
    const begun = Map.groupBy(scan.begun, nameOf);
    for (const found of scan.runs) this.#hold(new Run(found, begun.get(nameOf(found))?.length ?? 0, this.#now()));
    for (const key of scan.rung) this.#runs.get(key)?.rung();
    this.#handle(scan);
    if (scan.runs.length + scan.rung.length > 0) this.#wake.ring();
  }

  #hold(run: Run): void {
    this.#runs.add(run);
    if (run.recoveredMs !== null) this.#paced.of(run, this.#now()).riseFrom(run.recoveredMs, this.#now());
  }

  /** What has been begun and waits for nothing else counts as if it had its place. */
  #freePlaces(pool: Pool): number {
    if (this.#paced.count >= UNSENT_MAX) return 0;
    return Math.max(0, this.#places.free(pool) - this.#paced.countReady(pool, this.#now()));
  }

  #allFreePlaces(): Record<Pool, number> {
    return { healthy: this.#freePlaces("healthy"), suspect: this.#freePlaces("suspect") };
  }

  async #refill(): Promise<void> {
    if (!this.#lease.maySend()) return;
    const places = this.#allFreePlaces();
    const asked = this.#runs.nextRefills({ places, placesOf: (run) => this.#placesOf(run), nowMs: this.#now() });
    if (asked.size === 0) return;
    const refills = [...asked.values()];
    const freed = refills.flatMap(({ request, freed: keys }) =>
      keys.map((orderKey) => ({ clinicId: request.clinicId, webhookId: request.webhookId, orderKey })),
    );
    const requests = refills.map((refill) => refill.request);
    const scan = await this.#options.store.refill(this.#lease.nodeId, requests, freed);
    this.#runs.noteRefilled(asked, scan.runs);
    this.#handle(scan);
    this.#wake.ring(); // there may be more windows to look at
  }

  #handle(scan: Scan): void {
    const now = this.#now();
    for (const waiting of scan.waiting) {
      this.#runs.get(waiting)?.waits(waiting.orderKey, now + waiting.dueInMs);
    }
    for (const begun of scan.begun) {
      const run = this.#runs.get(begun);
      if (!run) throw new Error("a delivery was begun for a webhook that this node does not hold");
      run.begun(begun);
      this.#paced.add(run, begun, now);
    }
    this.#sendWhatThePaceAllows();
  }

  #sendWhatThePaceAllows(): void {
    const hasPlace = (run: Run) => this.#places.free(run.pool) > 0;
    for (const { run, begun } of this.#paced.ready(this.#now(), hasPlace)) void this.#send(run, begun);
  }

  /** Sends one delivery and puts its result where the next turn settles it. */
  async #send(run: Run, begun: Begun): Promise<void> {
    const place = this.#places.take({ pool: run.pool, beganMs: this.#now(), onSlow: () => run.slowInFlight++ });
    const pool = place.pool;
    const attempted = await this.#sender.send(begun, run.version, () => this.#lease.maySend());
    if (attempted === null) this.#withdrawn.abandon([{ run, begun }]);
    else this.#settler.add(run, attempted);
    if (place.pool !== pool) run.slowInFlight--;
    this.#places.leave(place);
    this.#paced.ended(run);
    this.#wake.ring();
  }

  /** How many more requests this webhook may have in flight now, by its concurrency and its pace. */
  #placesOf(run: Run): number {
    return Math.min(run.concurrency - run.inFlightCount, this.#paced.available(run, this.#now()));
  }

  /** Puts runs to sleep that have nothing to do; on stopping all of them. What was not looked at to the end is due at once. */
  async #sleepRuns({ stopping }: { stopping: boolean }): Promise<void> {
    const now = this.#now();
    const idle = this.#runs.all().filter((run) => stopping || run.canSleep(now));
    if (idle.length === 0) return;
    const asleep = idle.map((run) => {
      const { clinicId, webhookId, fence } = run;
      const yields = !stopping && this.#share.isYielded(run);
      return { clinicId, webhookId, fence, nextInMs: run.sleepMs(now), yields };
    });
    await this.#options.store.release(this.#lease.nodeId, asleep);
    this.#runs.remove(idle);
    if (asleep.some(({ yields }) => yields)) this.#options.onGivenUp?.();
    // We know when the first of them is due, and need not find out by polling.
    const soonestMs = Math.min(...asleep.map(({ nextInMs }) => nextInMs ?? Number.POSITIVE_INFINITY));
    for (const pool of POOLS) this.#rounds[pool].dueAt(this.#now() + soonestMs);
  }

  #msToNextTurn(): number {
    const now = this.#now();
    const paced = Math.max(1, Math.min(POLL_MS, this.#paced.msUntilNext(now)));
    // Nothing more can begin: only a result or the lease changes that, and both ring.
    if (this.#stopping || !this.#lease.maySend()) return paced;
    let wait = Math.min(paced, this.#places.msUntilSlow(now));
    const places = this.#allFreePlaces();
    for (const pool of POOLS) {
      if (places[pool] > 0) wait = Math.min(wait, this.#rounds[pool].msUntilDue(now));
    }
    for (const run of this.#runs.all()) {
      const due = run.nextDueInMs(now);
      if (due !== null && places[run.pool] > 0) wait = Math.min(wait, due);
      wait = Math.min(wait, run.lingersMs(now));
      if (!run.canSleep(now) && run.inFlightCount < run.concurrency) {
        const pause = this.#paced.of(run, now).msUntilNext(now);
        if (pause > 0) wait = Math.min(wait, pause);
      }
    }
    return Math.max(wait, 1);
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }
}

/** Waits until all have ended, whatever fails, and then throws the first failure: what goes on unseen would find another state. */
async function allEnded(works: readonly Promise<void>[]): Promise<void> {
  for (const ended of await Promise.allSettled(works)) if (ended.status === "rejected") throw ended.reason;
}

/**
 * The dispatcher: leases webhooks that have due work and drains each with its own concurrency, pace and order per subject.
 *
 * Owns: the loop, and a node's life from its start to its stop. Promises: an attempt is marked as begun before anything is
 * sent; no transaction is open while something is sent; nothing is sent under a lease that could end before the request's
 * deadline; every attempt's outcome is settled, fenced, or left to the next holder as "unknown". Does not: hold SQL
 * (store.ts), know what a webhook still has to look at (run.ts), decide (policy.ts, health.ts).
 *
 * A delivery goes through four hands: claims.ts begins it, underway.ts sends it when it may leave (sender.ts), settler.ts
 * writes down what came of it; lease.ts tells whether this node may do any of that. One turn of the loop: begin to settle
 * what came back → take new runs and, beside it, refill those we hold, in turn → put idle ones to sleep → wait. Settling
 * goes on beside them, one batch after another: what is being settled still counts as in flight, so a scan passes over it,
 * and its subject is looked at again once it is settled.
 */
import type { Clock } from "../clock.ts";
import type { Db } from "../db/schema.ts";
import type { Egress } from "../egress/client.ts";
import { type Log, logEvent } from "../log.ts";
import type { Seal } from "../seal/seal.ts";
import { Claims } from "./claims.ts";
import type { EngineStore } from "./engine-store.ts";
import { Lease } from "./lease.ts";
import { Sender } from "./sender.ts";
import { type Settled, Settler } from "./settler.ts";
import { Targets } from "./targets.ts";
import { Underway } from "./underway.ts";
import { POLL_MS, Wake } from "./wake.ts";

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

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #wake: Wake;
  readonly #lease: Lease;
  readonly #claims: Claims;
  readonly #underway: Underway;
  readonly #settler: Settler;
  #stopping = false;
  #loop: Promise<void> | null = null;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#wake = new Wake(options.clock);
    const wake = () => this.#wake.ring();
    this.#lease = new Lease({
      ...options,
      onChange: wake,
      onOrphans: () => this.nudge(),
      onBeat: (vitals) => {
        if (!this.#stopping && this.#claims.shareOut(vitals)) wake();
      },
    });
    this.#underway = new Underway({
      ...options,
      sender: new Sender({ ...options, targets: new Targets(options) }),
      maySend: () => this.#lease.maySend(),
      liveNodes: () => this.#lease.liveNodes,
      reachedBy: (host) => options.egress.reachedBy(host),
      onAnswer: (run, attempted) => this.#settler.add(run, attempted),
      onEnd: wake,
    });
    const { store, clock, onSettled } = options;
    this.#settler = new Settler({
      ...{ store, clock, onSettled, paced: this.#underway.paced },
      nodeId: () => this.#lease.nodeId,
      mayWait: () => !this.#stopping && !this.#lease.isLost(),
      onDue: wake,
    });
    this.#claims = new Claims({ store, clock, lease: this.#lease, underway: this.#underway, onMore: wake });
  }

  /** Registers this node and begins to deliver. */
  async start(): Promise<void> {
    await this.#lease.start();
    this.#loop = this.#work();
  }

  /**
   * Something may be due: called after a commit that emitted, with the clinic where it is known. What this node holds of it
   * is looked at without being told so by a TAKE; where the webhooks are known and all are held, there is none.
   */
  nudge(clinicId?: number, webhookIds?: readonly number[]): void {
    this.#claims.nudge(clinicId, webhookIds);
    this.#wake.ring();
  }

  /**
   * There are other nodes, and after a commit for these webhooks they would be sooner: this one has every place taken or is
   * stopping, or they may hold what it does not.
   */
  needsHelp(clinicId?: number, webhookIds?: readonly number[]): boolean {
    if (this.#lease.liveNodes <= 1) return false;
    return this.#stopping || this.#underway.free("healthy") === 0 || !this.#claims.holdsAll(clinicId, webhookIds);
  }

  /** Takes nothing new, lets what is in flight end, settles it, gives the leases back. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#lease.stopTaking();
    this.#settler.hurry();
    this.#wake.ring();
    try {
      await this.#loop;
    } finally {
      await this.#lease.stop();
    }
    this.#options.onGivenUp?.();
  }

  /** Nothing is under way, and nothing waits to be written down. */
  get #isIdle(): boolean {
    return this.#underway.count === 0 && this.#settler.isIdle;
  }

  async #work(): Promise<void> {
    let failedTurns = 0;
    while (!(this.#stopping && this.#isIdle)) {
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
    if (!this.#lease.isLost()) await this.#claims.putToSleep({ stopping: true });
  }

  async #turn(): Promise<void> {
    this.#settler.settle();
    if (this.#lease.isLost()) return this.#beginAfresh();
    this.#underway.moveSlow();
    if (this.#stopping) await this.#underway.withdrawAll();
    else {
      await this.#underway.withdrawStale();
      await this.#claims.fill();
      if (await this.#claims.putToSleep({ stopping: false })) this.#options.onGivenUp?.();
    }
    this.#underway.sendWhatMay();
    if (!this.#settler.isWanted) await this.#wake.wait(this.#msToNextTurn());
  }

  /** Our lease is lost or in doubt: nothing is begun until what is in flight has ended, then this node starts as a new one. */
  async #beginAfresh(): Promise<void> {
    this.#claims.forgetAll();
    this.#settler.hurry();
    await this.#underway.withdrawAll();
    if (this.#settler.isWanted) return;
    if (!this.#isIdle) await this.#wake.wait(POLL_MS);
    else if (!this.#stopping) await this.#lease.renew();
    this.#claims.nudge();
  }

  #msToNextTurn(): number {
    const now = this.#options.clock.monotonicMs();
    const wait = this.#underway.msUntilNext(now);
    // Nothing more can begin: only a result or the lease changes that, and both ring.
    if (this.#stopping || !this.#lease.maySend()) return wait;
    return Math.max(1, Math.min(wait, this.#underway.msUntilSlow(now), this.#claims.msUntilNext(now)));
  }
}

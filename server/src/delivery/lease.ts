/**
 * This node's life as the database knows it: one heartbeat a node, not a webhook.
 *
 * All runs that a node holds are its own as long as `nodes.alive_until` lies ahead; others take over 5 s after it has
 * passed. Promises: maySend() is true only while the lease, counted on our monotonic clock from before the heartbeat was
 * issued, outlives a request's deadline by a margin. A node that missed its own heartbeat drops everything and comes back
 * under a new id. What a dead node held is due again 5 s after its time, whichever of the others' heartbeats comes next;
 * the log says so once, as `node.lost`.
 */
import type { Clock } from "../clock.ts";
import { DEADLINE_MS } from "../egress/client.ts";
import { type Log, logEvent } from "../log.ts";
import type { EngineStore, Reaped, Vitals } from "./engine-store.ts";

export const LEASE_MS = 30_000;
const HEARTBEAT_MS = 4_000;
const SWEEP_EVERY_MS = 60_000;
/** What is off, and tests that were lost, are in nobody's way: they are looked after every fourth beat. */
const TIDY_EVERY_MS = 15_000;
/** A little later than the very moment. */
const DEATH_SEEN_AFTER_MS = 50;
const MARGIN_MS = 2_000;
/** For so long after its last beat a node may still begin requests, see maySend(). */
const SENDS_FOR_MS = LEASE_MS - DEADLINE_MS - MARGIN_MS;

export interface LeaseOptions {
  store: EngineStore;
  clock: Clock;
  log: Log;
  name: string;
  alone?: boolean;
  /** the lease was lost: the dispatcher's loop should look */
  onChange: () => void;
  /** webhooks of dead nodes are due again: somebody should take them */
  onOrphans: () => void;
  /** what a heartbeat has learnt */
  onBeat?: (vitals: Vitals) => void;
}

export class Lease {
  readonly #options: LeaseOptions;
  #nodeId = 0;
  #untilMs = Number.NEGATIVE_INFINITY;
  #lost = true;
  #stopTimer: (() => void) | null = null;
  #beating: Promise<void> = Promise.resolve();
  #isBeating = false;
  /** What is done for the dead waits for locks, and must not hold up the next beat. */
  #tidying: Promise<void> = Promise.resolve();
  #isTidying = false;
  #sweepAtMs = Number.NEGATIVE_INFINITY;
  #tidyAtMs = Number.NEGATIVE_INFINITY;
  /** Set when another node will have to be declared dead before the next beat, unless it is heard of. */
  #stopDeathTimer: (() => void) | null = null;
  #takes = true;
  #othersSending = 0;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  get nodeId(): number {
    return this.#nodeId;
  }

  /** Nodes that may begin requests now, this one included, as of the last heartbeat. */
  get liveNodes(): number {
    return this.#othersSending + 1;
  }

  async start(): Promise<void> {
    await this.renew();
    if (this.#options.alone) this.#sayLost(await this.#options.store.retireAllOthers(this.#nodeId));
    this.#startTimer();
  }

  /** Says to the others at once that this node takes nothing more; it lives on until stop(). */
  stopTaking(): void {
    this.#takes = false;
    // A beat that is under way may have said otherwise.
    this.#beating = this.#beating.then(() => {
      this.#onTimer();
      return this.#beating;
    });
  }

  async stop(): Promise<void> {
    this.#stopTimer?.();
    this.#stopTimer = null;
    this.#stopDeathTimer?.();
    await this.#beating;
    await this.#tidying;
    if (!this.#lost) this.#sayLost(await this.#options.store.retire(this.#nodeId));
    this.#lost = true;
  }

  /** Whether a request started now would end, at its deadline, while the lease still holds. */
  maySend(): boolean {
    return !this.#lost && this.#options.clock.monotonicMs() < this.#untilMs - DEADLINE_MS - MARGIN_MS;
  }

  isLost(): boolean {
    return this.#lost;
  }

  /** Gives the lease up: what is held counts as lost from now on. */
  drop(): void {
    this.#lost = true;
  }

  /** Comes back under a new id; what the old one still held comes due for whoever takes it. */
  async renew(): Promise<void> {
    const { store, clock, name, log } = this.#options;
    if (this.#nodeId !== 0) this.#sayLost(await store.retire(this.#nodeId));
    const before = clock.monotonicMs();
    this.#nodeId = await store.register(name, LEASE_MS);
    this.#untilMs = before + LEASE_MS;
    this.#lost = false;
    logEvent(log, "node.registered", { node_id: this.#nodeId });
  }

  #startTimer(): void {
    this.#stopTimer = this.#options.clock.after(HEARTBEAT_MS, () => {
      this.#startTimer();
      this.#onTimer();
    });
  }

  /** A beat whose answer does not come holds up no other judgement: the lease runs out on our own clock. */
  #onTimer(): void {
    this.#dropWhenOver();
    if (this.#isBeating) return;
    this.#isBeating = true;
    this.#beating = this.#beat().finally(() => {
      this.#isBeating = false;
    });
  }

  #dropWhenOver(): void {
    if (!this.#lost && this.#options.clock.monotonicMs() < this.#untilMs) return;
    this.drop();
    this.#options.onChange();
  }

  /** Once a minute: nothing should ever sleep while something waits for it. */
  async #sweep(): Promise<void> {
    const { store, clock, log, onChange } = this.#options;
    if (clock.monotonicMs() < this.#sweepAtMs) return;
    this.#sweepAtMs = clock.monotonicMs() + SWEEP_EVERY_MS;
    const found = await store.sweep();
    if (found === 0) return;
    logEvent(log, "dispatcher.sleepers_found", { count: found }, "error");
    onChange();
  }

  async #beat(): Promise<void> {
    const { store, clock, log, onBeat } = this.#options;
    if (this.#lost) return;
    const nodeId = this.#nodeId;
    const before = clock.monotonicMs();
    try {
      const vitals = await store.beat(nodeId, { leaseMs: LEASE_MS, sendsForMs: SENDS_FOR_MS, takes: this.#takes });
      if (nodeId !== this.#nodeId) return;
      this.#othersSending = vitals.othersSending;
      if (vitals.alive) {
        this.#untilMs = before + LEASE_MS;
        onBeat?.(vitals);
      } else this.drop();
      this.#expectDeath(vitals);
      this.#lookAround(vitals);
    } catch (err) {
      logEvent(log, "node.heartbeat_failed", { node_id: nodeId, err }, "warn");
    }
    this.#dropWhenOver();
  }

  #lookAround(vitals: Vitals): void {
    if (this.#isTidying) return;
    this.#isTidying = true;
    this.#tidying = this.#tidy(vitals).finally(() => {
      this.#isTidying = false;
    });
  }

  async #tidy({ orphaned, nextDeathMs }: Vitals): Promise<void> {
    const { store, clock, log, onOrphans } = this.#options;
    try {
      if (orphaned || isOver(nextDeathMs) || clock.monotonicMs() >= this.#tidyAtMs) {
        this.#tidyAtMs = clock.monotonicMs() + TIDY_EVERY_MS;
        this.#sayLost(await store.reap());
        if (orphaned) onOrphans();
      }
      await this.#sweep();
    } catch (err) {
      logEvent(log, "node.upkeep_failed", { node_id: this.#nodeId, err }, "warn");
    }
  }

  /** Said once, by whichever node found it: only there the webhooks came due. */
  #sayLost({ nodes, webhooks }: Reaped): void {
    if (nodes > 0) logEvent(this.#options.log, "node.lost", { nodes, webhooks }, "warn");
  }

  #expectDeath({ nextDeathMs }: Vitals): void {
    this.#stopDeathTimer?.();
    this.#stopDeathTimer = null;
    if (nextDeathMs === null || isOver(nextDeathMs) || nextDeathMs > HEARTBEAT_MS || this.#stopTimer === null) return;
    this.#stopDeathTimer = this.#options.clock.after(nextDeathMs + DEATH_SEEN_AFTER_MS, () => this.#onTimer());
  }
}

function isOver(nextDeathMs: number | null): boolean {
  return nextDeathMs !== null && nextDeathMs < 0;
}

/**
 * This node's life as the database knows it: one heartbeat a node, not a webhook.
 *
 * All runs that a node holds are its own as long as `nodes.alive_until` lies ahead; others take over 5 s after it has
 * passed. Promises: maySend() is true only while the lease, counted on our monotonic clock from before the heartbeat was
 * issued, outlives a request's deadline by a margin. A node that missed its own heartbeat drops everything and comes back
 * under a new id.
 */
import type { Clock } from "../clock.ts";
import { DEADLINE_MS } from "../egress/client.ts";
import { type Log, logEvent } from "../log.ts";
import type { EngineStore } from "./store.ts";

export const LEASE_MS = 30_000;
const HEARTBEAT_MS = 4_000;
const SWEEP_EVERY_MS = 60_000;
const MARGIN_MS = 2_000;

export interface LeaseOptions {
  store: EngineStore;
  clock: Clock;
  log: Log;
  name: string;
  alone?: boolean;
  /** the lease was lost: the dispatcher's loop should look */
  onChange: () => void;
}

export class Lease {
  readonly #options: LeaseOptions;
  #nodeId = 0;
  #untilMs = Number.NEGATIVE_INFINITY;
  #lost = true;
  #stopTimer: (() => void) | null = null;
  #beating: Promise<void> = Promise.resolve();
  #isBeating = false;
  #sweepAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  get nodeId(): number {
    return this.#nodeId;
  }

  async start(): Promise<void> {
    await this.renew();
    if (this.#options.alone) await this.#options.store.retireAllOthers(this.#nodeId);
    this.#startTimer();
  }

  async stop(): Promise<void> {
    this.#stopTimer?.();
    await this.#beating;
    if (!this.#lost) await this.#options.store.retire(this.#nodeId);
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
    if (this.#nodeId !== 0) await store.retire(this.#nodeId);
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
    const { store, clock, log } = this.#options;
    if (this.#lost) return;
    const nodeId = this.#nodeId;
    const before = clock.monotonicMs();
    try {
      const alive = await store.heartbeat(nodeId, LEASE_MS);
      if (nodeId !== this.#nodeId) return;
      if (alive) this.#untilMs = before + LEASE_MS;
      else this.drop();
      await store.reap();
      await this.#sweep();
    } catch (err) {
      logEvent(log, "node.heartbeat_failed", { node_id: nodeId, err }, "warn");
    }
    this.#dropWhenOver();
  }
}

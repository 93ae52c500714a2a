/**
 * What is under way: deliveries that were begun, until each has its answer or is not begun after all.
 *
 * Owns: the places for requests in flight, the paces of webhooks and hosts, what waits for either of them. Promises: nothing
 * is sent where the lease no longer reaches, asked right before; what waited for its pace for too long, and what was not
 * sent, is withdrawn (withdrawn.ts) and begun anew when its time has come. Does not: begin anything (claims.ts), make an
 * attempt (sender.ts) nor write down what came of it (settler.ts).
 */
import type { Clock } from "../clock.ts";
import type { Begun, EngineStore } from "./engine-store.ts";
import { HOST_PACE_DEFAULT_PER_SECOND, Paced } from "./paced.ts";
import { Places, type Pool } from "./places.ts";
import type { Run } from "./run.ts";
import type { Attempted, Sender } from "./sender.ts";
import { POLL_MS } from "./wake.ts";
import { Withdrawn } from "./withdrawn.ts";

/** Deliveries that were begun and wait for their pace, at most; beyond it nothing more is begun. */
const UNSENT_MAX = 2_000;

export interface UnderwayOptions {
  store: Pick<EngineStore, "unbegin">;
  clock: Clock;
  sender: Sender;
  maySend: () => boolean;
  /** nodes that share the paces of hosts */
  liveNodes: () => number;
  /** requests a second to one host, over all clinics and nodes */
  hostPerSecond?: number;
  /** what a host was reached by last, the same for all names of one receiver; null where it has not been reached yet */
  reachedBy: (host: string) => string | null;
  /** an attempt has ended: its result has to be settled; true where that waits a little, and nobody need look sooner */
  onAnswer: (run: Run, attempted: Attempted) => boolean;
  /** a place is free again; where the result waits, whoever wants the place sees it when that is settled */
  onEnd: () => void;
}

export class Underway {
  readonly #options: UnderwayOptions;
  readonly paced: Paced;
  readonly #places = new Places();
  readonly #withdrawn: Withdrawn;

  constructor(options: UnderwayOptions) {
    this.#options = options;
    const { hostPerSecond = HOST_PACE_DEFAULT_PER_SECOND, liveNodes, reachedBy, store } = options;
    this.paced = new Paced({ hostPerSecond, liveNodes, reachedBy });
    this.#withdrawn = new Withdrawn(store);
  }

  /** Requests in flight, and deliveries that were begun and wait for their pace or for being withdrawn. */
  get count(): number {
    return this.#places.inFlight + this.paced.count + this.#withdrawn.count;
  }

  /** How many more a pool takes. What has been begun and waits for nothing else counts as if it had its place. */
  free(pool: Pool): number {
    if (this.paced.count >= UNSENT_MAX) return 0;
    return Math.max(0, this.#places.free(pool) - this.paced.countReady(pool, this.#now()));
  }

  allFree(): Record<Pool, number> {
    return { healthy: this.free("healthy"), suspect: this.free("suspect") };
  }

  /** How many more requests this webhook may have in flight now, by its concurrency and its pace. */
  placesOf(run: Run): number {
    return Math.min(run.concurrency - run.inFlightCount, this.paced.available(run, this.#now()));
  }

  /** It has been begun, and leaves as soon as it may. */
  add(run: Run, begun: Begun): void {
    run.begun(begun);
    this.paced.add(run, begun, this.#now());
  }

  /** Sends what the paces and the places allow. */
  sendWhatMay(): void {
    const hasPlace = (run: Run) => this.#places.free(run.pool) > 0;
    for (const { run, begun } of this.paced.ready(this.#now(), hasPlace)) void this.#send(run, begun);
  }

  /** Sends one delivery and hands its result over. */
  async #send(run: Run, begun: Begun): Promise<void> {
    const { sender, maySend, onAnswer, onEnd } = this.#options;
    const place = this.#places.take({ pool: run.pool, beganMs: this.#now(), onSlow: () => run.slowInFlight++ });
    const pool = place.pool;
    const attempted = await sender.send(begun, run.version, maySend);
    if (attempted === null) this.#withdrawn.abandon([{ run, begun }]);
    const waits = attempted !== null && onAnswer(run, attempted);
    if (place.pool !== pool) run.slowInFlight--;
    this.#places.leave(place);
    this.paced.ended(run);
    if (!waits) onEnd();
  }

  /** Receivers that have been silent for too long leave the places of the healthy. */
  moveSlow(): void {
    this.#places.moveSlow(this.#now());
  }

  /**
   * What its pace holds back for long is begun anew when its time has come, as its webhook is then; and what the sender did
   * not send is not begun. Throws what the statement fails with; then it is told again at the next turn.
   */
  async withdrawStale(): Promise<void> {
    this.#withdrawn.putOff(this.paced.takeStale(this.#now()), ({ run }) => {
      const now = this.#now();
      return now + Math.max(1, this.paced.msUntil(run, now));
    });
    await this.#withdrawn.tell();
  }

  /** All that has not left yet is for the next holder to send: this node is stopping, or its lease is lost. */
  async withdrawAll(): Promise<void> {
    this.#withdrawn.abandon(this.paced.drop());
    await this.#withdrawn.tell();
  }

  /** ms until something may be sent that waits for its pace; POLL_MS at most. */
  msUntilNext(nowMs: number): number {
    return Math.max(1, Math.min(POLL_MS, this.paced.msUntilNext(nowMs)));
  }

  /** ms until a request in flight counts as slow; infinite when there is none. */
  msUntilSlow(nowMs: number): number {
    return this.#places.msUntilSlow(nowMs);
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }
}

/**
 * One webhook while this node holds it: what is in flight, what waits, what is left to look at. No I/O.
 *
 * A run is scanned from the start (cursor 0) to the end of its deliveries, a window at a time. While a subject's head is in
 * flight or waits for its retry, its rows are passed over; when the head is done, the next of that subject is looked up by
 * its own index ("freed"). A bell rung meanwhile makes the scan start again. The run may sleep when nothing is in flight and
 * a scan has reached the end: what it could not see then has rung a bell that is still unheard.
 */

import { BackOff } from "./back-off.ts";
import { type Begun, nameOf, type RefillRequest, type RunHealth, type RunScan } from "./engine-store.ts";
import { HEALTHY, type Health, type Observed, observe, PROBE_WAITS_MS, probeWaitMs } from "./health.ts";
import { hostNameOf } from "./host-name.ts";
import type { Pool } from "./places.ts";
import { WINDOW_ROWS } from "./store.ts";
import { WaitingHeads } from "./waiting-heads.ts";

/** Until an address has answered 2xx once: one request at a time, one a second (security.md, Amplification). */
export const UNPROVED_CONCURRENCY = 1;
export const UNPROVED_PER_SECOND = 1;
const RESTART_AFTER_MS = 5_000;
/** So long a run with nothing to do stays held: where one event follows another, it need not be taken anew for each. */
const LINGER_MS = 100;
/** So long after a commit of this process more of them are expected. */
const TOLD_FOR_MS = 1_000;
/** Rows to look at beyond the places that are free; more, up to WINDOW_ROWS, after a full window that did not fill them. */
const LOOK_MORE_ROWS = 1;

export interface Refill {
  request: RefillRequest;
  scans: boolean;
}

export class Run {
  readonly clinicId: number;
  readonly webhookId: number;
  /** clinic and webhook in one word */
  readonly name: string;
  readonly fence: number;
  /** the host of its address, whatever the port: its caps are the host's, and many ports must not be many hosts */
  readonly host: string;
  /** of the webhook; a run whose webhook was changed meanwhile is given back, and taken anew as it is then */
  version: number;
  /** the version that it was taken under, and that its health is of */
  readonly #takenVersion: number;
  /** when its receiver had come back from being parked, in monotonic ms; null where that is long ago */
  readonly recoveredMs: number | null;
  health: Health = HEALTHY;
  /** requests in flight whose answers take long */
  slowInFlight = 0;
  /** scans from the start that were asked for: they consume the bells that are there by then */
  restarts = 0;
  #concurrency = UNPROVED_CONCURRENCY;
  pacePerSecond = UNPROVED_PER_SECOND;
  /** no longer ours, or the webhook was turned off: nothing new is begun */
  gone = false;
  readonly inFlight = new Set<string>();
  #cursor = 0;
  #reachedEnd = false;
  #lookFactor = 1;
  #rung = false;
  /** when this process last committed something for it, in monotonic ms */
  #toldMs = Number.NEGATIVE_INFINITY;
  #scanBegunMs: number;
  /** when it was last asked for, in monotonic ms */
  #askedMs: number;
  readonly #waiting = new WaitingHeads();
  readonly #freed = new Set<string>();
  /** it was parked, or a probe has failed, under this lease: nothing more is begun under it */
  #isLeftAlone = false;
  readonly #backOff = new BackOff();
  /** a scan for what was never tried has begun nothing yet: what is due again has its turn */
  #hasLookedInVain = false;
  #isProved: boolean;

  constructor(scan: RunScan, begunCount: number, nowMs: number) {
    this.clinicId = scan.clinicId;
    this.webhookId = scan.webhookId;
    this.name = nameOf(scan);
    this.fence = scan.fence;
    this.host = hostNameOf(scan.host ?? "");
    this.version = scan.version;
    this.#takenVersion = scan.version;
    this.#scanBegunMs = nowMs;
    this.#askedMs = nowMs;
    this.#isProved = scan.proved;
    this.recoveredMs = scan.recoveredMs === null ? null : nowMs - scan.recoveredMs;
    this.health = {
      failures: scan.failures ?? 0,
      failingSinceMs: scan.failingMs === null ? null : nowMs - scan.failingMs,
      isParked: scan.parked,
      probes: scan.probes ?? 0,
      warned: scan.warned ?? 0,
      warnedAtMs: scan.warnedMs === null ? null : nowMs - scan.warnedMs,
    };
    this.#update(scan);
    // The lease's own scan may have seen rows as they were before the previous holder's last settling: unless every row it
    // saw was begun, it is not trusted to have reached the end.
    if (scan.seen === begunCount && !scan.more && !scan.contended) this.#advance(scan);
  }

  /** One at a time while its receiver is in doubt. */
  get concurrency(): number {
    return this.health.failures > 0 ? UNPROVED_CONCURRENCY : this.#concurrency;
  }

  get inFlightCount(): number {
    return this.inFlight.size;
  }

  /** It has as many in flight as it may: nothing begins until one of them has come back. */
  get isFull(): boolean {
    return this.inFlight.size >= this.concurrency;
  }

  /** Its receiver has failed last, or has never answered: then there is one request at a time. */
  get isInDoubt(): boolean {
    return !this.#isProved || this.health.failures > 0;
  }

  /** Whose places its requests take. */
  get pool(): Pool {
    return this.isInDoubt || this.slowInFlight > 0 ? "suspect" : "healthy";
  }

  /** What came of attempts, in the order in which they ended; tests left out. */
  observed(attempts: readonly Observed[]): void {
    for (const attempt of attempts) {
      const wasParked = this.health.isParked;
      this.health = observe(this.health, attempt);
      this.#backOff.observed(attempt, this.health);
      if (this.health.isParked) this.#isLeftAlone ||= !wasParked || attempt.verdict !== "ours";
      // It is back: everything that came while it heard no bells is looked at.
      else if (wasParked) this.#rung = true;
    }
  }

  /** The health as it is written down, with times told as ms ago. */
  healthRow(nowMs: number): RunHealth {
    const { failures, failingSinceMs, probes, isParked } = this.health;
    const { clinicId, webhookId, fence } = this;
    const version = this.#takenVersion;
    const failingMs = failingSinceMs === null ? null : Math.max(0, nowMs - failingSinceMs);
    return { clinicId, webhookId, fence, version, failures, failingMs, probes, parked: isParked };
  }

  /** ms for which it may sleep: until its next retry or probe; null: until a bell. */
  sleepMs(nowMs: number): number | null {
    if (!this.health.isParked) return this.hasSeenAll() ? this.nextDueInMs(nowMs) : 0;
    if (this.gone) return 0;
    // Nothing was due for a probe: what comes meanwhile rings no bell, so it looks again after a while.
    const due = this.nextDueInMs(nowMs) ?? Number.POSITIVE_INFINITY;
    return this.#isLeftAlone ? probeWaitMs(this.health) : Math.min(due, PROBE_WAITS_MS[0] ?? 0);
  }

  /** The result of a refill that scanned or only looked up freed keys. */
  refilled(scan: RunScan, scanned: boolean): void {
    this.#update(scan);
    if (scanned) this.#advance(scan);
    if (scan.contended) this.#rung = true;
  }

  begun(delivery: Begun): void {
    this.#hasLookedInVain = false;
    this.inFlight.add(delivery.orderKey);
    this.#waiting.delete(delivery.orderKey);
  }

  waits(orderKey: string, dueMs: number): void {
    this.#waiting.add(orderKey, dueMs);
  }

  /** What was begun is not begun after all: its subject waits until then. */
  putOff(orderKey: string, dueMs: number): void {
    this.inFlight.delete(orderKey);
    this.waits(orderKey, dueMs);
  }

  /** An attempt has been settled. `retryDueMs` null: the delivery is finished. */
  settled(orderKey: string, retryDueMs: number | null, hasNext: boolean): void {
    this.inFlight.delete(orderKey);
    if (retryDueMs !== null) this.waits(orderKey, retryDueMs);
    else if (hasNext) this.#freed.add(orderKey);
  }

  /** A begun delivery was not sent after all, because its webhook or our lease is gone: it is no longer begun. */
  abandon(orderKey: string): void {
    this.inFlight.delete(orderKey);
    this.gone = true;
  }

  /** Its bell was heard. @param version of the webhook as it was then: whoever has changed it has mended it */
  rung(version = this.version): void {
    this.#rung = true;
    if (version > this.version) this.#backOff.end();
  }

  /** This process has committed something for it. */
  told(nowMs: number): void {
    this.#toldMs = nowMs;
    this.#rung = true;
  }

  /**
   * Whether a bell that was found tells something new. One of a webhook that this process has just committed for is most
   * likely of its next commit, of which it is about to be told: no reason to look for more of them.
   */
  isNews(nowMs: number): boolean {
    return !this.#rung && nowMs - this.#toldMs > TOLD_FOR_MS;
  }

  /** Whether there is something to ask for, were there a place. It is asked of every held run at every turn, and costs little. */
  wantsRefill(nowMs: number): boolean {
    if (this.isFull || this.backsOffMs(nowMs) > 0) return false;
    const { keys, untracked } = this.#waiting.takeDue(nowMs);
    for (const key of keys) this.#freed.add(key);
    if (untracked) this.#rung = true; // the scan from the start finds which those are
    if (this.gone || this.#isLeftAlone) return false;
    return !this.#reachedEnd || this.#rung || this.#freed.size > 0;
  }

  /** What to ask for next with so many places free; null when there is nothing to ask. */
  nextRefill(places: number, nowMs: number): Refill | null {
    if (!this.wantsRefill(nowMs) || places <= 0) return null;
    // What was never tried comes first where it fails again and again: a first attempt in vain costs 5 s, a second one 5 min.
    const mayScan = !this.#hasLookedInVain && (!this.#reachedEnd || this.#rung);
    this.#hasLookedInVain = mayScan && this.#backOff.isOn;
    const freed = this.#hasLookedInVain ? [] : [...this.#freed].slice(0, places);
    const want = places - freed.length;
    if (this.#rung && (this.#reachedEnd || nowMs - this.#scanBegunMs >= RESTART_AFTER_MS)) this.#restart(nowMs);
    const scans = !this.#reachedEnd && want > 0;
    if (!scans && freed.length === 0) return null;
    this.#askedMs = nowMs;
    for (const key of freed) this.#freed.delete(key);
    const passedOver = scans ? [...this.inFlight, ...this.#waiting.keys(), ...freed, ...this.#freed] : [];
    if (scans && this.#cursor === 0) this.restarts++;
    const { clinicId, webhookId, fence } = this;
    const look = Math.min(WINDOW_ROWS, (want + LOOK_MORE_ROWS) * this.#lookFactor);
    return {
      request: { clinicId, webhookId, fence, cursor: scans ? this.#cursor : null, want, look, passedOver, freed },
      scans,
    };
  }

  /** ms until the next retry is due, or null when nothing waits. */
  nextDueInMs(nowMs: number): number | null {
    return this.#waiting.nextDueInMs(nowMs);
  }

  /** ms for which nothing is begun, because its receiver has failed again and again. */
  backsOffMs(nowMs: number): number {
    return this.#backOff.leftMs(nowMs);
  }

  /**
   * Nothing in flight, nothing to look at, not for a moment: the run may sleep. While it backs off it stays held: who takes it
   * anew knows nothing of that, and would try at once.
   */
  canSleep(nowMs: number): boolean {
    if (this.inFlight.size > 0) return false;
    if (this.gone || this.#isLeftAlone) return true;
    if (!this.hasSeenAll() || this.lingersMs(nowMs) > 0 || this.backsOffMs(nowMs) > 0) return false;
    return this.nextDueInMs(nowMs) !== 0; // what has come due meanwhile is asked for at the next turn
  }

  /** ms for which it stays held although it has nothing to do; endless where it has. */
  lingersMs(nowMs: number): number {
    if (!this.hasSeenAll()) return Number.POSITIVE_INFINITY;
    return Math.max(0, this.#askedMs + LINGER_MS - nowMs);
  }

  /** Whether it may sleep until the next retry or bell. A run that is gone may have left what nobody else would look at. */
  hasSeenAll(): boolean {
    return !this.gone && this.inFlight.size === 0 && this.#reachedEnd && !this.#rung && this.#freed.size === 0;
  }

  #update(scan: RunScan): void {
    if (scan.version !== this.version) this.gone = true;
    this.version = scan.version;
    this.#isProved = scan.proved;
    this.pacePerSecond = scan.proved ? scan.pacePerSecond : UNPROVED_PER_SECOND;
    this.#concurrency = scan.proved ? scan.concurrency : UNPROVED_CONCURRENCY;
  }

  #advance(scan: RunScan): void {
    this.#cursor = scan.cursor ?? this.#cursor;
    this.#reachedEnd = !scan.more && scan.seen < WINDOW_ROWS;
    // A full window without enough that may start: what is in it is passed over in larger steps.
    this.#lookFactor = scan.more && !scan.left ? Math.min(this.#lookFactor * 2, WINDOW_ROWS) : 1;
  }

  #restart(nowMs: number): void {
    this.#cursor = 0;
    this.#reachedEnd = false;
    this.#rung = false;
    this.#waiting.forgetUntracked();
    this.#scanBegunMs = nowMs;
  }
}

/**
 * What has been begun and may not leave yet, because of its webhook's pace, its host's, or for want of a place. No I/O.
 *
 * TAKE begins deliveries without knowing how many were sent to the address just before, by a run that has slept meanwhile,
 * nor what other webhooks send to the same host. Webhooks take turns, so that one clinic's backlog on a common host does not
 * starve another's; and of a host's places a clinic leaves some free for whoever comes next, however slow its requests end.
 */
import { CONNECTIONS_PER_ORIGIN_MAX } from "../egress/client.ts";
import type { Begun } from "./engine-store.ts";
import { Pace } from "./pace.ts";
import type { Pool } from "./places.ts";
import type { Run } from "./run.ts";

const PACES_KEPT_MAX = 50_000;
const HOSTS_KEPT_MAX = 50_000;
/** Requests in flight to one host, over all webhooks and clinics: as many as egress opens connections to it. */
const HOST_IN_FLIGHT_MAX = CONNECTIONS_PER_ORIGIN_MAX;
/**
 * A clinic may have so many times as many in flight to a host as are free there: alone three quarters of all, of two each
 * three sevenths. Who has more than that, because others came, starts none until it has not.
 */
const HELD_PER_FREE = 3;
export const HOST_PACE_DEFAULT_PER_SECOND = 1_000;
/** A little more than an address that has never answered makes its next request wait. */
const UNSENT_MAX_MS = 1_200;

export interface Unsent {
  run: Run;
  begun: Begun;
}

interface Waiting {
  begun: Begun;
  sinceMs: number;
}

interface Host {
  pace: Pace;
  inFlight: number;
  /** by clinic; no zeros */
  heldBy: Map<number, number>;
}

export interface PacedOptions {
  /** requests a second to one host, over all clinics and nodes */
  hostPerSecond: number;
  /** nodes that share the host's pace */
  liveNodes: () => number;
  /** what a host was reached by last, the same for all names of one receiver; null where it has not been reached yet */
  reachedBy?: (host: string) => string | null;
}

export class Paced {
  readonly #options: PacedOptions;
  readonly #paces = new Map<string, Pace>();
  readonly #hosts = new Map<string, Host>();
  /** of each run with requests in flight, against which hosts each counts; no empty lists */
  readonly #inFlight = new Map<Run, (readonly Host[])[]>();
  /** by run, in the order of their turns; no empty lists */
  readonly #unsent = new Map<Run, Waiting[]>();

  constructor(options: PacedOptions) {
    this.#options = options;
  }

  get count(): number {
    let count = 0;
    for (const begun of this.#unsent.values()) count += begun.length;
    return count;
  }

  /** Those of one pool that wait for nothing but a place. */
  countReady(pool: Pool, nowMs: number): number {
    let count = 0;
    for (const [run, waiting] of this.#unsent)
      if (run.pool === pool && this.#mayStart(run, nowMs)) count += waiting.length;
    return count;
  }

  add(run: Run, begun: Begun, nowMs: number): void {
    const waiting = this.#unsent.get(run);
    if (waiting) waiting.push({ begun, sinceMs: nowMs });
    else this.#unsent.set(run, [{ begun, sinceMs: nowMs }]);
  }

  /** Takes out what has waited for longer than UNSENT_MAX_MS: whatever it was begun with may no longer hold when it may leave. */
  takeStale(nowMs: number): Unsent[] {
    const stale: Unsent[] = [];
    for (const [run, waiting] of [...this.#unsent]) {
      const kept = waiting.filter(({ sinceMs }) => nowMs - sinceMs <= UNSENT_MAX_MS);
      if (kept.length === waiting.length) continue;
      for (const { begun, sinceMs } of waiting) if (nowMs - sinceMs > UNSENT_MAX_MS) stale.push({ run, begun });
      if (kept.length > 0) this.#unsent.set(run, kept);
      else this.#unsent.delete(run);
    }
    return stale;
  }

  /** ms until a request of this webhook may start by its paces. */
  msUntil(run: Run, nowMs: number): number {
    const hostsMs = this.#hostsOf(run, nowMs).map(({ pace }) => pace.msUntilNext(nowMs));
    return Math.max(this.of(run, nowMs).msUntilNext(nowMs), ...hostsMs);
  }

  /**
   * Takes out what may be sent now, each webhook's oldest first, one of each webhook a round, and counts it against the paces.
   * `hasPlace` is asked last, right before each is handed over.
   */
  *ready(nowMs: number, hasPlace: (run: Run) => boolean): Generator<Unsent> {
    let isMoving = this.#unsent.size > 0;
    while (isMoving) {
      isMoving = false;
      for (const [run, waiting] of [...this.#unsent]) {
        if (!this.#mayStart(run, nowMs) || !hasPlace(run)) continue;
        const begun = waiting.shift()?.begun;
        this.#unsent.delete(run);
        if (waiting.length > 0) this.#unsent.set(run, waiting);
        if (begun === undefined) continue;
        isMoving = waiting.length > 0 || isMoving;
        this.#start(run, nowMs);
        yield { run, begun };
      }
    }
  }

  /** A request that ready() handed over has ended. It counted against its hosts as they were known then. */
  ended(run: Run): void {
    const requests = this.#inFlight.get(run);
    for (const host of requests?.shift() ?? []) countIn(host, run, -1);
    if (requests?.length === 0) this.#inFlight.delete(run);
  }

  /** ms until the first may be sent by its paces; infinite when nothing waits for a time. */
  msUntilNext(nowMs: number): number {
    let soonest = Number.POSITIVE_INFINITY;
    for (const run of this.#unsent.keys()) {
      const wait = this.msUntil(run, nowMs);
      if (wait > 0) soonest = Math.min(soonest, wait);
    }
    return soonest;
  }

  /** How many requests of this webhook could start now by its paces. */
  available(run: Run, nowMs: number): number {
    const byName = this.#host(run.host, nowMs);
    const byAddress = this.#byAddress(run, nowMs);
    const own = this.of(run, nowMs).available(nowMs);
    if (byAddress === null) return Math.min(own, placesAt(byName, run, nowMs));
    return Math.min(own, placesAt(byName, run, nowMs), placesAt(byAddress, run, nowMs));
  }

  /** Takes out all that waits, because the lease under which it was begun is lost or this node is stopping. */
  drop(): Unsent[] {
    const unsent = [...this.#unsent].flatMap(([run, waiting]) => waiting.map(({ begun }) => ({ run, begun })));
    this.#unsent.clear();
    return unsent;
  }

  /** The pace of a webhook; a changed rate holds at once. Beyond PACES_KEPT_MAX the oldest is forgotten. */
  of(run: Run, nowMs: number): Pace {
    const known = this.#paces.get(run.name);
    const pace = known ?? keep(this.#paces, run.name, new Pace(run.pacePerSecond, nowMs), PACES_KEPT_MAX);
    pace.set(run.pacePerSecond, nowMs);
    return pace;
  }

  #mayStart(run: Run, nowMs: number): boolean {
    return this.available(run, nowMs) >= 1;
  }

  #start(run: Run, nowMs: number): void {
    const hosts = this.#hostsOf(run, nowMs);
    this.of(run, nowMs).spend(1, nowMs);
    for (const host of hosts) {
      host.pace.spend(1, nowMs);
      countIn(host, run, 1);
    }
    const requests = this.#inFlight.get(run);
    if (requests) requests.push(hosts);
    else this.#inFlight.set(run, [hosts]);
  }

  /**
   * Its name, and what it was reached by last: a receiver with a thousand names is one receiver, and so is a name with a
   * thousand addresses, of which each is the last one for a while.
   */
  #hostsOf(run: Run, nowMs: number): readonly Host[] {
    const byName = this.#host(run.host, nowMs);
    const byAddress = this.#byAddress(run, nowMs);
    return byAddress === null ? [byName] : [byName, byAddress];
  }

  #byAddress(run: Run, nowMs: number): Host | null {
    const reached = this.#options.reachedBy?.(run.host) ?? run.host;
    return reached === run.host ? null : this.#host(reached, nowMs);
  }

  #host(key: string, nowMs: number): Host {
    const perSecond = this.#options.hostPerSecond / Math.max(1, this.#options.liveNodes());
    const known = this.#hosts.get(key);
    const host = known ?? keep(this.#hosts, key, newHost(perSecond, nowMs), HOSTS_KEPT_MAX);
    host.pace.set(perSecond, nowMs);
    return host;
  }
}

/** How many requests of a webhook could start now by one host's pace and places. */
function placesAt(host: Host, run: Run, nowMs: number): number {
  return Math.min(host.pace.available(nowMs), placesLeft(host, run));
}

/** How many more requests a run's clinic may start at a host, each of which leaves fewer free. */
function placesLeft({ inFlight, heldBy }: Host, { clinicId }: Run): number {
  const free = HOST_IN_FLIGHT_MAX - inFlight;
  const held = heldBy.get(clinicId) ?? 0;
  return Math.max(0, Math.ceil((HELD_PER_FREE * free - held) / (HELD_PER_FREE + 1)));
}

function countIn(host: Host, { clinicId }: Run, change: 1 | -1): void {
  host.inFlight += change;
  const held = (host.heldBy.get(clinicId) ?? 0) + change;
  if (held === 0) host.heldBy.delete(clinicId);
  else host.heldBy.set(clinicId, held);
}

function newHost(perSecond: number, nowMs: number): Host {
  return { pace: new Pace(perSecond, nowMs), inFlight: 0, heldBy: new Map() };
}

/** Keeps one more value; the oldest makes room beyond `max`. Returns it. */
function keep<Value>(map: Map<string, Value>, key: string, value: Value, max: number): Value {
  const oldest = map.size >= max ? map.keys().next().value : undefined;
  if (oldest !== undefined) map.delete(oldest);
  map.set(key, value);
  return value;
}

/**
 * The engine's database as a model: what DeliveryStore promises, over plain maps and a clock that is told.
 *
 * Owns: the tables and the transitions that nodes ask for. Each call is one transaction that happens at once; take and
 * refill can be given a snapshot from earlier, as their statements have while they wait for locks. Written from engine.md
 * and contract §7; model.test.ts holds it against PostgreSQL. Does not: know tests of a webhook, nor split events.
 */
import type {
  Beat,
  Begun,
  Counted,
  EngineStore,
  Reaped,
  RefillRequest,
  Released,
  RunKey,
  Scan,
  SettledAttempt,
  SettledHealth,
  TakeRequest,
  TurningOff,
  Vitals,
  Warning,
} from "../../src/delivery/engine-store.ts";
import { WINDOW_ROWS } from "../../src/delivery/store.ts";
import { dueOf, isFor, isSuspect, keyOf, rungOf } from "./due.ts";
import { type Leased, scanAll, silence } from "./scan.ts";
import { nameOf, type RunRow, Tables } from "./tables.ts";
import { TAKEN_OVER_AFTER_MS, vitalsOf } from "./vitals.ts";

/** Webhooks with bells that a TAKE looks at. */
const BELLS_LOOKED_AT_MAX = 256;
/** A moment that two clocks tell is the same one within this. */
const SAME_MOMENT_MS = 1_000;
/** What lies farther ahead was written by a clock that was set back since. */
const CLOCK_SET_BACK_MS = 60_000;
const NO_HEALTH: SettledHealth = { owner: 0, health: [] };

export interface Seen {
  tables: Tables;
  atMs: number;
}

export class ModelStore implements EngineStore {
  readonly tables = new Tables();
  readonly nowMs: () => number;
  /** the next number of each counter */
  readonly next = { node: 1, bell: 1, delivery: 1, statement: 1 };

  /** @param nowMs the database's clock, in milliseconds */
  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  /** What a statement that begins now sees. */
  snapshot(): Seen {
    return { tables: this.tables.snapshot(), atMs: this.nowMs() };
  }

  async take(owner: number, request: TakeRequest): Promise<Scan> {
    return this.takeAsSeen(this.snapshot(), { ...request, owner });
  }

  takeAsSeen({ tables: seen, atMs }: Seen, asked: TakeRequest & { owner: number }): Scan {
    const { owner, webhooks, suspect, room = true } = asked;
    const rung = rungOf(seen, asked.after).slice(0, BELLS_LOOKED_AT_MAX);
    const mayTake = (key: RunKey) => {
      const run = this.tables.run(key);
      if (!seen.nodes.has(owner) || !seen.isOn(key)) return false;
      const before = seen.run(key);
      // Nobody had it meanwhile: he would have taken away bells of deliveries that are not seen here.
      if (before.owner !== null || run.owner !== null || run.fence !== before.fence) return false;
      if (!isFor(run, { owner, room, atMs })) return false;
      // A parked one hears no bell, only its probe's time.
      return isSuspect(run) === suspect && (run.parkedAt === null || run.nextAt <= atMs);
    };
    const leases = dueOf({ seen, atMs, rung }, asked)
      .filter(mayTake)
      .slice(0, webhooks)
      .map((key) => this.#leaseOf(key, seen, asked));
    const last = rung.length === BELLS_LOOKED_AT_MAX ? rung.at(-1) : undefined;
    const scanning = { now: this.tables, seen, atMs, owner };
    // Its own hear theirs at once, and their holder remembers them.
    const held = rung.filter((key) => seen.run(key).owner === owner);
    for (const key of held) if (this.tables.run(key).owner === owner) silence(scanning, key);
    // Every probe looks at everything from the start.
    const waitsForProbe = ({ owner: holder, parkedAt, nextAt }: RunRow) =>
      holder === null && parkedAt !== null && nextAt > atMs;
    for (const key of rung)
      if (waitsForProbe(seen.run(key)) && waitsForProbe(this.tables.run(key))) silence(scanning, key);
    return {
      ...scanAll(scanning, leases),
      rung: held.map((key) => ({ ...key, version: seen.webhook(key).version })),
      lookedUpTo: last ?? null,
    };
  }

  #leaseOf(key: RunKey, seen: Tables, { suspect, perWebhook }: TakeRequest): Leased {
    const run = this.tables.run(key);
    const { concurrency, pacePerSecond } = seen.webhook(key);
    const want = suspect ? 1 : Math.min(concurrency, Math.floor(pacePerSecond / 5) + 1, perWebhook);
    const look = run.parkedAt === null ? Math.min(WINDOW_ROWS, 2 * perWebhook) : WINDOW_ROWS;
    return { ...key, cursor: 0, passedOver: [], freed: [], isTaken: true, fence: run.fence + 1, want, look };
  }

  async refill(owner: number, requests: readonly RefillRequest[]): Promise<Scan> {
    return this.refillAsSeen(this.snapshot(), { owner, requests });
  }

  refillAsSeen({ tables: seen, atMs }: Seen, asked: { owner: number; requests: readonly RefillRequest[] }): Scan {
    const { owner, requests } = asked;
    const ours = requests.filter((request) => {
      const run = this.tables.run(request);
      return run.owner === owner && run.fence === request.fence && seen.isOn(request);
    });
    const leases = ours.map(
      (request): Leased => ({
        ...request,
        cursor: request.cursor ?? Number.POSITIVE_INFINITY,
        isTaken: false,
      }),
    );
    return scanAll({ now: this.tables, seen, atMs, owner }, leases);
  }

  async settle(results: readonly SettledAttempt[], settled: SettledHealth = NO_HEALTH): Promise<Counted[]> {
    const at = this.nowMs();
    const before = this.tables.snapshot();
    const counted = results.flatMap((result) => this.#settleOne(result, at, before) ?? []);
    for (const ofRun of Map.groupBy(results, ({ begun }) => nameOf(begun)).values()) {
      if (this.#saysNothingNew(ofRun, at, settled)) continue;
      this.#noteAnswers(ofRun, at);
      this.#noteHealth(ofRun, at, settled);
    }
    return counted;
  }

  #settleOne(result: SettledAttempt, at: number, before: Tables): Counted | null {
    const { begun, next } = result;
    const row = this.tables.deliveriesOf(begun).get(begun.id);
    const counts = row !== undefined && row.fence === begun.fence && row.attempt === begun.attempt;
    this.tables.noteAttempt(result, at, !counts);
    if (!counts) return null;
    const key = { ...keyOf(begun), id: begun.id };
    if (next.do === "retry") {
      this.tables.putDelivery({ ...row, choice: result.choice ?? row.choice, begunAt: null, dueAt: at + next.inMs });
      return { ...key, hasNext: false };
    }
    this.tables.finish(row, { state: next.state, reason: next.reason, at });
    const later = [...before.deliveriesOf(begun).values()];
    return { ...key, hasNext: later.some((other) => other.orderKey === row.orderKey && other.id > row.id) };
  }

  /** One success after another: the time of the last is written once a second. */
  #saysNothingNew(results: readonly SettledAttempt[], at: number, { health }: SettledHealth): boolean {
    const [first] = results;
    if (!first || !results.every(isDelivered)) return false;
    const run = this.tables.run(first.begun);
    const told = health.find((one) => nameOf(one) === nameOf(first.begun)) ?? { failures: 0, probes: 0, parked: false };
    const isTroubled =
      told.parked || run.parkedAt !== null || told.failures + told.probes + run.failures + run.probes > 0;
    const saidFrom = Math.max(at - SAME_MOMENT_MS, run.lastFailedAt ?? 0);
    const saidMs = run.lastDeliveredAt ?? 0;
    // A time far ahead is of a clock that was set back since.
    return run.answeredAt !== null && !isTroubled && saidMs > saidFrom && saidMs < at + CLOCK_SET_BACK_MS;
  }

  /** A success proves the address only where nothing has been changed since it was asked for. */
  #noteAnswers(results: readonly SettledAttempt[], at: number): void {
    const [first] = results;
    if (!first) return;
    const run = this.tables.run(first.begun);
    const delivered = results.filter(isDelivered);
    const { version } = this.tables.webhook(first.begun);
    const proves = delivered.some((result) => result.version === version);
    this.tables.changeRun(run, {
      ...(proves && { answeredAt: run.answeredAt ?? at }),
      ...(delivered.length > 0 && { lastDeliveredAt: at }),
      ...(delivered.length < results.length && { lastFailedAt: at }),
    });
  }

  /** The holder's word on its receiver counts, unless the webhook was changed since the holder took it. */
  #noteHealth(results: readonly SettledAttempt[], at: number, { owner, health }: SettledHealth): void {
    const [first] = results;
    const told = first && health.find((one) => nameOf(one) === nameOf(first.begun));
    if (!told) return;
    const run = this.tables.run(told);
    if (run.owner !== owner || run.fence !== told.fence) return;
    if (told.version !== this.tables.webhook(told).version) return;
    const since = told.failingMs === null ? null : at - told.failingMs;
    const isSame = since !== null && run.failingSince !== null && Math.abs(since - run.failingSince) < SAME_MOMENT_MS;
    this.tables.changeRun(told, {
      failures: told.failures,
      failingSince: isSame ? run.failingSince : since,
      probes: told.probes,
      parkedAt: told.parked ? (run.parkedAt ?? at) : null,
      recoveredAt: !told.parked && run.parkedAt !== null ? at : run.recoveredAt,
    });
  }

  async warn(owner: number, { run: key, kind, warned }: Warning): Promise<void> {
    const run = this.tables.run(key);
    if (run.owner !== owner || run.fence !== key.fence) return;
    if (run.failingSince === null && warned !== 0) return; // a manager has mended it meanwhile
    const at = this.nowMs();
    this.tables.changeRun(key, { warned, warnedAt: warned === 0 ? null : at });
    const since = run.failingSince ?? run.warnedAt;
    if (since !== null) this.tables.tell(key, kind, { cause: since, at });
  }

  async release(owner: number, runs: readonly Released[]): Promise<void> {
    const at = this.nowMs();
    for (const { version, nextInMs, yields = false, ...key } of runs) {
      const run = this.tables.run(key);
      if (run.owner !== owner || run.fence !== key.fence) continue;
      const isChanged = version !== this.tables.webhook(key).version;
      const waitMs = isChanged ? 0 : (nextInMs ?? Number.POSITIVE_INFINITY);
      const given = yields ? { yieldedBy: owner, yieldedAt: at } : { yieldedBy: null, yieldedAt: null };
      this.tables.changeRun(key, { owner: null, nextAt: at + waitMs, ...given });
    }
  }

  /** As if they had never been begun, but for their number. */
  async unbegin(begun: readonly Begun[]): Promise<void> {
    for (const one of begun) {
      const row = this.tables.deliveriesOf(one).get(one.id);
      if (!row || row.fence !== one.fence || row.attempt !== one.attempt || row.begunAt === null) continue;
      this.tables.putDelivery({ ...row, begunAt: null, attempt: row.attempt - 1 });
    }
  }

  async turnOff(key: RunKey, { version, reason }: TurningOff): Promise<void> {
    const webhook = this.tables.webhook(key);
    if (!this.tables.isOn(key) || webhook.version !== version) return;
    const at = this.nowMs();
    const change = { enabled: false, offReason: reason, version: version + 1, updatedAt: at };
    this.tables.webhooks.set(nameOf(key), { ...webhook, ...change });
    const kind = reason === "receiver_gone" ? "webhook.gone" : "webhook.turned_off";
    this.tables.tell(key, kind, { cause: version + 1, at });
  }

  async register(name: string, leaseMs: number): Promise<number> {
    const id = this.next.node++;
    this.tables.nodes.set(id, { id, name, aliveUntil: this.nowMs() + leaseMs, takes: true });
    return id;
  }

  /** Says that the node lives, and what there is besides it. */
  async beat(owner: number, { leaseMs, takes, sendsForMs }: Beat): Promise<Vitals> {
    const at = this.nowMs();
    const own = this.tables.nodes.get(owner);
    const vitals = vitalsOf(this.tables, { owner, at, sendsWithin: leaseMs - sendsForMs });
    if (own) this.tables.nodes.set(owner, { ...own, aliveUntil: at + leaseMs, takes });
    return vitals;
  }

  async retire(owner: number): Promise<Reaped> {
    this.forget(owner);
    return this.reap();
  }

  async retireAllOthers(owner: number): Promise<Reaped> {
    for (const id of [...this.tables.nodes.keys()]) if (id !== owner) this.forget(id);
    return this.reap();
  }

  async reap(): Promise<Reaped> {
    this.rest();
    return this.giveBack();
  }

  /** The first half of retiring: a transaction of its own. */
  forget(owner: number): void {
    this.tables.nodes.delete(owner);
  }

  /** What nodes held that have not been heard of for so long is due at once. */
  giveBack(): Reaped {
    const at = this.nowMs();
    const dead = [...this.tables.nodes.values()].filter(({ aliveUntil }) => aliveUntil < at - TAKEN_OVER_AFTER_MS);
    for (const { id } of dead) this.forget(id);
    const abandoned = [...this.tables.runs.values()].filter(
      ({ owner }) => owner !== null && !this.tables.nodes.has(owner),
    );
    for (const run of abandoned) this.tables.changeRun(run, { owner: null, nextAt: at });
    const nodes = new Set([...dead.map(({ id }) => id), ...abandoned.map(({ owner }) => owner)]);
    return { nodes: nodes.size, webhooks: abandoned.length };
  }

  /** Webhooks that are off stay out of what is due, and their bells go, as do those of parked ones: they hear none. */
  rest(): void {
    for (const bell of [...this.tables.bells.values()]) {
      const { parkedAt, owner } = this.tables.run(bell);
      const isDeaf = parkedAt !== null && owner === null;
      if (isDeaf || !this.tables.isOn(bell)) this.tables.bells.delete(bell.id);
    }
    for (const run of [...this.tables.runs.values()]) {
      if (run.owner !== null || run.nextAt > this.nowMs() || this.tables.isOn(run)) continue;
      this.tables.changeRun(run, { nextAt: Number.POSITIVE_INFINITY });
    }
  }

  async sweep(): Promise<number> {
    const sleepers = this.sleepers();
    for (const run of sleepers) this.tables.changeRun(run, { nextAt: this.nowMs() });
    return sleepers.length;
  }

  /** Webhooks that sleep without an end although something waits for them: at no moment there should be one. */
  sleepers(): RunRow[] {
    return [...this.tables.runs.values()].filter((run) => this.#sleepsInVain(run));
  }

  #sleepsInVain(run: RunRow): boolean {
    if (run.owner !== null || run.nextAt < Number.POSITIVE_INFINITY || !this.tables.isOn(run)) return false;
    return this.tables.deliveriesOf(run).size > 0 && !this.tables.hasBell(run);
  }
}

const isDelivered = ({ next }: SettledAttempt) => next.do === "finish" && next.state === "delivered";

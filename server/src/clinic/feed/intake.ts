/**
 * Gathers requests of the feed that come at the same time into one transaction: a commit costs the same for one event and
 * for a thousand.
 *
 * Owns the waiting requests of this process. Promises: each request gets its own answer after its events are durable; it is
 * stored whole or not at all; one that is refused costs the others in its group nothing but time; what waits is bounded, and
 * beyond that requests are turned away with 503. Nothing is held back to make a group larger: it is what came meanwhile.
 */
import { ProblemError } from "../../errors.ts";
import { EVENTS_PER_BATCH_MAX } from "../../outbox/emit.ts";
import type { FedEvent, TakenEvent } from "./events.ts";
import { busy, clinicBusy } from "./gate.ts";

/** No more than the gate lets in at once (gate.ts): what waits here meanwhile makes the next group larger. */
const GROUPS_AT_ONCE_MAX = 8;
/** And for one clinic: with a second one groups are half as large, and cost more than they gain. */
const GROUPS_OF_A_CLINIC_MAX = 1;
const WAITING_EVENTS_MAX = 20_000;
/** So that one clinic's flood leaves the others room. */
const WAITING_EVENTS_OF_A_CLINIC_MAX = 10_000;
/** A ring of locks is broken by the database, which picks one to fail; that one may simply try again. */
const RING_TRIES_MAX = 3;

/** From here on a refusal is for want of room, and says nothing of the request. */
const FIRST_STATUS_OF_THE_SERVERS = 500;
/** SQLSTATE classes that tell of the data or of other transactions, not of the database as a whole. */
const OF_ONE_REQUEST = /^(22|23|40)/;
const BROKEN_RING = /^40(001|P01)$/;

interface Waiting {
  readonly events: readonly FedEvent[];
  fulfil(taken: TakenEvent[]): void;
  reject(error: unknown): void;
}

interface Clinic {
  readonly id: number;
  waiting: Waiting[];
  groups: number;
  /** Of all its events that were taken in and not yet answered. */
  events: number;
}

/** Stores events of one clinic in one transaction; see takeEvents(). */
export type StoreEvents = (clinicId: number, events: readonly FedEvent[]) => Promise<TakenEvent[]>;

export class FeedIntake {
  readonly #store: StoreEvents;
  /** Only clinics that have something waiting or under way. */
  readonly #clinics = new Map<number, Clinic>();
  #waitingEvents = 0;
  #groups = 0;

  constructor(store: StoreEvents) {
    this.#store = store;
  }

  /**
   * Stores the events of one request, together with those of others. At most EVENTS_PER_BATCH_MAX.
   * @throws ProblemError 429 when too much of the clinic waits, 503 when too much of all, and what the store throws of this request
   */
  take(clinicId: number, events: readonly FedEvent[]): Promise<TakenEvent[]> {
    const clinic = this.#clinics.get(clinicId) ?? { id: clinicId, waiting: [], groups: 0, events: 0 };
    if (clinic.events + events.length > WAITING_EVENTS_OF_A_CLINIC_MAX) throw clinicBusy();
    if (this.#waitingEvents + events.length > WAITING_EVENTS_MAX) throw busy();
    this.#waitingEvents += events.length;
    clinic.events += events.length;
    this.#clinics.set(clinicId, clinic);
    return new Promise((fulfil, reject) => {
      clinic.waiting.push({ events, fulfil, reject });
      this.#startGroups(clinic);
    });
  }

  #startGroups(clinic: Clinic): void {
    const isFree = () => this.#groups < GROUPS_AT_ONCE_MAX && clinic.groups < GROUPS_OF_A_CLINIC_MAX;
    while (clinic.waiting.length > 0 && isFree()) {
      const group = nextGroup(clinic);
      this.#groups += 1;
      clinic.groups += 1;
      void this.#run(clinic, group);
    }
  }

  /** Never rejects: every outcome goes to those who wait for it. */
  async #run(clinic: Clinic, group: readonly Waiting[]): Promise<void> {
    const events = group.flatMap((one) => one.events);
    try {
      answer(group, await this.#store(clinic.id, events));
    } catch (error) {
      if (group.length > 1 && mayBeOneRequests(error)) await this.#oneByOne(clinic.id, group);
      else if (isBrokenRing(error)) await this.#oneByOne(clinic.id, group);
      else for (const one of group) one.reject(error);
    }
    this.#groups -= 1;
    clinic.groups -= 1;
    this.#waitingEvents -= events.length;
    clinic.events -= events.length;
    this.#goOn(clinic);
  }

  /** The next in turn: the clinic that has just ended goes to the end of the line, so that none keeps the others out. */
  #goOn(clinic: Clinic): void {
    this.#clinics.delete(clinic.id);
    if (clinic.waiting.length > 0 || clinic.groups > 0) this.#clinics.set(clinic.id, clinic);
    for (const next of this.#clinics.values()) {
      if (this.#groups >= GROUPS_AT_ONCE_MAX) return;
      this.#startGroups(next);
    }
  }

  async #oneByOne(clinicId: number, group: readonly Waiting[]): Promise<void> {
    for (const one of group) {
      try {
        one.fulfil(await this.#alone(clinicId, one));
      } catch (error) {
        one.reject(error);
      }
    }
  }

  async #alone(clinicId: number, { events }: Waiting): Promise<TakenEvent[]> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#store(clinicId, events);
      } catch (error) {
        if (tries >= RING_TRIES_MAX || !isBrokenRing(error)) throw error;
      }
    }
  }
}

/** As many of the first as one batch holds; one that uses a key of theirs waits, since it has to see what became of it. */
function nextGroup(clinic: Clinic): Waiting[] {
  const keys = new Set<string>();
  let count = 0;
  let at = 0;
  for (const { events } of clinic.waiting) {
    if (at > 0 && (count + events.length > EVENTS_PER_BATCH_MAX || events.some(({ key }) => keys.has(key)))) break;
    for (const { key } of events) keys.add(key);
    count += events.length;
    at += 1;
  }
  return clinic.waiting.splice(0, at);
}

function answer(group: readonly Waiting[], taken: readonly TakenEvent[]): void {
  let at = 0;
  for (const { events, fulfil } of group) {
    fulfil(taken.slice(at, at + events.length));
    at += events.length;
  }
}

/** Whether the others of the group might have been stored without the one that caused this. */
function mayBeOneRequests(error: unknown): boolean {
  if (error instanceof ProblemError) return error.status < FIRST_STATUS_OF_THE_SERVERS;
  if (error instanceof TypeError || error instanceof RangeError) return true;
  return OF_ONE_REQUEST.test(sqlState(error));
}

function isBrokenRing(error: unknown): boolean {
  return BROKEN_RING.test(sqlState(error));
}

function sqlState(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

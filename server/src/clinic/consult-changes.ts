/**
 * The unit of work of consults: everything that one transaction does to consults, and the events that come of it.
 *
 * Owns: locking a consult at its first touch, remembering how it was, and at the end emitting what contract §3 rule 5 asks
 * for. Promises: commands on one consult run one after the other, so the subject's version rises in commit order; consults
 * are locked in the order of their ids; several commands in one transaction still make at most one event per consult and
 * event name. Does not change a consult itself: the commands in consults.ts and participants.ts do.
 */
import { sql } from "kysely";
import type { Tx } from "../db/schema.ts";
import { notFound } from "../errors.ts";
import { EVENTS_PER_BATCH_MAX, emitMany } from "../outbox/emit.ts";
import type { ClinicContext } from "./clinics.ts";
import { type Arrival, isIn } from "./consult-arrivals.ts";
import { type ConsultEvent, type ConsultState, consultEvents } from "./consult-events.ts";
import { consultFacts, readNames } from "./consult-facts.ts";

export type PlaceStatus = "booked" | "held" | "wait_listed";

export interface ParticipantRow {
  readonly patientId: number;
  readonly status: PlaceStatus;
  readonly arrival: Arrival;
}

/** A consult as it stands in the transaction, its row locked. */
export interface OpenConsult {
  readonly id: number;
  readonly serviceId: number;
  readonly practitionerId: number;
  readonly startsAt: Temporal.Instant;
  readonly durationMinutes: number;
  readonly cancelledAt: Temporal.Instant | null;
  readonly room: string | null;
  readonly notes: string | null;
  readonly seriesId: number | null;
  /** In the order in which they joined. */
  readonly participants: readonly ParticipantRow[];
}

const used = new WeakSet<Tx>();

/**
 * Runs commands on consults and then emits their events, in the given transaction.
 *
 * Once per transaction: a second unit would compare with the wrong "before" and could send an event twice, so it throws.
 */
export async function changeConsults<Result>(
  tx: Tx,
  context: ClinicContext,
  work: (changes: ConsultChanges) => Promise<Result>,
): Promise<Result> {
  if (used.has(tx)) throw new Error("one transaction has one unit of consult changes; put all commands into it");
  used.add(tx);
  const changes = new ConsultChanges(tx, context);
  const result = await work(changes);
  await changes.flush();
  return result;
}

export class ConsultChanges {
  readonly tx: Tx;
  readonly context: ClinicContext;
  /** How each touched consult was before; null for those that came to exist here. In the order of the first touch. */
  readonly #before = new Map<number, ConsultState | null>();

  constructor(tx: Tx, context: ClinicContext) {
    this.tx = tx;
    this.context = context;
  }

  get clinicId(): number {
    return this.context.clinicId;
  }

  /** Notes that a consult was created in this transaction; nobody else can see it yet, so there is nothing to lock. */
  created(id: number): void {
    this.#before.set(id, null);
  }

  /**
   * Locks a consult, if that has not been done yet, and reads it as it stands now.
   * @throws ProblemError 404 when this clinic has no such consult; it names `field` where the id came in the body
   */
  async open(id: number, field?: string): Promise<OpenConsult> {
    const consults = await this.lock([id]);
    const consult = consults.get(id);
    if (consult === undefined) throw notFound("the consult", field);
    return consult;
  }

  /** Locks several consults in the order of their ids, so that two moves in opposite directions never wait in a ring. */
  async lock(ids: readonly number[]): Promise<ReadonlyMap<number, OpenConsult>> {
    const fresh = ids.filter((id) => !this.#before.has(id));
    if (fresh.length > 0) {
      await this.tx
        .selectFrom("consults")
        .select("id")
        .where("clinic_id", "=", this.clinicId)
        .where("id", "=", among(fresh))
        .orderBy("id")
        .forNoKeyUpdate()
        .execute();
    }
    // Read after the lock is held: the locking statement's own snapshot may be older than what it waited for.
    const consults = await readConsults(this.tx, this.clinicId, ids);
    for (const id of fresh) {
      const consult = consults.get(id);
      if (consult !== undefined) this.#before.set(id, stateOf(consult));
    }
    return consults;
  }

  /** Compares what was with what is, and emits: all removals before all updates before all additions (§3 rules 5 and 7). */
  async flush(): Promise<void> {
    const consults = await readConsults(this.tx, this.clinicId, [...this.#before.keys()]);
    const pending = [...this.#before].flatMap(([consultId, before]) => {
      const consult = consults.get(consultId);
      if (consult === undefined) throw new Error(`consult ${consultId} vanished in its own transaction`);
      const state = stateOf(consult);
      return consultEvents(before, state).map((event) => ({ consultId, state, event }));
    });
    this.#before.clear();
    if (pending.length === 0 || this.context.silent) return;
    const names = await readNames(this.tx, {
      clinicId: this.clinicId,
      serviceIds: pending.map(({ state }) => state.serviceId),
      practitionerIds: pending.map(({ state }) => state.practitionerId),
      patientIds: pending.flatMap(({ event }) => event.patientIds),
    });
    const { clinicId, context, tx } = this;
    const inOrder = EVENT_ORDER.flatMap((name) => pending.filter(({ event }) => event.event === name));
    for (const batch of batchesOf(inOrder)) {
      const events = batch.map((one) => ({ subject: `consult:${one.consultId}`, facts: consultFacts(one, names) }));
      await emitMany(context.outbox, tx, { clinicId, events });
    }
  }
}

/** Participants of all events of one batch together, give or take one event: it bounds the memory of their facts. */
const PARTICIPANTS_PER_BATCH_MAX = 20_000;

/** Pieces that the outbox takes at once, in the given order. */
function* batchesOf<One extends { readonly event: ConsultEvent }>(events: readonly One[]): Generator<One[]> {
  let batch: One[] = [];
  let participants = 0;
  for (const one of events) {
    batch.push(one);
    participants += one.event.patientIds.length;
    if (batch.length < EVENTS_PER_BATCH_MAX && participants < PARTICIPANTS_PER_BATCH_MAX) continue;
    yield batch;
    batch = [];
    participants = 0;
  }
  if (batch.length > 0) yield batch;
}

const EVENT_ORDER: readonly ConsultEvent["event"][] = ["participant.removed", "consult.updated", "participant.added"];

/** For a condition on a column: one parameter, however many ids. */
export function among(ids: readonly number[]) {
  return sql<number>`any(${[...ids]}::bigint[])`;
}

function stateOf(consult: OpenConsult): ConsultState {
  const booked = consult.participants.filter(isIn).map(({ patientId }) => patientId);
  return { ...consult, cancelled: consult.cancelledAt !== null, booked };
}

async function readConsults(tx: Tx, clinicId: number, ids: readonly number[]): Promise<Map<number, OpenConsult>> {
  if (ids.length === 0) return new Map();
  const rows = await tx
    .selectFrom("consults")
    .select([
      "id",
      "service_id as serviceId",
      "practitioner_id as practitionerId",
      "starts_at as startsAt",
      "duration_minutes as durationMinutes",
      "cancelled_at as cancelledAt",
      "room",
      "notes",
      "series_id as seriesId",
    ])
    .where("clinic_id", "=", clinicId)
    .where("id", "=", among(ids))
    .execute();
  const participants = await tx
    .selectFrom("consult_participants")
    .select(["consult_id", "patient_id as patientId", "status", "arrival"])
    .where("clinic_id", "=", clinicId)
    .where("consult_id", "=", among(ids))
    .orderBy("place")
    .execute();
  const byConsult = Map.groupBy(participants, ({ consult_id }) => consult_id);
  return new Map(
    rows.map((row) => {
      const joined = (byConsult.get(row.id) ?? []).map(({ consult_id: _, ...participant }) => participant);
      return [row.id, { ...row, participants: joined }];
    }),
  );
}

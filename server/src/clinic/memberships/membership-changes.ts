/**
 * The unit of work of memberships: everything that one transaction does to them, and the events that come of it.
 *
 * Owns: locking a membership at its first touch, remembering its state, and at the end emitting what states.ts says, giving
 * or taking the access that an academy membership carries, and noting when the scheduler has to look again. Promises:
 * commands on one membership run one after the other, so the subject's version rises in commit order; a membership makes
 * one event at most; all cancellations are told before all beginnings (contract §4: a switch is cancelled, then started).
 * Does not change a membership itself: the commands in memberships.ts and charges.ts do.
 */
import { sql } from "kysely";
import type { Tx } from "../../db/schema.ts";
import { notFound } from "../../errors.ts";
import { emit } from "../../outbox/emit.ts";
import type { InvoiceChanges } from "../billing/invoice-changes.ts";
import { type ClinicContext, getClinic } from "../clinics.ts";
import { readNames } from "../consult-facts.ts";
import { followAccess } from "./academy-access.ts";
import type { Charger } from "./charger.ts";
import { nextDueOn } from "./due-dates.ts";
import { type OpenMembership, readMemberships } from "./membership-rows.ts";
import { dateAt, startOf } from "./periods.ts";
import { type MembershipEvent, membershipEvent } from "./states.ts";

export interface MembershipParts {
  readonly context: ClinicContext;
  readonly charger: Charger;
  /** The transaction's unit of invoices; null where nothing can be charged any more. */
  readonly invoices: InvoiceChanges | null;
}

/** The unit that a transaction has open, for whoever has to join it. */
const open = new WeakMap<Tx, MembershipChanges>();

/** The transaction's unit of memberships, or undefined where it has none. */
export function openUnit(tx: Tx): MembershipChanges | undefined {
  return open.get(tx);
}

/** Begins the transaction's one unit. Whoever begins it flushes it. */
export async function beginUnit(tx: Tx, parts: MembershipParts): Promise<MembershipChanges> {
  if (open.has(tx)) throw new Error("one transaction has one unit of membership changes; put all commands into it");
  const { timeZone } = await getClinic(tx, parts.context.clinicId);
  const unit = new MembershipChanges(tx, { ...parts, timeZone });
  open.set(tx, unit);
  return unit;
}

const EVENT_ORDER: readonly MembershipEvent[] = ["membership.cancelled", "membership.started"];

export class MembershipChanges {
  readonly tx: Tx;
  readonly context: ClinicContext;
  readonly charger: Charger;
  readonly now: Temporal.Instant;
  /** By the clinic's calendar. */
  readonly today: Temporal.PlainDate;
  readonly #timeZone: string;
  readonly #invoices: InvoiceChanges | null;
  /** How each touched membership was before; null for those that came to exist here. In the order of the first touch. */
  readonly #before = new Map<number, OpenMembership | null>();

  constructor(tx: Tx, { context, charger, invoices, timeZone }: MembershipParts & { readonly timeZone: string }) {
    this.tx = tx;
    this.context = context;
    this.charger = charger;
    this.now = context.outbox.clock.now();
    this.today = dateAt(this.now, timeZone);
    this.#timeZone = timeZone;
    this.#invoices = invoices;
  }

  get clinicId(): number {
    return this.context.clinicId;
  }

  get invoices(): InvoiceChanges {
    if (this.#invoices === null) throw new Error("this transaction's invoices are closed already");
    return this.#invoices;
  }

  /** Notes that a membership was created in this transaction; nobody else can see it yet, so there is nothing to lock. */
  created(id: number): void {
    this.#before.set(id, null);
  }

  /**
   * Locks a membership, if that has not been done yet, and reads it as it stands now.
   * @throws ProblemError 404 when this clinic has no such membership
   */
  async open(id: number): Promise<OpenMembership> {
    const membership = (await this.lock([id])).get(id);
    if (membership === undefined) throw notFound("the membership");
    return membership;
  }

  /** Locks several memberships in the order of their ids. */
  async lock(ids: readonly number[]): Promise<ReadonlyMap<number, OpenMembership>> {
    const fresh = ids.filter((id) => !this.#before.has(id));
    if (fresh.length > 0) {
      await this.tx
        .selectFrom("memberships")
        .select("id")
        .where("clinic_id", "=", this.clinicId)
        .where("id", "=", sql<number>`any(${fresh}::bigint[])`)
        .orderBy("id")
        .forNoKeyUpdate()
        .execute();
    }
    // Read after the lock is held: the locking statement's own snapshot may be older than what it waited for.
    const memberships = await readMemberships(this.tx, this.clinicId, ids);
    for (const id of fresh) {
      const membership = memberships.get(id);
      if (membership !== undefined) this.#before.set(id, membership);
    }
    return memberships;
  }

  /** Compares what was with what is: events, access, and when each is due next. */
  async flush(): Promise<void> {
    open.delete(this.tx);
    const ids = [...this.#before.keys()];
    const memberships = await readMemberships(this.tx, this.clinicId, ids);
    const changed = [...this.#before].map(([id, before]) => {
      const now = memberships.get(id);
      if (now === undefined) throw new Error(`membership ${id} vanished in its own transaction`);
      return { before, now };
    });
    this.#before.clear();
    await this.#emitAll(changed);
    await followAccess(this.tx, this.context, changed);
    for (const { now } of changed) await this.#keepDue(now);
  }

  async #emitAll(changed: readonly { before: OpenMembership | null; now: OpenMembership }[]): Promise<void> {
    const pending = changed.flatMap(({ before, now }) => {
      const event = membershipEvent(before?.state ?? null, now.state);
      return event === null ? [] : [{ event, now }];
    });
    if (pending.length === 0) return;
    const { clinicId } = this;
    const patientIds = pending.map(({ now }) => now.clientId);
    const names = await readNames(this.tx, { clinicId, serviceIds: [], practitionerIds: [], patientIds });
    for (const name of EVENT_ORDER) {
      for (const { event, now } of pending.filter((one) => one.event === name)) {
        const client = names.patients.get(now.clientId);
        if (client === undefined) throw new Error(`membership ${now.id} belongs to no patient`);
        const facts = { event, membership: documented(now), client };
        await emit(this.context.outbox, this.tx, { clinicId, subject: `membership:${now.id}`, facts });
      }
    }
  }

  /** Whatever failed before is forgotten: somebody has changed the membership since. */
  async #keepDue(membership: OpenMembership): Promise<void> {
    const dueOn = nextDueOn(membership);
    await this.tx
      .updateTable("memberships")
      .set({ due_at: dueOn === null ? null : startOf(dueOn, this.#timeZone), due_failures: 0 })
      .where("clinic_id", "=", this.clinicId)
      .where("id", "=", membership.id)
      .execute();
  }
}

/** Contract §2: `id` is this patient's membership, `membership_id` the plan. */
function documented({ id, plan, recurrenceInterval }: OpenMembership) {
  return {
    type: plan.type,
    id,
    name: plan.name,
    membership_id: plan.id,
    recurrence_interval: recurrenceInterval,
  };
}

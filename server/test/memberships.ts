/** A clinic with patients who have memberships, a clock that is moved by hand, and the scheduler on that clock. */
import type { Facts, InvoiceFacts, MembershipFacts } from "@hookwell/sdk";
import { sql } from "kysely";
import { type Charger, practiceCard } from "../src/clinic/memberships/charger.ts";
import type { MembershipChanges } from "../src/clinic/memberships/membership-changes.ts";
import { changeMemberships } from "../src/clinic/memberships/membership-transaction.ts";
import { getMembership, type MembershipView } from "../src/clinic/memberships/membership-views.ts";
import { assignMembership, type NewMembership } from "../src/clinic/memberships/memberships.ts";
import { addPlan, type NewPlan, type PlanRow } from "../src/clinic/memberships/plans.ts";
import { membershipWork } from "../src/clinic/memberships/renewals.ts";
import type { Log } from "../src/log.ts";
import { Scheduler } from "../src/scheduler/scheduler.ts";
import { watchedLog } from "./canary/watch.ts";
import type { StoredEvent, TestClinic } from "./clinic.ts";

export class MembershipStage {
  readonly clinic: TestClinic;

  constructor(clinic: TestClinic) {
    this.clinic = clinic;
  }

  plan(plan: Partial<NewPlan> = {}): Promise<PlanRow> {
    const values = { type: "clinic_package_membership", name: "Monthly visits", price: 80 } as const;
    const wanted = { ...values, taxRate: 13, recurrenceInterval: "month", ...plan } as const;
    return this.clinic.inTransaction((tx) => addPlan(tx, this.clinic.context, wanted));
  }

  /** One transaction with its unit of membership changes. */
  change<Result>(work: (changes: MembershipChanges) => Promise<Result>): Promise<Result> {
    return this.clinic.inTransaction((tx) => changeMemberships(tx, this.clinic.context, work));
  }

  /** Paid by the card that is accepted, unless told, by a patient of its own. */
  async assign(planId: number, wanted: Partial<NewMembership> = {}): Promise<number> {
    const clientId = wanted.clientId ?? (await this.clinic.patient()).id;
    const paymentSource = wanted.paymentSource ?? "practice_card";
    return this.change((changes) => assignMembership(changes, { planId, clientId, paymentSource }));
  }

  view(id: number): Promise<MembershipView> {
    return this.clinic.inTransaction((tx) => getMembership(tx, this.clinic.id, id));
  }

  scheduler(options: { charger?: Charger; log?: Log } = {}): Scheduler {
    const { clinic } = this;
    return new Scheduler({
      db: clinic.db,
      outbox: clinic.context.outbox,
      log: options.log ?? watchedLog(),
      works: [membershipWork(options.charger ?? practiceCard)],
      nudge: () => {},
      now: async () => clinic.clock.now(),
    });
  }

  /** Moves the clock to nine in the morning of a day at the clinic. */
  moveTo(day: string): void {
    const { clock, clinic } = this.clinic;
    const to = Temporal.PlainDate.from(day).toZonedDateTime({ timeZone: clinic.timeZone, plainTime: "09:00" });
    clock.advance(clock.now().until(to.toInstant()));
  }

  /** Lets every day up to this one come, each with a turn of the scheduler. */
  async liveUntil(day: string, scheduler = this.scheduler()): Promise<void> {
    const { clock, clinic } = this.clinic;
    const last = Temporal.PlainDate.from(day);
    for (;;) {
      const today = clock.now().toZonedDateTimeISO(clinic.timeZone).toPlainDate();
      if (Temporal.PlainDate.compare(today, last) >= 0) return;
      this.moveTo(today.add({ days: 1 }).toString());
      await scheduler.runOnce();
    }
  }

  /** Nothing here is due any more: the scheduler looks after all clinics of a database, the next test after its own. */
  async close(): Promise<void> {
    await sql`update memberships set due_at = null where clinic_id = ${this.clinic.id}`.execute(this.clinic.owner);
  }

  /** The events since the last call. */
  news(): Promise<StoredEvent<Facts>[]> {
    return this.clinic.news<Facts>();
  }

  /** Their names and subjects: `membership.started membership:7`. */
  async told(): Promise<string[]> {
    return (await this.news()).map(({ subject, facts }) => `${eventOf(facts)} ${subject}`);
  }

  /** The records among them: number, date, status. */
  async records(): Promise<string[]> {
    return (await this.news()).filter(isInvoice).map(({ facts: { event, invoice } }) => {
      return `${event} ${invoice.invoice_date} ${invoice.status}`;
    });
  }
}

function eventOf(facts: Facts): string {
  return facts.event;
}

function isInvoice(event: StoredEvent<Facts>): event is StoredEvent<InvoiceFacts> {
  return "invoice" in event.facts;
}

export function isMembership(event: StoredEvent<Facts>): event is StoredEvent<MembershipFacts> {
  return "membership" in event.facts;
}

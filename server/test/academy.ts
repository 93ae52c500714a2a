/** A clinic with an academy: what it offers, and patients who buy it. */
import type { AcademyFacts } from "@hookwell/sdk";
import { type CheckoutView, getCheckout } from "../src/clinic/academy/academy-views.ts";
import { type AccessVia, enrol, grantAccess, NOTHING_PAID } from "../src/clinic/academy/access.ts";
import { checkoutWork, completeCheckout, startCheckout } from "../src/clinic/academy/checkouts.ts";
import { addItem, type ItemRow, type NewItem } from "../src/clinic/academy/items.ts";
import { Scheduler } from "../src/scheduler/scheduler.ts";
import { watchedLog } from "./canary/watch.ts";
import type { StoredEvent, TestClinic } from "./clinic.ts";

export class TestAcademy {
  readonly clinic: TestClinic;

  constructor(clinic: TestClinic) {
    this.clinic = clinic;
  }

  /** A course for 199.00 with 13 % of tax, unless told. */
  item(changed: Partial<NewItem> = {}): Promise<ItemRow> {
    const wanted = { type: "course", name: "Back care at home", price: 199, taxRate: 13, ...changed } as const;
    return this.clinic.inTransaction((tx) => addItem(tx, this.clinic.id, wanted));
  }

  start({ type, id: itemId }: ItemRow, patientId: number): Promise<{ id: number; started: boolean }> {
    const { clinic } = this;
    return clinic.inTransaction((tx) => startCheckout(tx, clinic.context, { type, itemId, patientId }));
  }

  complete(id: number): Promise<void> {
    return this.clinic.inTransaction((tx) => completeCheckout(tx, this.clinic.context, id));
  }

  checkout(id: number): Promise<CheckoutView> {
    return this.clinic.inTransaction((tx) => getCheckout(tx, this.clinic.id, id));
  }

  /** At the desk, without a payment. */
  enrol({ type, id: itemId }: ItemRow, patientId: number, how: "free" | "granted" = "granted") {
    const { clinic } = this;
    return clinic.inTransaction((tx) => enrol(tx, clinic.context, { type, itemId, patientId, how }));
  }

  grant({ id: itemId }: ItemRow, patientId: number, how: AccessVia) {
    const grant = { itemId, patientId, how, payment: NOTHING_PAID };
    return this.clinic.inTransaction((tx) => grantAccess(tx, this.clinic.context, grant));
  }

  /** Lets the clock go on, and the scheduler look. */
  async pass(time: Temporal.DurationLike): Promise<void> {
    const { clock, db, context } = this.clinic;
    clock.advance(time);
    const now = async () => clock.now();
    const options = { db, outbox: context.outbox, log: watchedLog(), works: [checkoutWork], nudge: () => {}, now };
    await new Scheduler(options).runOnce();
  }

  news(): Promise<StoredEvent<AcademyFacts>[]> {
    return this.clinic.news<AcademyFacts>();
  }

  /** Names, subjects and versions of the events since the last call. */
  async told(): Promise<string[]> {
    return (await this.news()).map((event) => `${event.facts.event} ${event.subject} ${event.subjectVersion}`);
  }
}

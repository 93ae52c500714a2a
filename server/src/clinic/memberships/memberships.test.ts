/** Memberships from assignment to end, as receivers hear of them (contract §1, §4). */
import type { InvoiceFacts, MembershipFacts } from "@hookwell/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestClinic } from "../../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/database.ts";
import { MembershipStage } from "../../../test/memberships.ts";
import { briefOf, refusalOf } from "../../../test/refusal.ts";
import { addPayment } from "../billing/payments.ts";
import { changeBilling } from "../billing-transaction.ts";
import { listUsableCredits } from "../credits/credits.ts";
import {
  assignMembership,
  cancelMembership,
  changePaymentSource,
  markPaid,
  pauseMembership,
  resumeMembership,
  switchMembership,
} from "./memberships.ts";
import type { PlanRow } from "./plans.ts";

let database: TestDatabase;
let stage: MembershipStage;
let monthly: PlanRow;
let library: PlanRow;
let patient: { readonly id: number };

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

beforeEach(async () => {
  stage = new MembershipStage(await createTestClinic(database.pools, { hasAcademy: true }));
  monthly = await stage.plan({ creditValue: 80 });
  library = await stage.plan({ type: "academy_membership", name: "Movement library", recurrenceInterval: "year" });
  patient = await stage.clinic.patient();
});
afterEach(() => stage.close());

const cancel = (id: number, at: "now" | "period_end" = "period_end") =>
  stage.change((changes) => cancelMembership(changes, id, { by: "patient", at }));
const resume = (id: number) => stage.change((changes) => resumeMembership(changes, id));
const pause = (id: number) => stage.change((changes) => pauseMembership(changes, id));
const started = async (planId = monthly.id) => {
  const id = await stage.assign(planId, { clientId: patient.id });
  await stage.news();
  return id;
};
const payAtDesk = async (invoiceId = 0, totalMinor = 9040) =>
  stage.clinic.inTransaction((tx) =>
    changeBilling(tx, stage.clinic.context, (invoices) =>
      addPayment(invoices, invoiceId, { method: "cash", totalMinor }),
    ),
  );

describe("a clinic package membership that is assigned", () => {
  test("and paid at once is started, and its charge is one record that already holds the payment", async () => {
    const id = await stage.assign(monthly.id, { clientId: patient.id });
    const news = await stage.news();
    expect(news.map(({ facts }) => (facts as InvoiceFacts).event).sort()).toEqual([
      "invoice.created",
      "membership.started",
    ]);
    const { invoices } = await stage.view(id);
    expect(news.find(({ facts }) => "invoice" in facts)).toMatchObject({
      subject: `invoice:${invoices[0]}`,
      facts: {
        invoice: {
          type: "clinic_package_membership",
          status: "paid",
          invoice_date: "2026-06-01",
          total: 90.4,
          payments: [{ payment_method: "credit_card", total: 90.4, status: "paid", from_package: false }],
        },
        client: { id: patient.id },
      },
    });
    expect(news.find(({ facts }) => "membership" in facts)).toMatchObject({
      subject: `membership:${id}`,
      facts: {
        membership: {
          type: "clinic_package_membership",
          id,
          name: "Monthly visits",
          membership_id: monthly.id,
          recurrence_interval: "month",
        },
        client: { id: patient.id, name: "Sam Sample", email: "sam.sample@example.test" },
      },
    });
    expect(await stage.view(id)).toMatchObject({ state: "active", nextChargeOn: "2026-07-01", paymentsMade: 1 });
  });

  test("opens its credit with the payment, and not before", async () => {
    const credits = () => stage.clinic.inTransaction((tx) => listUsableCredits(tx, stage.clinic.context, patient.id));
    const id = await stage.assign(monthly.id, { clientId: patient.id, paymentSource: "at_desk" });
    expect(await credits()).toEqual([]);
    await payAtDesk((await stage.view(id)).invoices[0]);
    expect(await credits()).toMatchObject([{ kind: "membership", entitledMinor: 8000 }]);
  });

  test("and not paid is not started; the payment at the desk starts it", async () => {
    const id = await stage.assign(monthly.id, { paymentSource: "at_desk" });
    const [invoice] = (await stage.view(id)).invoices;
    expect(await stage.told()).toEqual([`invoice.created invoice:${invoice}`]);
    stage.moveTo("2026-06-10");
    await payAtDesk(invoice, 40);
    expect(await stage.told()).toEqual([`invoice.updated invoice:${invoice}`]);
    await payAtDesk(invoice, 9000);
    expect(await stage.told()).toEqual([`invoice.updated invoice:${invoice}`, `membership.started membership:${id}`]);
    expect(await stage.view(id)).toMatchObject({ state: "active", nextChargeOn: "2026-07-10" });
  });

  test("with a card that is declined is not started, and tries again the next day", async () => {
    const id = await stage.assign(monthly.id, { paymentSource: "practice_card_declined" });
    const view = await stage.view(id);
    expect(view).toMatchObject({ state: "pending", retryOn: "2026-06-02", lastCharge: { outcome: "declined" } });
    expect(await stage.told()).toEqual([`invoice.created invoice:${view.invoices[0]}`]);
  });

  test("for nothing is started at once, with its record", async () => {
    const free = await stage.plan({ price: 0 });
    const id = await stage.assign(free.id, { paymentSource: "at_desk" });
    expect(await stage.told()).toEqual([
      `invoice.created invoice:${(await stage.view(id)).invoices[0]}`,
      `membership.started membership:${id}`,
    ]);
  });
});

describe("an academy membership", () => {
  test("makes no record, whatever happens to it", async () => {
    const id = await stage.assign(library.id);
    expect(await stage.told()).toEqual([`membership.started membership:${id}`]);
    await stage.liveUntil("2026-06-03");
    await cancel(id, "now");
    expect(await stage.told()).toEqual([`membership.cancelled membership:${id}`]);
    expect((await stage.view(id)).invoices).toEqual([]);
  });

  test("that is paid at the desk is started when it is marked as paid", async () => {
    const id = await stage.assign(library.id, { paymentSource: "at_desk" });
    expect(await stage.told()).toEqual([]);
    await stage.change((changes) => markPaid(changes, id));
    expect(await stage.told()).toEqual([`membership.started membership:${id}`]);
    const again = await refusalOf(() => stage.change((changes) => markPaid(changes, id)));
    expect(briefOf(again)).toMatchObject({ status: 409, code: "nothing_to_pay" });
  });
});

describe("a cancellation", () => {
  test("is told once, when it is made; undone, the same membership is started again", async () => {
    const id = await started();
    await cancel(id);
    expect(await stage.view(id)).toMatchObject({ state: "cancelled", accessUntil: "2026-07-01", nextChargeOn: null });
    await cancel(id);
    await resume(id);
    await resume(id);
    const news = await stage.news();
    expect(news.map(({ facts }) => (facts as MembershipFacts).event)).toEqual([
      "membership.cancelled",
      "membership.started",
    ]);
    expect(news.map(({ subjectVersion }) => subjectVersion)).toEqual([2, 3]);
    expect(await stage.view(id)).toMatchObject({ state: "active", accessUntil: null, nextChargeOn: "2026-07-01" });
  });

  test("that was announced says nothing when the period is over, and cannot be undone then", async () => {
    const id = await started();
    await cancel(id);
    await stage.news();
    await stage.liveUntil("2026-07-02");
    expect(await stage.told()).toEqual([]);
    expect(briefOf(await refusalOf(() => resume(id)))).toMatchObject({ status: 409, code: "membership_over" });
  });

  test("made at once ends the access at once, and can be undone while the paid period lasts", async () => {
    const id = await started();
    await cancel(id, "now");
    expect(await stage.view(id)).toMatchObject({ accessUntil: "2026-06-01" });
    stage.moveTo("2026-06-30");
    await resume(id);
    expect(await stage.told()).toEqual([
      `membership.cancelled membership:${id}`,
      `membership.started membership:${id}`,
    ]);
  });

  test("of one that never began tells nothing", async () => {
    const id = await stage.assign(library.id, { paymentSource: "at_desk" });
    await cancel(id);
    expect(await stage.told()).toEqual([]);
    expect(briefOf(await refusalOf(() => resume(id)))).toMatchObject({ status: 409, code: "membership_over" });
  });

  test("in the transaction of the beginning makes both nothing", async () => {
    const wanted = { planId: library.id, clientId: patient.id, paymentSource: "practice_card" } as const;
    await stage.change(async (changes) => {
      const id = await assignMembership(changes, wanted);
      await cancelMembership(changes, id, { by: "staff", at: "now" });
    });
    expect(await stage.told()).toEqual([]);
  });

  test("made and undone in one transaction is nothing", async () => {
    const id = await started();
    await stage.change(async (changes) => {
      await cancelMembership(changes, id, { by: "staff", at: "now" });
      await resumeMembership(changes, id);
    });
    expect(await stage.told()).toEqual([]);
  });

  test("and its undoing by many at once alternate, and versions rise by one in the order of the commits", async () => {
    const id = await started(library.id);
    await Promise.all(Array.from({ length: 12 }, (_, at) => (at % 2 ? cancel(id, "now") : resume(id))));
    const news = await stage.news();
    const expected = news.map((_, at) => (at % 2 ? "membership.started" : "membership.cancelled"));
    expect(news.map(({ facts }) => (facts as MembershipFacts).event)).toEqual(expected);
    expect(news.map(({ subjectVersion }) => subjectVersion)).toEqual(news.map((_, at) => at + 2));
  });
});

describe("a pause", () => {
  test("tells nothing, charges nothing, and gives its days back", async () => {
    const id = await started();
    stage.moveTo("2026-06-11");
    await pause(id);
    await stage.liveUntil("2026-07-21");
    expect(await stage.view(id)).toMatchObject({ state: "paused", nextChargeOn: null, paymentsMade: 1 });
    await resume(id);
    expect(await stage.told()).toEqual([]);
    expect(await stage.view(id)).toMatchObject({ state: "active", nextChargeOn: "2026-08-10" });
  });

  test("that is cancelled keeps the days that were paid for", async () => {
    const id = await started();
    stage.moveTo("2026-06-11");
    await pause(id);
    stage.moveTo("2026-08-01");
    await cancel(id);
    expect(await stage.told()).toEqual([`membership.cancelled membership:${id}`]);
    expect(await stage.view(id)).toMatchObject({ state: "cancelled", accessUntil: "2026-08-21" });
  });
});

describe("a switch to another plan", () => {
  test("is cancelled for the old one and started for the new one, in this order", async () => {
    const id = await started();
    const newId = await stage.change((changes) => switchMembership(changes, id, library.id));
    expect(await stage.told()).toEqual([
      `membership.cancelled membership:${id}`,
      `membership.started membership:${newId}`,
    ]);
    expect(await stage.view(id)).toMatchObject({ state: "cancelled", cancelReason: "switched" });
    expect(briefOf(await refusalOf(() => resume(id)))).toMatchObject({ status: 409, code: "switched" });
  });

  test("whose card is declined changes nothing", async () => {
    const id = await started();
    await stage.change((changes) => changePaymentSource(changes, id, "practice_card_declined"));
    const refused = await refusalOf(() => stage.change((changes) => switchMembership(changes, id, library.id)));
    expect(briefOf(refused)).toMatchObject({ status: 409, code: "card_declined" });
    expect(await stage.told()).toEqual([]);
    expect(await stage.view(id)).toMatchObject({ state: "active" });
  });
});

/** The unit of work of invoices: one event per invoice, in commit order, that says what the rows say (contract §1, §4). */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { LINE, TestBilling } from "../../../test/billing.ts";
import { createTestClinic } from "../../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/database.ts";
import { briefOf, refusalOf } from "../../../test/refusal.ts";
import { changeInvoices, type InvoiceChanges } from "./invoice-changes.ts";
import { readInvoices } from "./invoice-rows.ts";
import { changeInvoice, createInvoice, deleteInvoice } from "./invoices.ts";
import { addLineItem, lineInput } from "./line-items.ts";
import { addPayment, deductCredits, deletePayment, refundPayment } from "./payments.ts";

let database: TestDatabase;
let billing: TestBilling;
let clientId: number;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

beforeEach(async () => {
  billing = new TestBilling(await createTestClinic(database.pools));
  clientId = (await billing.clinic.patient()).id;
});

const cash = (totalMinor: number) => ({ method: "cash" as const, totalMinor });
const brief = async () => (await billing.news()).map(({ event, subject, invoice }) => [event, subject, invoice.status]);

describe("one transaction with several commands", () => {
  test("makes one invoice.created that holds it all", async () => {
    const id = await billing.change(async (invoices) => {
      const made = await createInvoice(invoices, { type: "patient_invoice", clientId, lines: [LINE] });
      await addPayment(invoices, made, cash(20_00));
      await addLineItem(invoices, made, () => ({ ...LINE, taxRate: 0 }));
      return made;
    });
    const [event, ...more] = await billing.news();
    expect(more).toEqual([]);
    expect(event).toMatchObject({ event: "invoice.created", subject: `invoice:${id}`, subjectVersion: 1 });
    expect(event?.invoice).toMatchObject({ status: "partially_paid", total: 215, payments: [{ total: 20 }] });
  });

  test("makes one invoice.updated each, and none where all was taken back", async () => {
    const [one, other] = [await billing.invoice({ clientId }), await billing.invoice({ clientId })];
    await billing.news();
    await billing.change(async (invoices) => {
      const voided = await addPayment(invoices, one, cash(10_00));
      await changeInvoice(invoices, other, { date: "2026-01-31", number: "SET-BY-HAND" });
      await addPayment(invoices, other, cash(115_00));
      await deletePayment(invoices, voided);
    });
    expect(await brief()).toEqual([["invoice.updated", `invoice:${other}`, "paid_in_full"]]);
  });

  test("created and deleted is nothing; changed and deleted is one deletion with the last state", async () => {
    const kept = await billing.invoice({ clientId });
    await billing.news();
    await billing.change(async (invoices) => {
      const made = await createInvoice(invoices, { type: "patient_invoice", clientId, lines: [LINE] });
      await changeInvoice(invoices, kept, { number: "LAST-1" });
      await deleteInvoice(invoices, made);
      await deleteInvoice(invoices, kept);
    });
    const news = await billing.news();
    expect(news).toMatchObject([{ event: "invoice.deleted", invoice: { invoice_number: "LAST-1" } }]);
  });

  test("rolled back, makes no event, uses up no version and gives its number again", async () => {
    const make = (invoices: InvoiceChanges) =>
      createInvoice(invoices, { type: "patient_invoice", clientId, lines: [LINE] });
    const failing = billing.clinic.inTransaction(async (tx) => {
      await changeInvoices(tx, { ...billing.clinic.context, credits: billing.credits }, make);
      throw new Error("after the events");
    });
    await expect(failing).rejects.toThrow("after the events");
    await billing.change(make);
    expect(await billing.news()).toMatchObject([{ subjectVersion: 1, invoice: { invoice_number: "INV-00001" } }]);
  });

  test("has one unit of work", async () => {
    const twice = billing.clinic.inTransaction(async (tx) => {
      const context = { ...billing.clinic.context, credits: billing.credits };
      await changeInvoices(tx, context, async () => {});
      await changeInvoices(tx, context, async () => {});
    });
    await expect(twice).rejects.toThrow("one unit of invoice changes");
  });

  test("says afterwards which invoices became settled in full", async () => {
    const [paid, part, before] = [
      await billing.invoice({ clientId }),
      await billing.invoice({ clientId }),
      await billing.invoice({ clientId, payments: [cash(115_00)] }),
    ];
    const invoices = await billing.change(async (changes) => {
      await addPayment(changes, paid, cash(115_00));
      await addPayment(changes, part, cash(1_00));
      await changeInvoice(changes, before, { number: "PAID-BEFORE" });
      return changes;
    });
    expect(invoices.settledBy()).toEqual([paid]);
  });

  test("asked to be silent, makes no event: a bulk import", async () => {
    await billing.clinic.inTransaction((tx) =>
      changeInvoices(tx, { ...billing.clinic.context, credits: billing.credits, silent: true }, (invoices) =>
        createInvoice(invoices, { type: "patient_invoice", clientId, lines: [LINE] }),
      ),
    );
    expect(await billing.news()).toEqual([]);
  });
});

describe("what an event depends on", () => {
  test("each documented field of the record makes an update, and nothing else does", async () => {
    const { id: practitionerId } = await billing.clinic.practitioner();
    const { id: other } = await billing.clinic.patient("Robin Example", null);
    const id = await billing.invoice({ clientId });
    await billing.news();
    const eventsAfter = async (work: (invoices: InvoiceChanges) => Promise<unknown>) => {
      await billing.change(work);
      return (await billing.news()).length;
    };
    for (const change of [
      { date: "2026-01-31" },
      { number: "BY-HAND" },
      { currency: "jpy" },
      { practitionerId },
      { practitionerId: null },
      { clientId: other },
      { lines: () => [LINE, LINE] },
    ]) {
      expect([change, await eventsAfter((all) => changeInvoice(all, id, change))]).toEqual([change, 1]);
      if (change.lines === undefined)
        expect([change, await eventsAfter((all) => changeInvoice(all, id, change))]).toEqual([change, 0]);
    }
    expect(await eventsAfter((all) => changeInvoice(all, id, { payerId: clientId }))).toBe(0);
    expect(await eventsAfter((all) => all.open(id))).toBe(0);
    const same = (all: InvoiceChanges) =>
      all.open(id).then(({ lines }) => changeInvoice(all, id, { lines: () => lines.map(lineInput) }));
    expect(await eventsAfter(same)).toBe(0);
  });

  test("the client is the patient billed, the payer is never told", async () => {
    const { id: payerId } = await billing.clinic.patient("Robin Example", null);
    await billing.invoice({ clientId, payerId });
    const [event] = await billing.news();
    expect(event?.client.id).toBe(clientId);
    expect(JSON.stringify(event)).not.toContain("Robin");
  });

  test("a currency's amounts keep their major units, or the change is refused", async () => {
    const id = await billing.invoice({ clientId, lines: [{ ...LINE, unitPriceMinor: 5000_00 }] });
    const odd = await billing.invoice({ clientId, lines: [{ ...LINE, unitPriceMinor: 25_06 }] });
    await billing.news();
    await billing.change((all) => changeInvoice(all, id, { currency: "jpy" }));
    expect((await billing.news())[0]?.invoice).toMatchObject({ currency: "jpy", subtotal: 5000, taxes: 750 });
    const refusal = await refusalOf(() => billing.change((all) => changeInvoice(all, odd, { currency: "jpy" })));
    expect(briefOf(refusal)).toEqual({ status: 400, code: "invalid_request", fields: ["currency"] });
  });
});

describe("several at once", () => {
  test("changes of one invoice run one after the other: each event shows all before it", async () => {
    const id = await billing.invoice({ clientId });
    await billing.news();
    await Promise.all(Array.from({ length: 8 }, () => billing.change((all) => addPayment(all, id, cash(1_00)))));
    const news = await billing.news();
    const seen = news.map(({ subjectVersion, invoice }) => [subjectVersion, invoice.payments.length]);
    expect(seen).toEqual(Array.from({ length: 8 }, (_, at) => [at + 2, at + 1]));
  });

  test("two payments that would over-pay a package together: one is refused", async () => {
    const id = await billing.invoice({ clientId, type: "clinic_package" });
    const pay = () => billing.change((all) => addPayment(all, id, cash(60_00)));
    const results = await Promise.allSettled([pay(), pay()]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  });

  test("a payment that comes while its invoice is deleted finds none", async () => {
    const id = await billing.invoice({ clientId });
    const results = await Promise.allSettled([
      billing.change((all) => deleteInvoice(all, id)),
      billing.change((all) => addPayment(all, id, cash(1_00))),
    ]);
    expect(results.filter(({ status }) => status === "rejected")).toHaveLength(1);
  });
});

describe("the sums on the invoice's row", () => {
  test("equal what follows from its lines, payments and refunds, after every kind of command", async () => {
    billing.credits.add({ id: 7, clientId, kind: "package", remainingMinor: 500_00 });
    await database.pools.owner.query(
      "alter table payments drop constraint if exists payments_clinic_id_credit_id_fkey",
    );
    const id = await billing.invoice({ clientId });
    let paymentId = 0;
    const steps: ((all: InvoiceChanges) => Promise<unknown>)[] = [
      async (all) => {
        paymentId = await addPayment(all, id, cash(200_00));
      },
      (all) => refundPayment(all, paymentId, { totalMinor: 150_00 }),
      (all) => addLineItem(all, id, () => ({ ...LINE, unitPriceMinor: 33_33, taxRate: 14.975 })),
      (all) => deductCredits(all, id),
      (all) => refundPayment(all, paymentId, { totalMinor: 50_00 }),
      (all) => changeInvoice(all, id, { lines: () => [] }),
    ];
    const statuses: string[] = [];
    for (const step of steps) {
      await billing.change(step);
      const invoice = await billing.clinic.inTransaction(async (tx) =>
        (await readInvoices(tx, billing.clinic.id, [id])).get(id),
      );
      if (invoice === undefined) throw new Error("the invoice has gone");
      const { status, subtotalMinor, taxesMinor, totalMinor, unpaidSubtotalBalanceMinor } = invoice;
      expect(invoice.kept).toEqual({ status, subtotalMinor, taxesMinor, totalMinor, unpaidSubtotalBalanceMinor });
      statuses.push(invoice.kept.status);
    }
    expect(statuses).toEqual([
      "over_paid",
      "partially_refunded",
      "partially_refunded",
      "paid_in_full",
      "partially_refunded",
      "over_paid",
    ]);
  });
});

describe("a refused command", () => {
  test("changes nothing, even for a transaction that goes on", async () => {
    const id = await billing.invoice({ clientId, type: "clinic_package", payments: [cash(100_00)] });
    const billed = await billing.invoice({ clientId });
    await billing.news();
    const commands: ((all: InvoiceChanges) => Promise<unknown>)[] = [
      (all) => changeInvoice(all, id, { date: "2026-01-31", lines: () => [] }),
      (all) => changeInvoice(all, billed, { lines: () => [LINE, LINE], practitionerId: 999_999 }),
      (all) => changeInvoice(all, billed, { lines: () => [LINE, LINE], clientId: 999_999 }),
      (all) => addPayment(all, id, cash(15_01)),
      (all) => deleteInvoice(all, id),
    ];
    for (const command of commands) {
      const refusal = await billing.change((all) => refusalOf(() => command(all)));
      expect(refusal.title.length).toBeGreaterThan(20);
      expect(await billing.news()).toEqual([]);
    }
  });

  test("of another clinic's ids is a 404 like any that does not exist", async () => {
    const stranger = new TestBilling(await createTestClinic(database.pools));
    const foreign = await stranger.invoice({ clientId: (await stranger.clinic.patient()).id });
    const refusal = await refusalOf(() => billing.change((all) => deleteInvoice(all, foreign)));
    expect(briefOf(refusal)).toMatchObject({ status: 404 });
  });
});

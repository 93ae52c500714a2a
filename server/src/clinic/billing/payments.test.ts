/** Payments, refunds and transfers: what each does to the invoice, and the one event that comes of it (contract §4). */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { LINE, TestBilling } from "../../../test/billing.ts";
import { createTestClinic } from "../../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/database.ts";
import { briefOf, refusalOf } from "../../../test/refusal.ts";
import type { InvoiceChanges } from "./invoice-changes.ts";
import {
  addPayment,
  changePayment,
  deletePayment,
  type NewPayment,
  refundPayment,
  transferPayment,
} from "./payments.ts";

let database: TestDatabase;
let billing: TestBilling;
let clientId: number;

beforeAll(async () => {
  database = await createTestDatabase();
  // The credits here are invented, so that every case is in reach; the real ones have tests of their own.
  await database.pools.owner.query("alter table payments drop constraint if exists payments_clinic_id_credit_id_fkey");
});
afterAll(() => database.drop());

beforeEach(async () => {
  billing = new TestBilling(await createTestClinic(database.pools));
  clientId = (await billing.clinic.patient()).id;
});

/** An invoice of 100.00 and 15.00 taxes whose first event is forgotten. */
async function invoice(): Promise<number> {
  const id = await billing.invoice({ clientId });
  await billing.news();
  return id;
}

const pay = (id: number, totalMinor: number, more: Partial<NewPayment> = {}) =>
  billing.change((invoices) => addPayment(invoices, id, { method: "cash", totalMinor, ...more }));
const refund = (paymentId: number, totalMinor: number) =>
  billing.change((invoices) => refundPayment(invoices, paymentId, { totalMinor }));

/** What the one event since the last call says of money. */
async function standing() {
  const news = await billing.news();
  expect(news).toHaveLength(1);
  const [{ event, invoice: shown } = { event: "", invoice: undefined }] = news;
  const payments = shown?.payments.map(({ subtotal, taxes, total, status }) => [total, subtotal, taxes, status]);
  return { event, status: shown?.status, balance: shown?.unpaid_subtotal_balance, payments };
}

describe("a payment", () => {
  test("is split by the invoice's taxes, and the one that settles takes the remainder", async () => {
    const id = await billing.invoice({ clientId, lines: [{ ...LINE, unitPriceMinor: 10_00, taxRate: 13 }] });
    await billing.news();
    await pay(id, 3_77);
    expect(await standing()).toEqual({
      event: "invoice.updated",
      status: "partially_paid",
      balance: 6.66,
      payments: [[3.77, 3.34, 0.43, "paid"]],
    });
    await pay(id, 3_77);
    await billing.news();
    await pay(id, 3_76);
    expect(await standing()).toMatchObject({
      status: "paid_in_full",
      balance: 0,
      payments: [
        [3.77, 3.34, 0.43, "paid"],
        [3.77, 3.34, 0.43, "paid"],
        [3.76, 3.32, 0.44, "paid"],
      ],
    });
  });

  test("may be more than is owed: over-paid, and the balance is negative", async () => {
    const id = await invoice();
    await pay(id, 230_00);
    expect(await standing()).toMatchObject({ status: "over_paid", balance: -100, payments: [[230, 200, 30, "paid"]] });
  });

  test("counts as nothing while it is a draft, and counts once it is settled", async () => {
    const id = await invoice();
    const paymentId = await pay(id, 115_00, { status: "draft" });
    expect(await standing()).toEqual({
      event: "invoice.updated",
      status: "draft",
      balance: 100,
      payments: [[115, 100, 15, "draft"]],
    });
    await billing.change((invoices) => changePayment(invoices, paymentId, { status: "paid" }));
    expect(await standing()).toMatchObject({ status: "paid_in_full", balance: 0 });
    await billing.change((invoices) => changePayment(invoices, paymentId, { status: "draft" }));
    expect(await standing()).toMatchObject({ status: "draft", balance: 100 });
  });

  test("is edited and voided: updates both", async () => {
    const id = await invoice();
    const paymentId = await pay(id, 10_00);
    await billing.news();
    await billing.change((invoices) => changePayment(invoices, paymentId, { totalMinor: 23_00, method: "cheque" }));
    const [edited] = await billing.news();
    expect(edited?.invoice.payments).toMatchObject([{ id: paymentId, payment_method: "cheque", total: 23, taxes: 3 }]);
    await billing.change((invoices) => deletePayment(invoices, paymentId));
    expect(await standing()).toEqual({ event: "invoice.updated", status: "draft", balance: 100, payments: [] });
  });

  test("saved as it was sends nothing", async () => {
    const paymentId = await pay(await invoice(), 10_00);
    await billing.news();
    const same = { totalMinor: 10_00, method: "cash", status: "paid" } as const;
    await billing.change((invoices) => changePayment(invoices, paymentId, same));
    expect(await billing.news()).toEqual([]);
  });
});

describe("a refund", () => {
  test("moves statuses and balance, and leaves the payment's total as it was", async () => {
    const id = await invoice();
    const paymentId = await pay(id, 115_00);
    await billing.news();
    await refund(paymentId, 23_00);
    expect(await standing()).toEqual({
      event: "invoice.updated",
      status: "partially_refunded",
      balance: 20,
      payments: [[115, 100, 15, "partially_refunded"]],
    });
    await refund(paymentId, 92_00);
    expect(await standing()).toMatchObject({
      status: "refunded",
      balance: 100,
      payments: [[115, 100, 15, "refunded"]],
    });
  });

  test("of an over-payment leaves the invoice paid in full, and one paid again is whole again", async () => {
    const id = await invoice();
    const paymentId = await pay(id, 115_01);
    await billing.news();
    await refund(paymentId, 1);
    expect(await standing()).toMatchObject({ status: "paid_in_full", balance: 0 });
    await refund(paymentId, 33_33);
    await pay(id, 33_33);
    await billing.news();
    await pay(id, 1_00);
    expect(await standing()).toMatchObject({ status: "over_paid", balance: -0.87 });
  });

  test("is no more than what is left of the payment, and never of a draft", async () => {
    const id = await invoice();
    const paymentId = await pay(id, 10_00);
    const draft = await pay(id, 10_00, { status: "draft" });
    await refund(paymentId, 4_00);
    const tooMuch = await refusalOf(() => refund(paymentId, 6_01));
    expect(briefOf(tooMuch)).toEqual({ status: 409, code: "more_than_paid", fields: ["total"] });
    expect(briefOf(await refusalOf(() => refund(draft, 1)))).toMatchObject({ code: "payment_draft" });
    expect(briefOf(await refusalOf(() => refund(paymentId, 0)))).toMatchObject({ status: 400, fields: ["total"] });
    const voided = await refusalOf(() => billing.change((invoices) => deletePayment(invoices, paymentId)));
    expect(briefOf(voided)).toMatchObject({ status: 409, code: "payment_refunded" });
    const smaller = await refusalOf(() =>
      billing.change((invoices) => changePayment(invoices, paymentId, { totalMinor: 3_99 })),
    );
    expect(briefOf(smaller)).toMatchObject({ code: "payment_refunded", fields: ["total"] });
  });
});

describe("a transfer", () => {
  test("moves a whole payment under its own id: two updates", async () => {
    const from = await invoice();
    const to = await invoice();
    const paymentId = await pay(from, 115_00);
    await billing.news();
    await billing.change((invoices) => transferPayment(invoices, paymentId, { toInvoiceId: to }));
    const news = await billing.news();
    expect(news.map(({ event, subject }) => [event, subject])).toEqual([
      ["invoice.updated", `invoice:${from}`],
      ["invoice.updated", `invoice:${to}`],
    ]);
    expect(news.map(({ invoice: { status, payments } }) => [status, payments.map(({ id }) => id)])).toEqual([
      ["draft", []],
      ["paid_in_full", [paymentId]],
    ]);
  });

  test("moves a part, as a payment of its own there", async () => {
    const [from, to] = [await invoice(), await invoice()];
    const paymentId = await pay(from, 115_00);
    await billing.news();
    await billing.change((invoices) =>
      transferPayment(invoices, paymentId, { toInvoiceId: to, totalMinor: 23_00, invoiceId: from }),
    );
    const [here, there] = await billing.news();
    expect(here?.invoice).toMatchObject({ status: "partially_paid", unpaid_subtotal_balance: 20 });
    expect(there?.invoice).toMatchObject({ status: "partially_paid", unpaid_subtotal_balance: 80 });
    expect(there?.invoice.payments).toMatchObject([{ total: 23, subtotal: 20, taxes: 3, status: "paid" }]);
  });

  test("in opposite directions at once never waits in a ring", async () => {
    const [one, other] = [await invoice(), await invoice()];
    const [mine, yours] = [await pay(one, 10_00), await pay(other, 20_00)];
    const move = (paymentId: number, toInvoiceId: number) =>
      billing.change((invoices) => transferPayment(invoices, paymentId, { toInvoiceId }));
    for (let turn = 0; turn < 5; turn += 1) {
      await Promise.all([move(mine, other), move(yours, one)]);
      await Promise.all([move(mine, one), move(yours, other)]);
    }
    const versions = (await billing.news()).map(({ subject, subjectVersion }) => `${subject} ${subjectVersion}`);
    expect(new Set(versions).size).toBe(versions.length);
  });

  test("is refused to the invoice itself, another currency, another type's limit, or of a draft", async () => {
    const from = await invoice();
    const inYen = await billing.invoice({ clientId, currency: "jpy", lines: [{ ...LINE, unitPriceMinor: 5000 }] });
    const cheap = await billing.invoice({
      clientId,
      type: "clinic_package",
      lines: [{ ...LINE, unitPriceMinor: 100 }],
    });
    const paymentId = await pay(from, 115_00);
    const draft = await pay(from, 1_00, { status: "draft" });
    const move = async (id: number, toInvoiceId: number) =>
      briefOf(await refusalOf(() => billing.change((invoices) => transferPayment(invoices, id, { toInvoiceId }))));
    expect(await move(paymentId, from)).toMatchObject({ status: 400, fields: ["to_invoice_id"] });
    expect(await move(paymentId, 999_999)).toMatchObject({ status: 404, fields: ["to_invoice_id"] });
    expect(await move(paymentId, inYen)).toMatchObject({ status: 409, code: "other_currency" });
    expect(await move(paymentId, cheap)).toMatchObject({ status: 409, code: "over_paid" });
    expect(await move(draft, cheap)).toMatchObject({ status: 409, code: "payment_draft" });
    expect(await move(999_999, from)).toMatchObject({ status: 404 });
  });
});

describe("a payment from credit", () => {
  beforeEach(() => {
    billing.credits.add({ id: 7, clientId, kind: "package", remainingMinor: 50_00 });
    billing.credits.add({ id: 8, clientId, kind: "gift_certificate", remainingMinor: 500_00 });
  });

  test("is marked as such, draws the credit down, and gives back what is refunded or voided", async () => {
    const id = await invoice();
    const paymentId = await pay(id, 50_00, { method: "package", creditId: 7 });
    const [added] = await billing.news();
    expect(added?.invoice.payments).toMatchObject([{ payment_method: "package", from_package: true, total: 50 }]);
    expect(billing.credits.remaining(7)).toBe(0);
    await refund(paymentId, 20_00);
    expect(billing.credits.remaining(7)).toBe(20_00);
    const gift = await pay(id, 10_00, { method: "gift_certificate", creditId: 8 });
    await billing.change((invoices) => changePayment(invoices, gift, { totalMinor: 4_00 }));
    expect(billing.credits.remaining(8)).toBe(496_00);
    await billing.change((invoices) => deletePayment(invoices, gift));
    expect(billing.credits.remaining(8)).toBe(500_00);
  });

  test("at creation makes one event that already holds it, from the credit that expires first", async () => {
    await billing.invoice({ clientId, autoDeduct: true });
    const news = await billing.news();
    expect(news).toMatchObject([{ event: "invoice.created", invoice: { status: "paid_in_full" } }]);
    expect(news[0]?.invoice.payments).toMatchObject([
      { payment_method: "package", total: 50, from_package: true },
      { payment_method: "gift_certificate", total: 65, from_package: true },
    ]);
    expect([billing.credits.remaining(7), billing.credits.remaining(8)]).toEqual([0, 435_00]);
  });

  test("never pays more than is owed, nor without a credit, nor as a draft, nor for somebody else", async () => {
    const id = await invoice();
    const other = await billing.invoice({ clientId: (await billing.clinic.patient("Robin Example", null)).id });
    const refused = async (payment: Partial<NewPayment>, on = id) =>
      briefOf(await refusalOf(() => pay(on, 10_00, { method: "gift_certificate", creditId: 8, ...payment })));
    expect(await refused({ totalMinor: 115_01 })).toMatchObject({ status: 409, code: "over_paid", fields: ["total"] });
    expect(await refused({ creditId: undefined })).toMatchObject({ status: 400, fields: ["credit_id"] });
    expect(await refused({ status: "draft" })).toMatchObject({ status: 400, fields: ["status"] });
    expect(await refused({ method: "cash" })).toMatchObject({ status: 400, fields: ["payment_method"] });
    expect(await refused({}, other)).toMatchObject({ status: 404, fields: ["credit_id"] });
  });
});

describe("the three package types", () => {
  test("are never over-paid: not by a payment, an edit, or a draft that is settled", async () => {
    const id = await billing.invoice({ clientId, type: "clinic_package" });
    await pay(id, 100_00);
    const draft = await pay(id, 115_00, { status: "draft" });
    const refused = async (work: (invoices: InvoiceChanges) => Promise<unknown>) =>
      briefOf(await refusalOf(() => billing.change(work)));
    const overPaid = { status: 409, code: "over_paid" };
    expect(await refused((all) => addPayment(all, id, { method: "cash", totalMinor: 15_01 }))).toMatchObject(overPaid);
    expect(await refused((all) => changePayment(all, draft, { status: "paid" }))).toMatchObject(overPaid);
    await pay(id, 15_00);
    const last = (await billing.news()).at(-1)?.invoice;
    expect(last).toMatchObject({ type: "clinic_package", status: "paid" });
    expect(last).not.toHaveProperty("unpaid_subtotal_balance");
  });
});

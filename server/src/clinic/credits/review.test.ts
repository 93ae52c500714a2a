/** What becomes of a credit when the record that pays for it is paid, refunded, changed or deleted. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestClinic } from "../../../test/clinic.ts";
import { cash, TestCredits } from "../../../test/credits.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/database.ts";
import { MembershipStage } from "../../../test/memberships.ts";
import { briefOf, refusalOf } from "../../../test/refusal.ts";
import type { InvoiceChanges } from "../billing/invoice-changes.ts";
import { changeInvoice, deleteInvoice } from "../billing/invoices.ts";
import { addLineItem, changeLineItem, removeLineItem } from "../billing/line-items.ts";
import { addPayment, changePayment, deletePayment, refundPayment } from "../billing/payments.ts";

let database: TestDatabase;
let credits: TestCredits;
let clientId: number;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

beforeEach(async () => {
  credits = new TestCredits(await createTestClinic(database.pools));
  clientId = (await credits.clinic.patient()).id;
});

const USED = { status: 409, code: "credit_used", fields: [] };
const pay = (invoiceId: number, totalMinor: number) =>
  credits.change((invoices) => addPayment(invoices, invoiceId, cash(totalMinor)));

/** The one payment of a record. */
async function paymentOf(invoiceId: number): Promise<number> {
  const { rows } = await database.pools.owner.query("select id from payments where invoice_id = $1", [invoiceId]);
  return rows[0].id;
}

const refund = async (invoiceId: number, totalMinor: number) => {
  const paymentId = await paymentOf(invoiceId);
  await credits.change((invoices) => refundPayment(invoices, paymentId, { totalMinor }));
};

/** Draws on a credit by an invoice of its own. */
async function use(creditId: number, totalMinor: number): Promise<number> {
  const invoiceId = await credits.invoice(clientId, totalMinor);
  return credits.pay(invoiceId, { creditId, totalMinor });
}

describe("a credit opens", () => {
  test("when the last cent of its record is paid, and its days count from that day", async () => {
    const { invoiceId, creditId } = await credits.package(clientId, { expiresAfterDays: 365 }, 200_00);
    expect(await credits.told()).toEqual([`invoice.created invoice:${invoiceId} partially_paid`]);
    credits.clinic.clock.advance({ days: 10 });
    await pay(invoiceId, 299_99);
    expect(await credits.usable(clientId)).toEqual([]);
    await pay(invoiceId, 1);
    expect(await credits.usable(clientId)).toEqual([[creditId, 600_00]]);
    const { rows } = await database.pools.owner.query("select expires_on from credits where id = $1", [creditId]);
    expect(rows).toEqual([{ expires_on: "2027-06-11" }]);
    expect(await credits.told()).toEqual([
      `invoice.updated invoice:${invoiceId} partially_paid`,
      `invoice.updated invoice:${invoiceId} paid`,
    ]);
  });

  test("at its sale when that is paid at once, or when there is nothing to pay", async () => {
    const paid = await credits.package(clientId);
    const free = await credits.package(clientId, { price: 0, value: 25 }, 0);
    expect(await credits.usable(clientId)).toEqual([
      [paid.creditId, 600_00],
      [free.creditId, 25_00],
    ]);
    expect(await credits.told()).toEqual([
      `invoice.created invoice:${paid.invoiceId} paid`,
      `invoice.created invoice:${free.invoiceId} no_payment_needed`,
    ]);
  });

  test("with the value of its sale, whatever became of the package since", async () => {
    const { invoiceId, creditId } = await credits.package(clientId, {}, 0);
    await credits.clinic.inTransaction((tx) =>
      tx.updateTable("packages").set({ value_minor: 1, active: false }).execute(),
    );
    await pay(invoiceId, 500_00);
    expect(await credits.usable(clientId)).toEqual([[creditId, 600_00]]);
  });
});

describe("a refund of the record", () => {
  test("takes value out of the credit in proportion, again and again without drift", async () => {
    const { invoiceId, creditId } = await credits.package(clientId);
    await refund(invoiceId, 100_00);
    expect(await credits.usable(clientId)).toEqual([[creditId, 480_00]]);
    await refund(invoiceId, 33_33);
    await refund(invoiceId, 66_67);
    expect(await credits.usable(clientId)).toEqual([[creditId, 360_00]]);
    await refund(invoiceId, 300_00);
    expect(await credits.usable(clientId)).toEqual([]);
    expect((await credits.told()).at(-1)).toBe(`invoice.updated invoice:${invoiceId} refunded`);
  });

  test("never takes value that was used: it is refused whole, up to the unused rest it is done", async () => {
    const { invoiceId, creditId } = await credits.package(clientId);
    await use(creditId, 240_00);
    await credits.news();
    const problem = await refusalOf(() => refund(invoiceId, 300_01));
    expect(briefOf(problem)).toEqual(USED);
    expect(problem.title).toContain("240 CAD");
    expect(await credits.news()).toEqual([]);
    await refund(invoiceId, 300_00);
    expect(await credits.usable(clientId)).toEqual([]);
  });
});

describe("a payment of the record that is taken back", () => {
  test("closes the credit until it is paid again; its days are not counted anew", async () => {
    const { invoiceId, creditId } = await credits.package(clientId, { expiresAfterDays: 30 });
    const paymentId = await paymentOf(invoiceId);
    await credits.change((invoices) => changePayment(invoices, paymentId, { status: "draft" }));
    expect(await credits.usable(clientId)).toEqual([]);
    credits.clinic.clock.advance({ days: 20 });
    await credits.change((invoices) => changePayment(invoices, paymentId, { status: "paid" }));
    expect(await credits.usable(clientId)).toEqual([[creditId, 600_00]]);
    credits.clinic.clock.advance({ days: 11 });
    expect(await credits.usable(clientId)).toEqual([]);
  });

  test("is refused once value was used, whether it is deleted or made a draft", async () => {
    const { invoiceId, creditId } = await credits.package(clientId);
    const paymentId = await paymentOf(invoiceId);
    const usedBy = await use(creditId, 1_00);
    await credits.news();
    const attempts = [
      () => credits.change((invoices) => deletePayment(invoices, paymentId)),
      () => credits.change((invoices) => changePayment(invoices, paymentId, { status: "draft" })),
    ];
    for (const attempt of attempts) expect(briefOf(await refusalOf(attempt))).toEqual(USED);
    expect(await credits.news()).toEqual([]);
    await credits.change((invoices) => deletePayment(invoices, usedBy));
    await credits.change((invoices) => deletePayment(invoices, paymentId));
    expect(await credits.usable(clientId)).toEqual([]);
  });
});

describe("deleting the record", () => {
  test("takes the credit with it, and its gift certificate, too", async () => {
    const { invoiceId } = await credits.package(clientId, {}, 0);
    const gift = await credits.giftCertificate(clientId, { paid: false });
    await credits.news();
    for (const id of [invoiceId, gift.invoiceId]) await credits.change((invoices) => deleteInvoice(invoices, id));
    expect(await credits.told()).toEqual([
      `invoice.deleted invoice:${invoiceId} draft`,
      `invoice.deleted invoice:${gift.invoiceId} draft`,
    ]);
    const left =
      "select 1 from credits c where clinic_id = $1 union all select 1 from gift_certificates where clinic_id = $1";
    expect((await database.pools.owner.query(left, [credits.clinic.id])).rowCount).toBe(0);
    expect(briefOf(await refusalOf(() => credits.certificate(gift.id)))).toMatchObject({ status: 404 });
  });

  test("is refused while value of a free package is used, and keeps what other invoices say of it afterwards", async () => {
    const { invoiceId, creditId } = await credits.package(clientId, { price: 0, value: 25 }, 0);
    const paymentId = await use(creditId, 5_00);
    const remove = () => credits.change((invoices) => deleteInvoice(invoices, invoiceId));
    expect(briefOf(await refusalOf(remove))).toEqual(USED);
    await credits.change((invoices) => refundPayment(invoices, paymentId, { totalMinor: 5_00 }));
    await credits.news();
    await remove();
    expect(await credits.usable(clientId)).toEqual([]);
    expect(await credits.told()).toEqual([`invoice.deleted invoice:${invoiceId} no_payment_needed`]);
  });

  test("and a draw at the same moment never both succeed", async () => {
    const { invoiceId, creditId } = await credits.package(clientId, { price: 0, value: 25 }, 0);
    const paid = await credits.invoice(clientId, 10_00);
    const outcomes = await Promise.allSettled([
      credits.change((invoices) => deleteInvoice(invoices, invoiceId)),
      credits.pay(paid, { creditId, totalMinor: 10_00 }),
    ]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const why = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason.code] : []));
    expect(["credit_used", "not_found"]).toContain(why[0]);
  });
});

describe("the record of what was sold", () => {
  const line = { description: "Cheaper", unitPriceMinor: 0, units: 1 };
  const changes: [code: string, (invoices: InvoiceChanges, id: number, lineItemId: number) => Promise<void>][] = [
    ["currency_fixed", (all, id) => changeInvoice(all, id, { currency: "jpy" })],
    ["lines_fixed", (all, id) => changeInvoice(all, id, { lines: () => [line] })],
    ["lines_fixed", (all, id) => addLineItem(all, id, () => line)],
    [
      "lines_fixed",
      (all, id, lineItemId) => changeLineItem(all, { invoiceId: id, lineItemId }, () => ({ taxRate: 13 })),
    ],
    ["lines_fixed", (all, id, lineItemId) => removeLineItem(all, { invoiceId: id, lineItemId })],
  ];

  test("keeps its currency and its lines, be it a package, a gift certificate or a membership's charge", async () => {
    const stage = new MembershipStage(credits.clinic);
    const membership = await stage.assign((await stage.plan()).id, { clientId, paymentSource: "at_desk" });
    const [charge] = (await stage.view(membership)).invoices;
    const { invoiceId } = await credits.package(clientId, {}, 0);
    const gift = await credits.giftCertificate(clientId, { paid: false });
    for (const id of [invoiceId, gift.invoiceId, charge ?? 0]) {
      const [sold] = await credits.change(async (all) => (await all.open(id)).lines);
      await credits.news();
      for (const [code, change] of changes) {
        const refusal = await refusalOf(() => credits.change((all) => change(all, id, sold?.id ?? 0)));
        expect(refusal).toMatchObject({ status: 409, code });
      }
      await credits.change((all) =>
        changeInvoice(all, id, { currency: "cad", date: "2026-01-31", number: `OWN-${id}` }),
      );
      expect(await credits.news()).toMatchObject([{ invoice: { currency: "cad", invoice_number: `OWN-${id}` } }]);
    }
    expect((await credits.certificate(gift.id)).state).toBe("unpaid");
  });
});

/** Paying from credit: what is drawn, what comes back, and what the webhooks hear of it (contract §4). */
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestClinic } from "../../../test/clinic.ts";
import { TestCredits } from "../../../test/credits.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/database.ts";
import { briefOf, refusalOf } from "../../../test/refusal.ts";
import { until } from "../../../test/until.ts";
import { changeInvoice } from "../billing/invoices.ts";
import { addPayment, changePayment, deletePayment, refundPayment, transferPayment } from "../billing/payments.ts";
import { lockCredit } from "./credits.ts";

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

/** Whether so many transactions of this database wait for another one. */
async function isWaiting(many: number): Promise<boolean> {
  const waiting = sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  return (await waiting.execute(credits.clinic.owner)).rows.length === many;
}

const refused = (code: string, field?: string) => ({ status: 409, code, fields: field === undefined ? [] : [field] });

describe("paying from a package", () => {
  test("tells of the invoice that was paid and nothing of the package", async () => {
    const { creditId } = await credits.package(clientId);
    const invoiceId = await credits.invoice(clientId, 80_00);
    await credits.news();
    await credits.pay(invoiceId, { creditId, totalMinor: 80_00 });
    const [told, ...more] = await credits.news();
    expect(more).toEqual([]);
    expect(told).toMatchObject({ event: "invoice.updated", subject: `invoice:${invoiceId}` });
    expect(told?.invoice.status).toBe("paid_in_full");
    const payment = { subtotal: 80, taxes: 0, total: 80, status: "paid", from_package: true };
    expect(told?.invoice.payments).toEqual([{ id: expect.any(Number), payment_method: "package", ...payment }]);
    expect(await credits.usable(clientId)).toEqual([[creditId, 520_00]]);
  });

  test("takes no more than what remains, from the patient's own credit, in its own currency, once it is paid", async () => {
    const { creditId } = await credits.package(clientId, { price: 50, value: 50 }, 50_00);
    const other = await credits.clinic.patient("Robin Example");
    const foreign = new TestCredits(await createTestClinic(database.pools));
    const theirs = await foreign.package((await foreign.clinic.patient()).id);
    const unpaid = await credits.package(clientId, {}, 499_99);
    const yen = await credits.package(clientId, { price: 1, value: 5_000, currency: "jpy" }, 1);
    const invoiceId = await credits.invoice(clientId, 100_00);
    const othersId = await credits.invoice(other.id, 100_00);
    const paying = async (id: number, credit: number, totalMinor = 10_00) =>
      briefOf(await refusalOf(() => credits.pay(id, { creditId: credit, totalMinor })));
    const missing = { status: 404, code: "not_found", fields: ["credit_id"] };
    await credits.news();
    expect(await paying(invoiceId, creditId, 50_01)).toEqual(refused("credit_too_small", "total"));
    expect(await paying(othersId, creditId)).toEqual(missing);
    expect(await paying(invoiceId, theirs.creditId)).toEqual(missing);
    expect(await paying(invoiceId, unpaid.creditId)).toEqual(refused("credit_not_paid", "credit_id"));
    expect(await paying(invoiceId, yen.creditId)).toEqual({
      status: 400,
      code: "invalid_request",
      fields: ["credit_id"],
    });
    expect(await credits.news()).toEqual([]);
    expect(await credits.usable(clientId)).toEqual([
      [creditId, 50_00],
      [yen.creditId, 5_000],
    ]);
  });
});

describe("auto-deduct", () => {
  test("is one invoice.created that holds the payments, drawn first from what expires first", async () => {
    await credits.package(clientId, { value: 30, price: 30, expiresAfterDays: 90 }, 30_00);
    await credits.package(clientId, { value: 500 });
    await credits.package(clientId, { value: 20, price: 20, expiresAfterDays: 10 }, 20_00);
    const gift = await credits.giftCertificate((await credits.clinic.patient("Robin Example")).id);
    await credits.redeem(gift.code, clientId);
    await credits.news();
    const invoiceId = await credits.invoice(clientId, 575_00, { autoDeduct: true });
    const [told, ...more] = await credits.news();
    expect(more).toEqual([]);
    expect(told).toMatchObject({ event: "invoice.created", subject: `invoice:${invoiceId}` });
    expect(told?.invoice.status).toBe("paid_in_full");
    expect(told?.invoice.payments.map((one) => [one.payment_method, one.total, one.from_package])).toEqual([
      ["package", 20, true],
      ["package", 30, true],
      ["package", 500, true],
      ["gift_certificate", 25, true],
    ]);
    const left = (await credits.usable(clientId)).map(([, remainingMinor]) => remainingMinor);
    expect(left).toEqual([25_00]);
  });

  test("leaves what expired, what is in another currency and what belongs to others alone", async () => {
    await credits.package(clientId, { value: 30, price: 30, expiresAfterDays: 1 }, 30_00);
    await credits.package(clientId, { value: 5_000, price: 30, currency: "jpy" }, 30);
    await credits.package((await credits.clinic.patient("Robin Example")).id);
    credits.clinic.clock.advance({ days: 2 });
    await credits.invoice(clientId, 10_00, { autoDeduct: true });
    const told = (await credits.news()).at(-1);
    expect(told?.invoice).toMatchObject({ status: "draft", payments: [] });
  });
});

describe("a payment from credit", () => {
  let creditId: number;
  let invoiceId: number;
  let paymentId: number;

  beforeEach(async () => {
    creditId = (await credits.package(clientId)).creditId;
    invoiceId = await credits.invoice(clientId, 100_00);
    paymentId = await credits.pay(invoiceId, { creditId, totalMinor: 100_00 });
    await credits.news();
  });

  const remaining = async () => (await credits.usable(clientId)).map(([, remainingMinor]) => remainingMinor);

  test("gives its value back to the credit when it is deleted, whole", async () => {
    await credits.change((invoices) => deletePayment(invoices, paymentId));
    expect(await remaining()).toEqual([600_00]);
    expect(await credits.told()).toEqual([`invoice.updated invoice:${invoiceId} draft`]);
  });

  test("gives back to the credit what is refunded, and cannot be turned into cash", async () => {
    await credits.change((invoices) => refundPayment(invoices, paymentId, { totalMinor: 40_00 }));
    expect(await remaining()).toEqual([540_00]);
    const [told, ...more] = await credits.news();
    expect(more).toEqual([]);
    expect(told?.invoice.status).toBe("partially_refunded");
    expect(told?.invoice.payments[0]).toMatchObject({ total: 100, status: "partially_refunded", from_package: true });
    const asCash = () => credits.change((invoices) => changePayment(invoices, paymentId, { method: "cash" }));
    expect(briefOf(await refusalOf(asCash))).toEqual(refused("payment_from_credit", "payment_method"));
  });

  test("draws or gives back the difference when its amount changes", async () => {
    await credits.change((invoices) => changePayment(invoices, paymentId, { totalMinor: 70_00 }));
    expect(await remaining()).toEqual([530_00]);
    await credits.change((invoices) => changePayment(invoices, paymentId, { totalMinor: 90_00 }));
    expect(await remaining()).toEqual([510_00]);
  });

  test("may move to another invoice of the patient; neither to another patient nor to a record that it may not pay", async () => {
    const next = await credits.invoice(clientId, 100_00);
    const othersId = await credits.invoice((await credits.clinic.patient("Robin Example")).id, 100_00);
    const { invoiceId: recordId } = await credits.package(clientId, {}, 0);
    const move = (toInvoiceId: number) =>
      credits.change((invoices) => transferPayment(invoices, paymentId, { toInvoiceId }));
    expect(briefOf(await refusalOf(() => move(othersId)))).toEqual(refused("other_patient", "to_invoice_id"));
    expect(briefOf(await refusalOf(() => move(recordId)))).toEqual(refused("credit_not_for_this"));
    const give = () => credits.change((invoices) => changeInvoice(invoices, invoiceId, { clientId: 999_999 }));
    expect(briefOf(await refusalOf(give))).toEqual(refused("payment_from_credit", "client_id"));
    await credits.news();
    await move(next);
    expect((await credits.told()).toSorted()).toEqual([
      `invoice.updated invoice:${invoiceId} draft`,
      `invoice.updated invoice:${next} paid_in_full`,
    ]);
    expect(await remaining()).toEqual([500_00]);
  });
});

describe("what a credit may pay", () => {
  test("is patient invoices for a package; a gift certificate buys a package, too, but no gift certificate", async () => {
    const { creditId } = await credits.package(clientId);
    const gift = await credits.giftCertificate(clientId, { value: 500 });
    await credits.redeem(gift.code, clientId);
    const giftCredit = await credits.creditOf(gift.invoiceId);
    const { invoiceId } = await credits.package(clientId, { name: "Five visits" }, 0);
    const other = await credits.giftCertificate(clientId, { paid: false });
    const paying = (id: number, credit: number, method: "package" | "gift_certificate") =>
      credits.pay(id, { creditId: credit, totalMinor: 50_00, method });
    const no = refused("credit_not_for_this");
    expect(briefOf(await refusalOf(() => paying(invoiceId, creditId, "package")))).toEqual(no);
    expect(briefOf(await refusalOf(() => paying(other.invoiceId, giftCredit, "gift_certificate")))).toEqual(no);
    await paying(invoiceId, giftCredit, "gift_certificate");
    expect((await credits.told()).at(-1)).toBe(`invoice.updated invoice:${invoiceId} partially_paid`);
  });
});

describe("expiry", () => {
  test("comes with the clinic's midnight, needs nothing to run and sends nothing", async () => {
    // 2026-06-01T12:00Z is 8:00 in Toronto, four hours behind.
    const { creditId } = await credits.package(clientId, { expiresAfterDays: 30 });
    const invoiceId = await credits.invoice(clientId, 100_00);
    await credits.news();
    credits.clinic.clock.advance({ days: 30, hours: 15, minutes: 59 });
    expect(await credits.usable(clientId)).toEqual([[creditId, 600_00]]);
    const paymentId = await credits.pay(invoiceId, { creditId, totalMinor: 10_00 });
    credits.clinic.clock.advance({ minutes: 1 });
    expect(await credits.usable(clientId)).toEqual([]);
    const late = () => credits.pay(invoiceId, { creditId, totalMinor: 10_00 });
    expect(briefOf(await refusalOf(late))).toEqual(refused("credit_expired", "credit_id"));
    await credits.change((invoices) => deletePayment(invoices, paymentId));
    expect(await credits.usable(clientId)).toEqual([]);
    expect(await credits.told()).toHaveLength(2);
  });
});

describe("two who draw at the same moment", () => {
  test("never take more than there is: the second waits, then is refused, and nothing of it stays", async () => {
    const { creditId } = await credits.package(clientId, { value: 100, price: 100 }, 100_00);
    const first = await credits.invoice(clientId, 80_00);
    const second = await credits.invoice(clientId, 80_00);
    await credits.news();
    const attempts = [first, second].map((id) => credits.pay(id, { creditId, totalMinor: 80_00 }));
    const outcomes = await Promise.allSettled(attempts);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const rejected = outcomes.find((outcome) => outcome.status === "rejected");
    expect(rejected?.reason).toMatchObject({ code: "credit_too_small" });
    expect(await credits.usable(clientId)).toEqual([[creditId, 20_00]]);
    expect(await credits.news()).toHaveLength(1);
  });

  test("are served one after the other by auto-deduct: what the first left is what the second gets", async () => {
    await credits.package(clientId, { value: 100, price: 100 }, 100_00);
    await credits.news();
    await Promise.all([1, 2, 3].map(() => credits.invoice(clientId, 40_00, { autoDeduct: true })));
    const told = await credits.news();
    expect(told.map(({ event }) => event)).toEqual(Array(3).fill("invoice.created"));
    const paid = told.flatMap(({ invoice }) => invoice.payments.map(({ total }) => total));
    expect(paid.toSorted((one, other) => one - other)).toEqual([20, 40, 40]);
    expect(await credits.usable(clientId)).toEqual([]);
  });

  test("from the same credits, named in another order, wait in a queue and not in a ring", async () => {
    const [a, b] = [await credits.package(clientId), await credits.package(clientId)];
    const paying = (number: string, ...creditIds: number[]) =>
      credits.invoice(clientId, 50_00, {
        number,
        payments: creditIds.map((creditId) => ({ method: "package", totalMinor: 10_00, creditId })),
        autoDeduct: true,
      });
    const [held, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const holder = credits.clinic.inTransaction(async (tx) => {
      await lockCredit(tx, credits.clinic.id, a.creditId);
      held.resolve();
      await release.promise;
    });
    await held.promise;
    const first = paying("FIRST", a.creditId, b.creditId);
    await until("the first waits for the holder", () => isWaiting(1));
    const second = paying("SECOND", b.creditId);
    await until("the second waits, too", () => isWaiting(2));
    release.resolve();
    await Promise.all([holder, first, second]);
    expect(await credits.usable(clientId)).toEqual([
      [a.creditId, 600_00 - 10_00 - 30_00 - 40_00],
      [b.creditId, 600_00 - 10_00 - 10_00],
    ]);
  });

  test("cannot even by a mistake of ours bring a credit below zero", async () => {
    const { creditId } = await credits.package(clientId);
    const forced = credits.clinic.inTransaction((tx) =>
      tx.updateTable("credits").set({ drawn_minor: 600_01 }).where("id", "=", creditId).execute(),
    );
    await expect(forced).rejects.toThrow("credits_check");
  });
});

test("a credit is never drawn for a draft: the payment is refused and changes nothing", async () => {
  const { creditId } = await credits.package(clientId);
  const invoiceId = await credits.invoice(clientId, 100_00);
  const draft = { method: "package", status: "draft", creditId, totalMinor: 10_00 } as const;
  const paying = () => credits.change((invoices) => addPayment(invoices, invoiceId, draft));
  expect(briefOf(await refusalOf(paying))).toMatchObject({ status: 400, fields: ["status"] });
  expect(await credits.usable(clientId)).toEqual([[creditId, 600_00]]);
});

describe("another clinic", () => {
  test("sees no package, credit, certificate or key of this one, even by a query that forgets to ask for its own", async () => {
    const stranger = await createTestClinic(database.pools);
    await credits.giftCertificate(clientId);
    await credits.package(clientId);
    for (const table of ["packages", "credits", "gift_certificates", "gift_certificate_keys"] as const) {
      const seen = await stranger.inTransaction((tx) => tx.selectFrom(table).select("clinic_id").execute());
      expect([table, seen]).toEqual([table, []]);
    }
    const planting = stranger.inTransaction((tx) =>
      tx
        .insertInto("gift_certificate_keys")
        .values({ clinic_id: credits.clinic.id + 1_000_000, key: Buffer.alloc(32) })
        .execute(),
    );
    await expect(planting).rejects.toThrow("row-level security");
  });
});

/** Gift certificates: who is told what, who may redeem, and what a copy of the database gives away. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestClinic } from "../../../test/clinic.ts";
import { cash, TestCredits } from "../../../test/credits.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/database.ts";
import { briefOf, refusalOf } from "../../../test/refusal.ts";
import { addPayment, refundPayment } from "../billing/payments.ts";
import { newCode, readCode } from "./gift-codes.ts";

let database: TestDatabase;
let credits: TestCredits;
let purchaserId: number;
let patientId: number;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

beforeEach(async () => {
  credits = new TestCredits(await createTestClinic(database.pools));
  purchaserId = (await credits.clinic.patient("Sam Sample")).id;
  patientId = (await credits.clinic.patient("Robin Example", null)).id;
});

const refused = (code: string) => ({ status: 409, code, fields: ["code"] });

describe("a gift certificate", () => {
  test("is sold untaxed to its purchaser, redeemed without an event, and then pays like money of the patient", async () => {
    const gift = await credits.giftCertificate(purchaserId);
    const [sold, ...more] = await credits.news();
    expect(more).toEqual([]);
    expect(sold).toMatchObject({
      event: "invoice.created",
      subject: `invoice:${gift.invoiceId}`,
      client: { id: purchaserId },
      invoice: { type: "clinic_package_gift_certificate", status: "paid", subtotal: 50, taxes: 0, total: 50 },
    });
    expect(gift).toMatchObject({ state: "ready", valueMinor: 50_00, remainingMinor: 50_00, redeemer: null });
    expect(await credits.usable(purchaserId)).toEqual([]);

    expect(await credits.redeem(gift.code, patientId)).toBe(gift.id);
    expect(await credits.news()).toEqual([]);
    expect(await credits.certificate(gift.id)).toMatchObject({
      state: "redeemed",
      purchaser: { id: purchaserId, name: "Sam Sample" },
      redeemer: { id: patientId, name: "Robin Example", email: null },
    });

    const invoiceId = await credits.invoice(patientId, 50_00, { autoDeduct: true });
    expect(await credits.told()).toEqual([`invoice.created invoice:${invoiceId} paid_in_full`]);
    expect(await credits.certificate(gift.id)).toMatchObject({ state: "used", remainingMinor: 0 });
  });

  test("bills the purchaser after it was redeemed, too", async () => {
    const gift = await credits.giftCertificate(purchaserId);
    await credits.redeem(gift.code, patientId);
    await credits.news();
    const { rows } = await database.pools.owner.query("select id from payments where invoice_id = $1", [
      gift.invoiceId,
    ]);
    await credits.change((invoices) => refundPayment(invoices, rows[0].id, { totalMinor: 20_00 }));
    const [told] = await credits.news();
    expect(told).toMatchObject({ event: "invoice.updated", client: { id: purchaserId } });
    expect(await credits.usable(patientId)).toEqual([[expect.any(Number), 30_00]]);
  });

  test("is not redeemed before it is paid", async () => {
    const gift = await credits.giftCertificate(purchaserId, { paid: false });
    expect(gift.state).toBe("unpaid");
    const redeem = () => credits.redeem(gift.code, patientId);
    expect(briefOf(await refusalOf(redeem))).toEqual(refused("gift_certificate_unpaid"));
    await credits.change((invoices) => addPayment(invoices, gift.invoiceId, cash(50_00)));
    expect((await credits.certificate(gift.id)).state).toBe("ready");
    expect(await redeem()).toBe(gift.id);
  });

  test("can be redeemed up to its last day by the clinic's calendar, and not after it", async () => {
    const gift = await credits.giftCertificate(purchaserId, { expiresOn: "2026-06-02" });
    const late = await credits.giftCertificate(purchaserId, { expiresOn: "2026-06-02" });
    credits.clinic.clock.advance({ hours: 39, minutes: 59 });
    await credits.redeem(gift.code, patientId);
    expect(await credits.usable(patientId)).toHaveLength(1);
    credits.clinic.clock.advance({ minutes: 1 });
    expect(await credits.usable(patientId)).toEqual([]);
    expect((await credits.certificate(gift.id)).state).toBe("expired");
    const redeem = () => credits.redeem(late.code, patientId);
    expect(briefOf(await refusalOf(redeem))).toEqual(refused("gift_certificate_expired"));
  });

  test("is redeemed once: a second time by the same patient changes nothing, by another one it is refused", async () => {
    const gift = await credits.giftCertificate(purchaserId);
    await credits.redeem(gift.code, patientId);
    expect(await credits.redeem(gift.code, patientId)).toBe(gift.id);
    const again = () => credits.redeem(gift.code, purchaserId);
    expect(briefOf(await refusalOf(again))).toEqual(refused("gift_certificate_redeemed"));
  });

  test("goes to one of two patients who redeem at the same moment", async () => {
    const gift = await credits.giftCertificate(purchaserId);
    const outcomes = await Promise.allSettled([purchaserId, patientId].map((id) => credits.redeem(gift.code, id)));
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const holders = await Promise.all([purchaserId, patientId].map((id) => credits.usable(id)));
    expect(holders.flat()).toHaveLength(1);
  });

  test("is not found by a wrong code, in another clinic, or for another clinic's patient", async () => {
    const gift = await credits.giftCertificate(purchaserId);
    const stranger = new TestCredits(await createTestClinic(database.pools));
    const theirs = (await stranger.clinic.patient()).id;
    const missing = (field: string) => ({ status: 404, code: "not_found", fields: [field] });
    expect(briefOf(await refusalOf(() => credits.redeem(newCode(), patientId)))).toEqual(missing("code"));
    expect(briefOf(await refusalOf(() => stranger.redeem(gift.code, theirs)))).toEqual(missing("code"));
    expect(briefOf(await refusalOf(() => credits.redeem(gift.code, theirs)))).toEqual(missing("patient_id"));
    expect(briefOf(await refusalOf(() => stranger.certificate(gift.id)))).toMatchObject({ status: 404 });
    expect((await credits.certificate(gift.id)).state).toBe("ready");
  });
});

describe("a code", () => {
  test("is read however it is typed, and is 16 signs that are hard to misread", () => {
    expect(newCode()).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/);
    expect(readCode("code", " 7k3m 9qtx-2b4w hjOi ")).toBe("7K3M9QTX2B4WHJ01");
  });

  test.each(["", "7K3M", "7K3M-9QTX-2B4W-HJ5U", "7K3M-9QTX-2B4W-HJ5R-0000", "'; drop table credits"])(
    "is refused when it cannot be one: %j",
    async (code) => {
      const problem = await refusalOf(() => readCode("code", code));
      expect(briefOf(problem)).toEqual({ status: 400, code: "invalid_request", fields: ["code"] });
    },
  );

  test("is not in the tables, in clear or as a hash that can be tried out", async () => {
    const { code, id } = await credits.giftCertificate(purchaserId);
    const { rows } = await database.pools.owner.query(
      "select g.code, g.code_hash, k.key from gift_certificates g join gift_certificate_keys k using (clinic_id) where g.id = $1",
      [id],
    );
    const bare = code.replaceAll("-", "");
    const kept: Buffer[] = Object.values(rows[0]);
    expect(kept).toHaveLength(3);
    for (const bytes of kept) expect(bytes.toString("latin1")).not.toMatch(new RegExp(`${code}|${bare}`));
    for (const text of [code, bare]) expect(rows[0].code_hash).not.toEqual(createHash("sha256").update(text).digest());
  });
});

test("a clinic's first two certificates may be sold at the same moment", async () => {
  const gifts = await Promise.all([1, 2].map(() => credits.giftCertificate(purchaserId)));
  for (const { code, id } of gifts) expect(await credits.redeem(code, patientId)).toBe(id);
});

test("a clinic that speaks French sells them under a French name", async () => {
  const french = new TestCredits(await createTestClinic(database.pools, { locale: "fr-CA" }));
  await french.giftCertificate((await french.clinic.patient()).id);
  expect((await french.news())[0]?.invoice.line_items[0]?.description).toBe("Chèque-cadeau");
});

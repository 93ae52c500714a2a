import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { byUrgency, entitledMinor, giftCertificateState, isExpired, lastDay, mayPay } from "./rules.ts";

const money = (totalMinor: number, settledGrossMinor: number, refundedMinor = 0) => ({
  totalMinor,
  settledGrossMinor,
  refundedMinor,
});
const day = (text: string) => Temporal.PlainDate.from(text);

describe("what a credit is worth", () => {
  test.each([
    ["nothing is paid", money(50_000, 0), 0],
    ["a part is paid", money(50_000, 49_999), 0],
    ["all is paid", money(50_000, 50_000), 60_000],
    ["there is nothing to pay", money(0, 0), 60_000],
    ["a fifth is refunded", money(50_000, 50_000, 10_000), 48_000],
    ["all is refunded", money(50_000, 50_000, 50_000), 0],
    ["all is refunded and paid again", money(50_000, 100_000, 50_000), 60_000],
    ["a part was paid and some of it refunded", money(50_000, 30_000, 10_000), 0],
    ["a third is left", money(3, 3, 2), 20_000],
  ])("when %s", (_, paid, expected) => {
    expect(entitledMinor(60_000, paid)).toBe(expected);
  });

  test("is a whole number from nothing to its value, and never rises with a refund, however large the sums", () => {
    const amount = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(amount, amount, share, share, (value, total, one, other) => {
        const [less, more] = [Math.floor(total * Math.min(one, other)), Math.floor(total * Math.max(one, other))];
        const before = entitledMinor(value, money(total, total, less));
        const after = entitledMinor(value, money(total, total, more));
        expect(Number.isSafeInteger(before) && before <= value && after >= 0).toBe(true);
        expect(after).toBeLessThanOrEqual(before);
      }),
    );
  });
});

describe("expiry", () => {
  test("counts whole days from the day of opening, the last one included", () => {
    const last = lastDay(day("2026-02-27"), 2)?.toString() ?? null;
    expect(last).toBe("2026-03-01");
    expect(isExpired(last, day("2026-03-01"))).toBe(false);
    expect(isExpired(last, day("2026-03-02"))).toBe(true);
  });

  test("does not exist without a number of days", () => {
    expect(lastDay(day("2026-02-27"), null)).toBeNull();
    expect(isExpired(null, day("9999-12-31"))).toBe(false);
  });
});

describe("what is used first", () => {
  test("is what expires first; what never expires comes last, and of two alike the older one first", () => {
    const credits = [
      { id: 1, expiresOn: null },
      { id: 2, expiresOn: "2026-12-31" },
      { id: 5, expiresOn: "2026-07-01" },
      { id: 4, expiresOn: "2026-07-01" },
      { id: 3, expiresOn: null },
    ];
    expect(credits.toSorted(byUrgency).map(({ id }) => id)).toEqual([4, 5, 2, 1, 3]);
  });
});

test("a package or a membership pays patient invoices only, a gift certificate all but gift certificates", () => {
  const types = [
    "patient_invoice",
    "clinic_package",
    "clinic_package_membership",
    "clinic_package_gift_certificate",
  ] as const;
  expect(types.filter((type) => mayPay("package", type))).toEqual(["patient_invoice"]);
  expect(types.filter((type) => mayPay("membership", type))).toEqual(["patient_invoice"]);
  expect(types.filter((type) => mayPay("gift_certificate", type))).toEqual(types.slice(0, 3));
});

describe("a gift certificate is", () => {
  const today = day("2026-06-01");
  const facts = { entitledMinor: 5_000, drawnMinor: 0, expiresOn: null, redeemed: false };
  test.each([
    ["unpaid", { entitledMinor: 0 }],
    ["ready", {}],
    ["ready", { expiresOn: "2026-06-01" }],
    ["expired", { expiresOn: "2026-05-31" }],
    ["redeemed", { redeemed: true, drawnMinor: 4_999 }],
    ["expired", { redeemed: true, expiresOn: "2026-05-31" }],
    ["used", { redeemed: true, drawnMinor: 5_000, expiresOn: "2026-05-31" }],
  ] as const)("%s with %j", (state, changed) => {
    expect(giftCertificateState({ ...facts, ...changed }, today)).toBe(state);
  });
});

/** Sums, splits, statuses and balances (contract §4), by the whole table and by properties. */
import { INVOICE_TYPES } from "@hookwell/sdk";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Amounts,
  deriveInvoice,
  deriveStatus,
  type LedgerPayment,
  lineAmounts,
  refundedOf,
  splitTax,
  sumOf,
} from "./amounts.ts";

describe("the status table", () => {
  // T, G, R, then the status of a patient's invoice and of the three package types.
  test.each([
    [0, 0, 0, "no_payment_needed", "no_payment_needed"],
    [100, 0, 0, "draft", "draft"],
    [100, 100, 100, "refunded", "refunded"],
    [100, 150, 150, "refunded", "refunded"],
    [0, 50, 50, "refunded", "refunded"],
    [100, 101, 0, "over_paid", null],
    [100, 150, 10, "over_paid", null],
    [0, 50, 0, "over_paid", null],
    [0, 50, 10, "over_paid", null],
    [100, 100, 0, "paid_in_full", "paid"],
    [100, 150, 50, "paid_in_full", "paid"],
    [100, 100, 1, "partially_refunded", "partially_refunded"],
    [100, 50, 10, "partially_refunded", "partially_refunded"],
    [100, 99, 0, "partially_paid", "partially_paid"],
  ] as const)("T %i, G %i, R %i: %s, and %s for a package", (totalMinor, grossMinor, refundedMinor, own, sold) => {
    for (const type of INVOICE_TYPES) {
      const expected = type === "patient_invoice" ? own : sold;
      expect(deriveStatus({ type, totalMinor, grossMinor, refundedMinor })).toBe(expected);
    }
  });
});

describe("a line", () => {
  test("is price × units less its discount, and its tax is rounded half up", () => {
    const line = { unitPriceMinor: 25_06, units: 3, discountMinor: 0, taxRateThousandths: 0 };
    expect(lineAmounts(line)).toEqual({ subtotalMinor: 75_18, taxesMinor: 0, totalMinor: 75_18 });
    expect(lineAmounts({ ...line, discountMinor: 75_18 })).toMatchObject({ subtotalMinor: 0, totalMinor: 0 });
    const half = { unitPriceMinor: 10, units: 1, discountMinor: 0 };
    expect(lineAmounts({ ...half, taxRateThousandths: 5_000 }).taxesMinor).toBe(1);
    expect(lineAmounts({ ...half, taxRateThousandths: 4_999 }).taxesMinor).toBe(0);
  });

  test("is exact beyond 2^53", () => {
    const line = { unitPriceMinor: 999_999, units: 1_000_000, discountMinor: 1, taxRateThousandths: 99_999 };
    expect(lineAmounts(line)).toEqual({
      subtotalMinor: 999_998_999_999,
      taxesMinor: 999_989_000_009,
      totalMinor: 1_999_988_000_008,
    });
  });

  test("with others, 25.06 + 25.61 + 25.63 at 15 %, makes 87.74", () => {
    const prices = [25_06, 25_61, 25_63];
    const lines = prices.map((unitPriceMinor) =>
      lineAmounts({ unitPriceMinor, units: 1, discountMinor: 0, taxRateThousandths: 15_000 }),
    );
    expect(sumOf(lines)).toEqual({ subtotalMinor: 76_30, taxesMinor: 11_44, totalMinor: 87_74 });
  });
});

const lines = fc
  .record({
    unitPriceMinor: fc.integer({ min: 0, max: 50_000 }),
    units: fc.integer({ min: 1, max: 20 }),
    share: fc.integer({ min: 0, max: 100 }),
    taxRateThousandths: fc.integer({ min: 0, max: 100_000 }),
  })
  .map(({ share, ...line }) => ({
    ...line,
    discountMinor: share < 50 ? 0 : Math.floor((line.unitPriceMinor * line.units * share) / 200),
  }))
  .map(lineAmounts);
const invoices = fc.array(lines, { maxLength: 5 }).map(sumOf);

/** What may happen to an invoice: shares of what is owed, or of what can be given back of an earlier payment. */
const happenings = fc.array(
  fc.record({ share: fc.integer({ min: 1, max: 130 }), what: fc.constantFrom("pay", "settle", "draft", "refund") }),
  { maxLength: 12 },
);

interface MutablePayment extends LedgerPayment {
  readonly refunds: { totalMinor: number; entry: number }[];
}

function ledgerOf(totalMinor: number, happened: readonly { share: number; what: string }[]): MutablePayment[] {
  const payments: MutablePayment[] = [];
  const settled = () => payments.filter(({ settledEntry }) => settledEntry !== null);
  const leftOf = (payment: MutablePayment) => payment.totalMinor - refundedOf(payment);
  for (const [entry, { share, what }] of happened.entries()) {
    const target = settled()[share % Math.max(settled().length, 1)];
    const owed = totalMinor - settled().reduce((sum, payment) => sum + leftOf(payment), 0);
    const part = Math.floor(((what === "refund" && target ? leftOf(target) : totalMinor) * Math.min(share, 100)) / 100);
    if (what === "refund") {
      if (part > 0) target?.refunds.push({ totalMinor: part, entry });
    } else if (what === "settle") {
      if (owed > 0) payments.push({ totalMinor: owed, settledEntry: entry, refunds: [] });
    } else {
      payments.push({ totalMinor: part + 1, settledEntry: what === "draft" ? null : entry, refunds: [] });
    }
  }
  return payments;
}

const derived = (invoice: Amounts, payments: readonly LedgerPayment[]) =>
  deriveInvoice({ type: "patient_invoice", lines: [invoice], payments });

const ledgers = fc.tuple(invoices, happenings).map(([invoice, happened]) => {
  return { invoice, payments: ledgerOf(invoice.totalMinor, happened) };
});

describe("whatever is paid and refunded", () => {
  test("every total is its subtotal plus its taxes, in integers, and no part is below zero", () => {
    fc.assert(
      fc.property(ledgers, ({ invoice, payments }) => {
        const all = derived(invoice, payments);
        for (const { subtotalMinor, taxesMinor, totalMinor } of [all, ...all.payments]) {
          expect(subtotalMinor + taxesMinor).toBe(totalMinor);
          for (const part of [subtotalMinor, taxesMinor, totalMinor]) {
            expect(Number.isSafeInteger(part) && part >= 0).toBe(true);
          }
        }
        expect(Number.isSafeInteger(all.unpaidSubtotalBalanceMinor)).toBe(true);
      }),
    );
  });

  test("the balance is zero when paid exactly, the whole subtotal when nothing is left, negative only when over-paid", () => {
    fc.assert(
      fc.property(ledgers, ({ invoice, payments }) => {
        const { status, netMinor, totalMinor, subtotalMinor, unpaidSubtotalBalanceMinor } = derived(invoice, payments);
        if (netMinor === totalMinor) expect(unpaidSubtotalBalanceMinor).toBe(0);
        if (netMinor === 0) expect(unpaidSubtotalBalanceMinor).toBe(subtotalMinor);
        if (unpaidSubtotalBalanceMinor < 0) expect(status).toBe("over_paid");
        if (status !== "over_paid") expect(unpaidSubtotalBalanceMinor).toBeLessThanOrEqual(subtotalMinor);
      }),
    );
  });

  test("one more payment never raises the balance, one more refund never lowers it, a draft leaves it", () => {
    fc.assert(
      fc.property(ledgers, fc.integer({ min: 1, max: 2_000_000 }), ({ invoice, payments }, totalMinor) => {
        const before = derived(invoice, payments).unpaidSubtotalBalanceMinor;
        const after = (payment: LedgerPayment) => derived(invoice, [...payments, payment]).unpaidSubtotalBalanceMinor;
        const paid = { totalMinor, settledEntry: 1_000, refunds: [] };
        expect(after(paid)).toBeLessThanOrEqual(before);
        expect(after({ ...paid, settledEntry: null })).toBe(before);
        const half = { totalMinor: Math.ceil(totalMinor / 2), entry: 1_001 };
        expect(after({ ...paid, refunds: [half] })).toBeGreaterThanOrEqual(after(paid));
        expect(after({ ...paid, refunds: [{ ...half, totalMinor }] })).toBeGreaterThanOrEqual(after(paid));
      }),
    );
  });

  test("a later refund or payment never changes how an earlier payment was split", () => {
    fc.assert(
      fc.property(ledgers, ({ invoice, payments }) => {
        const splits = derived(invoice, payments).payments.map(({ taxesMinor }) => taxesMinor);
        const last = payments.at(-1);
        if (last === undefined) return;
        const later = [
          ...payments,
          { totalMinor: 777, settledEntry: 1_000, refunds: [{ totalMinor: 7, entry: 1_001 }] },
        ];
        expect(
          derived(invoice, later)
            .payments.slice(0, -1)
            .map(({ taxesMinor }) => taxesMinor),
        ).toEqual(splits);
      }),
    );
  });
});

describe("the split of payments", () => {
  test("is round half up of payment × taxes ÷ total, and the payment that settles takes the remainder", () => {
    fc.assert(
      fc.property(invoices, fc.integer({ min: 1, max: 99 }), (invoice, percent) => {
        fc.pre(invoice.totalMinor > 1);
        const first = Math.max(1, Math.floor((invoice.totalMinor * percent) / 100));
        const payments = [first, invoice.totalMinor - first].map((totalMinor, settledEntry) => {
          return { totalMinor, settledEntry, refunds: [] };
        });
        const [one, rest] = derived(invoice, payments).payments;
        expect(one?.taxesMinor).toBe(splitTax(first, invoice));
        expect(rest?.taxesMinor).toBe(invoice.taxesMinor - splitTax(first, invoice));
      }),
    );
  });

  test("gives the taxes of an over-payment in the same proportion", () => {
    const invoice = { subtotalMinor: 100_00, taxesMinor: 15_00, totalMinor: 115_00 };
    const [payment] = derived(invoice, [{ totalMinor: 230_00, settledEntry: 1, refunds: [] }]).payments;
    expect(payment).toMatchObject({ subtotalMinor: 200_00, taxesMinor: 30_00, status: "paid" });
  });

  test("of many tiny payments leaves no negative tax for the last", () => {
    const invoice = { subtotalMinor: 100, taxesMinor: 100, totalMinor: 200 };
    const cents = Array.from({ length: 200 }, (_, settledEntry) => ({ totalMinor: 1, settledEntry, refunds: [] }));
    const { payments, unpaidSubtotalBalanceMinor } = derived(invoice, cents);
    expect(unpaidSubtotalBalanceMinor).toBe(0);
    expect(payments.every(({ taxesMinor }) => taxesMinor === 0 || taxesMinor === 1)).toBe(true);
  });

  test("of a payment that is refunded in parts gives back exactly what it had", () => {
    const invoice = { subtotalMinor: 100_00, taxesMinor: 15_00, totalMinor: 115_00 };
    const kept = { totalMinor: 50_00, settledEntry: 0, refunds: [] };
    const refunds = [3_34, 3_34, 3_33].map((totalMinor, entry) => ({ totalMinor, entry: entry + 2 }));
    const gone = { totalMinor: 10_01, settledEntry: 1, refunds };
    const balance = (payments: LedgerPayment[]) => derived(invoice, payments).unpaidSubtotalBalanceMinor;
    expect(balance([kept, gone])).toBe(balance([kept]));
  });

  test("keeps what another system has split already", () => {
    const invoice = { subtotalMinor: 100_00, taxesMinor: 15_00, totalMinor: 115_00 };
    const given = { totalMinor: 50_00, settledEntry: 0, taxesMinor: 6_00, refunds: [{ totalMinor: 25_00, entry: 1 }] };
    expect(derived(invoice, [given])).toMatchObject({
      payments: [{ subtotalMinor: 44_00, taxesMinor: 6_00, status: "partially_refunded" }],
      unpaidSubtotalBalanceMinor: 78_00,
    });
  });

  test("is all subtotal where nothing is owed", () => {
    const nothing = { subtotalMinor: 0, taxesMinor: 0, totalMinor: 0 };
    const [payment] = derived(nothing, [{ totalMinor: 5, settledEntry: 0, refunds: [] }]).payments;
    expect(payment).toMatchObject({ subtotalMinor: 5, taxesMinor: 0 });
  });
});

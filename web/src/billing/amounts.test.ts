import { describe, expect, test } from "vitest";
import type { Invoice, Payment } from "../api/billing.ts";
import { balanceOf, lineAmounts, sumOf } from "./amounts.ts";
import { emptyLine, lineInputs, lineMistakes, linesDiffer, type TypedLine, typedLine } from "./lines.ts";

const typed = (changes: Partial<TypedLine>): TypedLine => ({
  ...emptyLine(1),
  description: "Visit",
  unitPrice: "95.00",
  ...changes,
});

describe("a line", () => {
  test("has its tax rounded half up on what the discount leaves, and sums are sums of lines", () => {
    const line = lineAmounts({ unitPrice: 105, units: 1, discount: 0, rate: 10_000 });
    expect(line).toEqual({ subtotal: 105, taxes: 11, total: 116 });
    expect(lineAmounts({ unitPrice: 9500, units: 3, discount: 500, rate: 13_000 })).toEqual({
      subtotal: 28_000,
      taxes: 3640,
      total: 31_640,
    });
    expect(sumOf([line, line])).toEqual({ subtotal: 210, taxes: 22, total: 232 });
  });

  test("is sent as the server takes it, whichever decimal mark was typed", () => {
    const line = typed({ unitPrice: "25,06", units: "2", discount: "0,12", taxRate: "14,975" });
    expect(lineInputs([line], 2)).toEqual([
      { description: "Visit", unit_price: 25.06, units: 2, discount: 0.12, tax_rate: 14.975 },
    ]);
  });

  test.each<[Partial<TypedLine>, object]>([
    [{ description: " " }, { "line_items.0.description": "description" }],
    [{ unitPrice: "" }, { "line_items.0.unit_price": "amount" }],
    [{ unitPrice: "1.234" }, { "line_items.0.unit_price": "decimals" }],
    [{ units: "1.5" }, { "line_items.0.units": "units" }],
    [{ units: "" }, { "line_items.0.units": "units" }],
    [{ discount: "95.01" }, { "line_items.0.discount": "discount" }],
    [{ taxRate: "130" }, { "line_items.0.tax_rate": "rate" }],
    [{}, {}],
  ])("typed as %j is told to be wrong where the server would say it", (changes, mistakes) => {
    expect(lineMistakes([typed(changes)], 2)).toEqual(mistakes);
  });

  test("that is opened and saved as it was is no change", () => {
    const item = { id: 4, description: "Visit", unit_price: 25.06, units: 2, discount: 0, tax_rate: 9.975 };
    const items = [{ ...item, subtotal: 50.12, taxes: 5, total: 55.12 }];
    const lines = items.map((one) => typedLine(one, 2, "fr-CA"));
    expect(linesDiffer(lines, items, 2)).toBe(false);
    expect(linesDiffer([{ ...(lines[0] as TypedLine), units: "3" }], items, 2)).toBe(true);
  });
});

test("what is owed counts what came in and did not go back, and no payment that is only expected", () => {
  const payment = (changes: Partial<Payment>) => ({ status: "paid", total: 40, refunded: 0, ...changes }) as Payment;
  const invoice = {
    total: 107.35,
    payments: [payment({}), payment({ status: "partially_refunded", refunded: 10.1 }), payment({ status: "draft" })],
  } as Invoice;
  expect(balanceOf(invoice, 2)).toEqual({ paid: 6990, owed: 3745 });
});

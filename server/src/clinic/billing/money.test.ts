/** Amounts between decimal text and integers: exact, by the decimals of ISO 4217, or refused. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { briefOf, refusalOf } from "../../../test/refusal.ts";
import {
  AMOUNT_MAX_MINOR,
  currencyExponent,
  readTaxRate,
  sameMajor,
  taxRatePercent,
  toMajor,
  toMinor,
} from "./money.ts";

/** ISO 4217's list of minor units, where they are not two. */
const NOT_TWO: Readonly<Record<number, string>> = {
  0: "bif clp djf gnf isk jpy kmf krw pyg rwf ugx uyi vnd vuv xaf xof xpf",
  3: "bhd iqd jod kwd lyd omr tnd",
  4: "clf uyw",
};
const TWO = "cad usd eur gbp aud chf cny inr mxn mga mru xcg sle ved zwg huf twd idr pkr";
const CURRENCIES = [...Object.values(NOT_TWO), TWO].flatMap((codes) => codes.split(" "));

const currencies = fc.constantFrom(...CURRENCIES);
const amounts = fc.integer({ min: 0, max: AMOUNT_MAX_MINOR });

describe("the decimals of a currency", () => {
  test.each(Object.entries(NOT_TWO))("are %s as ISO 4217 has them: %s", (exponent, codes) => {
    for (const code of codes.split(" ")) expect([code, currencyExponent(code)]).toEqual([code, Number(exponent)]);
  });

  test("are two for all others, those with fifths in real life too", () => {
    for (const code of TWO.split(" ")) expect([code, currencyExponent(code)]).toEqual([code, 2]);
  });

  test("are refused for what is no currency in lower case", async () => {
    for (const code of ["xyz", "CAD", "", "hrk", "__proto__"]) {
      const refusal = briefOf(await refusalOf(() => currencyExponent(code)));
      expect(refusal).toEqual({ status: 400, code: "invalid_request", fields: ["currency"] });
    }
  });
});

describe("an amount", () => {
  test.each([
    [25.06, "cad", 2506],
    [87.7, "cad", 8770],
    [0.29, "cad", 29],
    [1.1, "cad", 110],
    [5000, "jpy", 5000],
    [1.25, "kwd", 1250],
    [0.001, "kwd", 1],
    [0.0001, "clf", 1],
    [0, "cad", 0],
    [9_999_999_999.99, "cad", AMOUNT_MAX_MINOR],
  ])("of %d %s is %i of the smallest unit, and back", (major, currency, minor) => {
    expect(toMinor("total", major, currency)).toBe(minor);
    expect(toMajor(minor, currency)).toBe(major);
  });

  test("goes both ways unchanged, for every currency, and is written in JSON's shortest form", () => {
    fc.assert(
      fc.property(amounts, currencies, (minor, currency) => {
        const major = toMajor(minor, currency);
        expect(toMinor("total", major, currency)).toBe(minor);
        expect(JSON.stringify(major)).toMatch(/^\d+(\.\d*[1-9])?$/);
        expect(toMajor(-minor, currency)).toBe(minor === 0 ? 0 : -major);
      }),
    );
  });

  test.each([
    [25.061, "cad", "amount_decimals"],
    [0.1 + 0.2, "cad", "amount_decimals"],
    [0.5, "jpy", "amount_decimals"],
    [1e-7, "kwd", "amount_decimals"],
    [-0.01, "cad", "too_small"],
    [1e10, "cad", "too_big"],
    [1e300, "jpy", "too_big"],
  ])("of %d %s is refused as %s, naming its field", async (amount, currency, code) => {
    const { fields } = await refusalOf(() => toMinor("payments.2.total", amount, currency));
    expect(fields).toMatchObject([{ field: "payments.2.total", code }]);
  });

  test("keeps its major units in another currency, or is refused", async () => {
    expect(sameMajor(5000_00, "cad", "jpy")).toBe(5000);
    expect(sameMajor(5000, "jpy", "kwd")).toBe(5_000_000);
    expect(briefOf(await refusalOf(() => sameMajor(25_06, "cad", "jpy")))).toMatchObject({ fields: ["currency"] });
  });
});

describe("a tax rate", () => {
  test.each([
    [13, 13_000],
    [14.975, 14_975],
    [0, 0],
    [100, 100_000],
    [0.001, 1],
  ])("of %d percent is %i thousandths, and back", (percent, thousandths) => {
    expect(readTaxRate("tax_rate", percent)).toBe(thousandths);
    expect(taxRatePercent(thousandths)).toBe(percent);
  });

  test("is refused below zero, above 100 or with more than three decimals", async () => {
    for (const percent of [-1, 100.001, 5.1234, 1e9]) {
      expect((await refusalOf(() => readTaxRate("tax_rate", percent))).status).toBe(400);
    }
  });
});

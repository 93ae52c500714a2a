import { describe, expect, test } from "vitest";
import { decimalsOf, formatMinor, majorOf, minorOf, readAmount, readRate, typedAmount } from "./money.ts";

describe("what a person types", () => {
  test.each([
    ["25.06", 2506],
    ["25,06", 2506],
    ["25,6", 2560],
    ["25", 2500],
    [" 25.00 $ ", 2500],
    [".5", 50],
    ["25.", 2500],
    ["1 234,50", 123450],
    ["1\u202f234,50", 123450],
    ["1,234.50", 123450],
    ["1.234,50", 123450],
    ["1,234,567", 123456700],
    ["0.07", 7],
    ["0.290", 29],
  ])("%j is %i cents", (typed, minor) => {
    expect(readAmount(typed, 2)).toBe(minor);
  });

  test.each([
    ["", "amount"],
    ["abc", "amount"],
    ["-5", "amount"],
    [".", "amount"],
    ["1e3", "amount"],
    ["12,34.50", "amount"],
    ["1.2.3", "amount"],
    ["25.065", "decimals"],
    ["1,234", "decimals"],
    ["1,000", "decimals"],
    ["1.000", "decimals"],
    ["$ 12,500", "decimals"],
    ["99999999999.99", "tooLarge"],
  ])("%j is refused: %s", (typed, mistake) => {
    expect(readAmount(typed, 2)).toBe(mistake);
  });

  test("has as many decimals as the currency: none in yen, three in dinar", () => {
    expect(readAmount("5000", 0)).toBe(5000);
    expect(readAmount("5,000", 0)).toBe("wholeAmount");
    expect(readAmount("5000.5", 0)).toBe("wholeAmount");
    expect(readAmount("1,250", 3)).toBe(1250);
  });

  test("as a tax rate is from 0 to 100 percent with at most three decimals", () => {
    expect(readRate("9,975 %")).toBe(9975);
    expect(readRate("14.975")).toBe(14975);
    expect(readRate("100")).toBe(100_000);
    expect(readRate("100.001")).toBeNull();
    expect(readRate("5.1234")).toBeNull();
    expect(readRate("x")).toBeNull();
  });
});

describe("an amount", () => {
  test("goes to the smallest unit and back without a rounding error, whatever it is", () => {
    for (const minor of [0, 1, 7, 29, 100, 1001, 2506, 999_999_999_999, -1250]) {
      for (const exponent of [0, 2, 3]) expect(minorOf(majorOf(minor, exponent), exponent)).toBe(minor);
    }
    expect(minorOf(1.1, 2)).toBe(110);
    expect(() => minorOf(1.001, 2)).toThrow(RangeError);
  });

  test("has the decimals of ISO 4217, also where browsers show fewer", () => {
    expect(["cad", "jpy", "kwd", "huf", "iqd"].map(decimalsOf)).toEqual([2, 0, 3, 2, 3]);
  });

  test("is written by the page's language, in the currency's decimals", () => {
    const cad = { code: "cad", exponent: 2 };
    expect(formatMinor(2506, cad, "en-CA")).toBe("$25.06");
    expect(formatMinor(2506, cad, "fr-CA").replace(/\s/g, " ")).toBe("25,06 $");
    expect(formatMinor(5000, { code: "jpy", exponent: 0 }, "en-CA")).toBe("JP¥5,000");
    expect(typedAmount(2506, 2, "en-CA")).toBe("25.06");
    expect(typedAmount(2506, 2, "fr-CA")).toBe("25,06");
    expect(typedAmount(-7, 2, "en-CA")).toBe("-0.07");
  });
});

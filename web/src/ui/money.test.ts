import { describe, expect, test } from "vitest";
import { editableMoney, formatMoney, majorOf, minorOf, readMoney, usualExponent } from "./money.ts";

const EN = { locale: "en-CA", currency: "cad", exponent: 2 };
const FR = { ...EN, locale: "fr-CA" };
const plain = (text: string) => text.replaceAll(/[\u00a0\u202f]/g, " ");

describe("an amount", () => {
  test("is written by its currency and the page's language, with every decimal", () => {
    expect(formatMoney(1234.5, EN)).toBe("$1,234.50");
    expect(plain(formatMoney(1234.5, FR))).toBe("1 234,50 $");
    expect(formatMoney(-3, EN)).toBe("-$3.00");
    expect(plain(formatMoney(5000, { ...EN, currency: "jpy", exponent: 0 }))).toContain("5,000");
    expect(plain(formatMoney(1.25, { ...EN, currency: "kwd", exponent: 3 }))).toBe("KWD 1.250");
  });

  test("stands in a field as it would be typed", () => {
    expect(editableMoney(1234.5, EN)).toBe("1234.50");
    expect(editableMoney(0.07, FR)).toBe("0,07");
    expect(editableMoney(5000, { ...EN, exponent: 0 })).toBe("5000");
  });

  test.each<[string, number]>([
    ["25.06", 2506],
    ["25", 2500],
    [" $1,234.5 ", 123450],
    [".5", 50],
    ["1,234", 123400],
    ["0.07", 7],
    ["9999999999.99", 999_999_999_999],
  ])("typed as %s is read exactly in English", (text, minor) => {
    expect(readMoney(text, EN)).toEqual({ minor });
  });

  test.each<[string, number]>([
    ["25,06", 2506],
    ["25.06", 2506],
    ["1 234,50 $", 123450],
    ["1\u00a0234,5", 123450],
    ["1\u202f234", 123400],
  ])("typed as %s is read exactly in French", (text, minor) => {
    expect(readMoney(text, FR)).toEqual({ minor });
  });

  test.each([
    ["", EN, "amount"],
    ["abc", EN, "amount"],
    [".", EN, "amount"],
    ["-5", EN, "amount"],
    ["25,06", EN, "amount"],
    ["1e3", EN, "amount"],
    ["1,2,3", FR, "amount"],
    ["1.005", EN, "decimals"],
    ["5.5", { ...EN, exponent: 0 }, "decimals"],
    ["10000000000.00", EN, "tooLarge"],
  ] as const)("typed as '%s' is refused, not guessed", (text, format, mistake) => {
    expect(readMoney(text, format)).toEqual({ mistake });
  });

  test("goes to the smallest unit and back by its digits", () => {
    for (const amount of [0, 0.1, 0.29, 1.15, 4.35, 25.06, 1_000_000.01, -8.2]) {
      expect(majorOf(minorOf(amount, 2), 2)).toBe(amount);
    }
    expect(minorOf(4.35, 2)).toBe(435);
    expect(majorOf(5000, 0)).toBe(5000);
    expect(() => minorOf(1.005, 2)).toThrow(RangeError);
    expect([usualExponent("cad"), usualExponent("jpy"), usualExponent("kwd")]).toEqual([2, 0, 3]);
  });
});

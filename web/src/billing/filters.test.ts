import { expect, test } from "vitest";
import { invoiceFilters } from "./filters.ts";

test("an address gives the filters that it names, and nonsense still opens the whole list", () => {
  const whole = { type: "clinic_package", status: "paid", patient: 4, number: "12" };
  expect(invoiceFilters(whole)).toEqual(whole);
  expect(invoiceFilters({ patient: "4", number: 12 })).toEqual({ patient: 4, number: "12" });
  expect(invoiceFilters({ type: "x", status: 1, patient: "Zoé", number: " ", more: true })).toEqual({});
  expect(invoiceFilters({ number: "1".repeat(100) }).number).toHaveLength(60);
});

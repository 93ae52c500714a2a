import fc from "fast-check";
import { expect, test } from "vitest";
import { CHOICES, choices, facts } from "../test/arbitrary-facts.ts";
import { fits } from "../test/fits.ts";
import { EVENT_NAMES } from "./catalogue.ts";
import { type DataChoice, effectiveChoice } from "./choice.ts";
import { type Facts, sampleFacts } from "./facts.ts";
import { project } from "./project.ts";

/** As the receiver parses it. */
function sent(given: Facts, choice: DataChoice): unknown {
  return JSON.parse(JSON.stringify(project(given, choice)));
}

test("every body fits the schema of its event and data choice", () => {
  fc.assert(
    fc.property(facts, choices, (given, choice) => {
      expect(fits(given.event, choice, sent(given, choice))).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test("a body of one data choice fits the schema of another only where the two come to the same", () => {
  for (const event of EVENT_NAMES) {
    for (const made of CHOICES) {
      const body = sent(sampleFacts(event), made);
      for (const read of CHOICES) {
        const same = JSON.stringify(effectiveChoice(event, made)) === JSON.stringify(effectiveChoice(event, read));
        // An invoice without a practitioner says null whether the id or all of it was chosen.
        const bothNull = event === "invoice.deleted" && made.patient === read.patient;
        const alike = same || (bothNull && made.practitioner !== "off" && read.practitioner !== "off");
        expect([event, made, read, fits(event, read, body)]).toEqual([event, made, read, alike]);
      }
    }
  }
});

test("a package with an unpaid balance and a patient's invoice without one do not fit", () => {
  const choice = { practitioner: "off", patient: "off" } as const;
  const { invoice } = sampleFacts("invoice.updated");
  const { unpaid_subtotal_balance: _, ...without } = invoice;
  const body = (changed: object) => ({ event: "invoice.updated", invoice: changed });
  expect(fits("invoice.updated", choice, body(invoice))).toBe(true);
  expect(fits("invoice.updated", choice, body(without))).toBe(false);
  expect(fits("invoice.updated", choice, body({ ...invoice, type: "clinic_package" }))).toBe(false);
  expect(fits("invoice.updated", choice, body({ ...without, type: "clinic_package" }))).toBe(true);
});

test("a consult's body is a list of 1 to 200, and no other body is a list", () => {
  for (const event of EVENT_NAMES) {
    const choice = { practitioner: "off", patient: "off" } as const;
    const body = sent(sampleFacts(event), choice);
    if (!Array.isArray(body)) {
      expect(fits(event, choice, [body])).toBe(false);
      continue;
    }
    expect(fits(event, choice, body[0])).toBe(false);
    expect([0, 1, 200, 201].map((length) => fits(event, choice, Array(length).fill(body[0])))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  }
});

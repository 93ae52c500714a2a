import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { facts } from "../test/arbitrary-facts.ts";
import { EVENT_NAMES, type EventName } from "./catalogue.ts";
import { PROBLEMS_MAX } from "./check.ts";
import { type BodyOf, checkFacts, type FACTS_SHAPES, type Facts, type FactsOf, sampleFacts } from "./facts.ts";
import type { ConsultBody } from "./payloads/consult.ts";
import { project } from "./project.ts";
import type { Infer } from "./shapes.ts";

/** Two decimals: every sample is in Canadian dollars. */
function cents(amount: number): number {
  return Math.round(amount * 100);
}

interface Amounts {
  subtotal: number;
  taxes: number;
  total: number;
}

function sum(amounts: readonly Amounts[], key: keyof Amounts): number {
  return amounts.reduce((total, amount) => total + cents(amount[key]), 0);
}

function addsUp({ subtotal, taxes, total }: Amounts): boolean {
  return cents(subtotal) + cents(taxes) === cents(total);
}

function problemsOf(value: unknown): string[] {
  const result = checkFacts(value);
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`);
}

describe("the types", () => {
  test("say exactly what the shapes say (held by the compiler)", () => {
    type Described = { [E in EventName]: Infer<(typeof FACTS_SHAPES)[E]> };
    type Typed = { [E in EventName]: FactsOf<E> };
    expectTypeOf<Plain<Described>>().toEqualTypeOf<Plain<Typed>>();
    expectTypeOf<FactsOf<EventName>>().toExtend<Facts>();
  });

  test("narrow facts and body by the event's name (held by the compiler)", () => {
    const body = project(sampleFacts("consult.updated"), { practitioner: "off", patient: "off" });
    expectTypeOf(body).toExtend<ConsultBody[]>();
    expectTypeOf<BodyOf<"course_participant.added">["payment"]>().toEqualTypeOf<Amounts>();
    // @ts-expect-error a checkout has no payment
    expectTypeOf<BodyOf<"course.checkout_process_started">["payment"]>().toBeNever();
    expect(body).toHaveLength(3);
  });
});

/** Interfaces and intersections written out, so that only what they hold is compared. */
type Plain<T> = T extends object ? { [K in keyof T]: Plain<T[K]> } : T;

describe("the samples", () => {
  test("pass the check, and each call gives a copy of its own", () => {
    for (const event of EVENT_NAMES) {
      expect([event, problemsOf(sampleFacts(event))]).toEqual([event, []]);
      expect(sampleFacts(event).event).toBe(event);
      expect(sampleFacts(event)).not.toBe(sampleFacts(event));
    }
  });

  test("differ from event to event", () => {
    const texts = EVENT_NAMES.map((event) => JSON.stringify({ ...sampleFacts(event), event: "" }));
    expect(new Set(texts).size).toBe(EVENT_NAMES.length);
  });

  test("are about people at example.test only", () => {
    const text = JSON.stringify(EVENT_NAMES.map(sampleFacts));
    const addresses = [...text.matchAll(/[^"]+@[^"]+/g)].map(([address]) => address);
    expect(addresses.length).toBeGreaterThan(10);
    expect(addresses.filter((address) => !address.endsWith("@example.test"))).toEqual([]);
  });

  test("of consults end when start and duration say, with the clinic's offset", () => {
    for (const event of ["participant.added", "consult.updated", "participant.removed"] as const) {
      const { start_time, end_time, duration } = sampleFacts(event).consult;
      expect(Date.parse(end_time) - Date.parse(start_time)).toBe(duration * 60_000);
    }
  });

  test.each(["invoice.created", "invoice.updated", "invoice.deleted"] as const)(
    "of %s add up at every level, the balance before tax included",
    (event) => {
      const { invoice } = sampleFacts(event);
      expect([invoice, ...invoice.line_items, ...invoice.payments].filter((amounts) => !addsUp(amounts))).toEqual([]);
      for (const key of ["subtotal", "taxes", "total"] as const) {
        expect(cents(invoice[key])).toBe(sum(invoice.line_items, key));
      }
      const settled = invoice.payments.filter(({ status }) => status === "paid");
      const balance = (cents(invoice.subtotal) - sum(settled, "subtotal")) / 100;
      expect(invoice.unpaid_subtotal_balance).toBe(invoice.type === "patient_invoice" ? balance : undefined);
    },
  );

  test("of payments split their taxes as contract §4 says", () => {
    for (const event of ["invoice.updated", "invoice.deleted"] as const) {
      const { invoice } = sampleFacts(event);
      expect(invoice.payments).toHaveLength(1);
      for (const { taxes, total } of invoice.payments) {
        const share = Math.floor((cents(total) * cents(invoice.taxes)) / cents(invoice.total) + 0.5);
        expect(cents(taxes)).toBe(share);
      }
    }
  });

  test("of an access gained add up, and are zeros where it was free", () => {
    expect(addsUp(sampleFacts("course_participant.added").payment)).toBe(true);
    expect(sampleFacts("webinar_participant.added").payment).toEqual({ subtotal: 0, taxes: 0, total: 0 });
  });

  test("of invoices have the status that contract §4 derives", () => {
    const statuses = (["invoice.created", "invoice.updated", "invoice.deleted"] as const).map((event) => {
      const { invoice } = sampleFacts(event);
      const gross = sum(invoice.payments, "total");
      const refunded = sum(
        invoice.payments.filter(({ status }) => status === "refunded"),
        "total",
      );
      return [invoice.status, gross === 0 ? "draft" : gross === refunded ? "refunded" : "partially_paid"];
    });
    for (const [said, derived] of statuses) expect(said).toBe(derived);
  });
});

describe("the check of facts", () => {
  test("passes whatever is made to the shapes, and hands back the same value", () => {
    fc.assert(
      fc.property(facts, (given) => {
        expect(checkFacts(given)).toEqual({ ok: true, facts: given });
      }),
    );
  });

  test("refuses facts that lack any one key, and names it", () => {
    const removals = facts.chain((given) => fc.tuple(fc.constant(given), fc.constantFrom(...pathsIn(given))));
    fc.assert(
      fc.property(removals, ([given, path]) => {
        const cut = structuredClone(given);
        const { holder, key } = reach(cut, path);
        delete holder[key];
        const wanted = path.join(".");
        expect(problemsOf(cut).some((problem) => problem.startsWith(`${wanted}: `))).toBe(true);
      }),
    );
  });

  test("refuses facts with any one key more, at any depth, __proto__ among them", () => {
    const keys = fc.constantFrom("note", "__proto__", "constructor", "email ", "toJSON");
    const additions = facts.chain((given) => fc.tuple(fc.constant(given), fc.constantFrom(...pathsIn(given)), keys));
    fc.assert(
      fc.property(additions, ([given, path, extra]) => {
        const grown = structuredClone(given);
        Object.defineProperty(reach(grown, path).holder, extra, { value: 1, enumerable: true });
        const place = [...path.slice(0, -1), extra].join(".");
        expect(problemsOf(grown)).toEqual([`${place}: is not a key of this object`]);
      }),
    );
  });

  test("never throws, whatever comes", () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(checkFacts(value).ok).toBe(false);
      }),
    );
    const events = fc.constantFrom(...EVENT_NAMES);
    fc.assert(
      fc.property(events, fc.dictionary(fc.string(), fc.anything()), (event, rest) => {
        expect(checkFacts({ ...rest, event }).ok).toBe(false);
      }),
    );
  });

  test.each([null, [], "x", 1, undefined, {}, { event: "toString" }, { event: 1 }, { event: "invoice.gone" }])(
    "refuses %o, which is no event",
    (value) => {
      expect(problemsOf(value)).toHaveLength(1);
    },
  );

  const ID = "must be an integer from 1 to 2^53 − 1";
  const TIME = "must be a time as YYYY-MM-DDThh:mm:ss with a numeric offset such as -05:00";
  const DATE = "must be a calendar date as YYYY-MM-DD";
  const EMAIL = "must be an e-mail address, or null where it may be unknown";
  const MONEY = "must be a number in major units, with no more than four decimals";
  const cases: [EventName, string, unknown[], string][] = [
    ["consult.updated", "consult.id", [0, -1, 1.5, 2 ** 53, "7", null, true, Number.NaN], ID],
    ["consult.updated", "consult.duration", [-1, 0.5, -0, 10_081, "60"], "must be an integer from 0 to 10080"],
    ["consult.updated", "consult.cancelled", [0, "false", null], "must be true or false"],
    [
      "consult.updated",
      "consult.start_time",
      [
        "2026-11-01T09:00:00Z",
        "2026-11-01T09:00:00.000-05:00",
        "2026-11-01 09:00:00-05:00",
        "2026-02-30T09:00:00-05:00",
        "2026-11-01T24:00:00-05:00",
        "2026-11-01T09:00:60-05:00",
        "2026-11-01T09:00:00-00:00",
        "2026-11-01T09:00:00-05:00\n",
        1_800_000_000,
      ],
      TIME,
    ],
    ["consult.updated", "participants", [[]], "must have from 1 to 1000 entries"],
    ["consult.updated", "participants", [{}, null], "must be a list"],
    ["consult.updated", "participants.2.email", ["", "no-at", "a@b@c", "a b@c", 7, `${"x".repeat(250)}@y.zz`], EMAIL],
    ["consult.updated", "practitioner", [null], "must be an object"],
    ["consult.updated", "practitioner.email", [null, ""], EMAIL],
    ["consult.updated", "participants.0.name", [""], "must not be empty"],
    ["consult.updated", "participants.0.name", [" Sam", "Sam\u00a0"], "must not begin or end with white space"],
    ["consult.updated", "participants.0.name", ["x".repeat(301)], "must have at most 300 characters"],
    ["consult.updated", "participants.0.name", [null, 7, "\ud800"], "must be text"],
    ["invoice.updated", "invoice.invoice_date", ["2026-13-01", "2026-02-29", "26-01-01", "2026-1-1"], DATE],
    ["invoice.updated", "invoice.currency", ["CAD", "ca", "cadd", 124], "must be a lower-case ISO 4217 code"],
    ["invoice.updated", "invoice.total", ["1.25", null, Number.NaN, Infinity, 1e12, 1e-7, 0.1 + 0.2, -0], MONEY],
    ["invoice.updated", "invoice.payments.0.from_package", ["no"], "must be true or false"],
    ["invoice.updated", "invoice.unpaid_subtotal_balance", [null], MONEY],
    ["invoice.deleted", "invoice.unpaid_subtotal_balance", [0], "is only for type patient_invoice"],
    ["course_participant.added", "resource.type", ["webinar"], "must be course"],
    ["membership.started", "membership.recurrence_interval", ["quarter"], "must be one of day, week, month, year"],
  ];
  test.each(cases)("of %s refuses a bad %s and says what it wants", (event, path, values, message) => {
    for (const value of values) {
      const changed = sampleFacts(event);
      const { holder, key } = reach(changed, path.split("."));
      holder[key] = value;
      expect([value, problemsOf(changed)]).toEqual([value, [`${path}: ${message}`]]);
    }
  });

  test("accepts money as JSON writes it: no decimals, two, three, negative and large", () => {
    const given = sampleFacts("invoice.updated");
    for (const total of [0, 5000, 87.7, 1.25, 0.125, -12.5, 999_999_999_999]) {
      expect(problemsOf({ ...given, invoice: { ...given.invoice, total } })).toEqual([]);
    }
  });

  test("never repeats a value, and stops counting problems at its limit", () => {
    const given = sampleFacts("consult.updated");
    const participants = Array.from({ length: 100 }, () => ({ id: "Canary", name: 1, email: "Canary" }));
    const problems = problemsOf({ ...given, participants });
    expect(problems).toHaveLength(PROBLEMS_MAX);
    expect(problems.join()).not.toContain("Canary");
  });
});

type Holder = Record<string, unknown>;

/** The path of every key (not of list entries), from the top. */
function pathsIn(value: unknown, above: string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, below]) => {
    const path = [...above, key];
    return Array.isArray(value) ? pathsIn(below, path) : [path, ...pathsIn(below, path)];
  });
}

function reach(root: unknown, path: readonly string[]): { holder: Holder; key: string } {
  const holder = path.slice(0, -1).reduce((at, key) => at[key] as Holder, root as Holder);
  return { holder, key: path.at(-1) ?? expect.fail("a path has at least one key") };
}

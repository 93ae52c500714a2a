import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CHOICES, CONSULT_EVENTS, choices, crowdedConsults, facts } from "../test/arbitrary-facts.ts";
import { EVENT_NAMES, type EventName } from "./catalogue.ts";
import { type DataChoice, effectiveChoice, narrower } from "./choice.ts";
import { type Facts, sampleFacts } from "./facts.ts";
import { countParts, PARTICIPANTS_PER_REQUEST_MAX, project, render } from "./project.ts";

/** Contract §2, written out here once more on purpose: this list is what the catalogue and the shapes are held against. */
const CONSULT =
  "event consult.id consult.start_time consult.end_time consult.duration consult.cancelled service.id service.name";
const INVOICE_HEAD =
  "event invoice.type invoice.status invoice.invoice_number invoice.invoice_date invoice.currency invoice.subtotal invoice.taxes invoice.total";
const INVOICE_LISTS =
  "invoice.line_items[].id invoice.line_items[].description invoice.line_items[].unit_price invoice.line_items[].units invoice.line_items[].subtotal invoice.line_items[].taxes invoice.line_items[].total " +
  "invoice.payments[].id invoice.payments[].payment_method invoice.payments[].subtotal invoice.payments[].taxes invoice.payments[].total invoice.payments[].status invoice.payments[].from_package";
const RESOURCE = "event resource.type resource.name resource.id additional_data";
const DOCUMENTED: Record<EventName, [others: string, patient: "participant" | "client", practitioner: boolean]> = {
  "participant.added": [CONSULT, "participant", true],
  "consult.updated": [CONSULT, "participant", true],
  "participant.removed": [CONSULT, "participant", true],
  "invoice.created": [`${INVOICE_HEAD} invoice.unpaid_subtotal_balance ${INVOICE_LISTS}`, "client", true],
  "invoice.updated": [`${INVOICE_HEAD} invoice.unpaid_subtotal_balance ${INVOICE_LISTS}`, "client", true],
  "invoice.deleted": [`${INVOICE_HEAD} ${INVOICE_LISTS}`, "client", true],
  "patient_account.created": ["event", "client", false],
  "course.checkout_process_started": [RESOURCE, "client", false],
  "course_participant.added": [`${RESOURCE} payment.subtotal payment.taxes payment.total`, "client", false],
  "webinar.checkout_process_started": [RESOURCE, "client", false],
  "webinar_participant.added": [`${RESOURCE} payment.subtotal payment.taxes payment.total`, "client", false],
  "membership.started": [
    "event membership.type membership.id membership.name membership.membership_id membership.recurrence_interval",
    "client",
    false,
  ],
  "membership.cancelled": [
    "event membership.type membership.id membership.name membership.membership_id membership.recurrence_interval",
    "client",
    false,
  ],
};

function documentedKeys(event: EventName, choice: DataChoice): string[] {
  const [others, patient, hasPractitioner] = DOCUMENTED[event];
  const block = (key: string, how: "off" | "id" | "all") =>
    how === "off" ? [] : how === "id" ? [`${key}.id`] : [`${key}.id`, `${key}.name`, `${key}.email`];
  return [
    ...others.split(" "),
    ...(hasPractitioner ? block("practitioner", choice.practitioner) : []),
    ...block(patient, event === "patient_account.created" ? "all" : choice.patient),
  ];
}

/** Every key down to the values, in order; the entries of a list must all have the same. */
function keysOf(value: unknown, path: string): string[] {
  if (Array.isArray(value)) {
    const [first, ...others] = value.map((entry) => keysOf(entry, `${path}[]`));
    for (const other of others) expect(other).toEqual(first);
    return first ?? [path];
  }
  if (typeof value !== "object" || value === null || Object.keys(value).length === 0) return [path];
  return Object.entries(value).flatMap(([key, below]) => keysOf(below, path === "" ? key : `${path}.${key}`));
}

/** The event's sample; invoices with a payment and a practitioner, so that every key shows. */
function fullFacts(event: EventName): Facts {
  const sample: Facts = sampleFacts(event);
  if (event === "invoice.created") return { ...sampleFacts("invoice.updated"), event };
  if (event === "invoice.deleted") {
    return { ...sampleFacts(event), practitioner: sampleFacts("invoice.updated").practitioner };
  }
  return sample;
}

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) for (const below of Object.values(value)) frozen(below);
  return Object.freeze(value);
}

describe("the body", () => {
  test.each(EVENT_NAMES.flatMap((event) => CHOICES.map((choice) => [event, choice] as const)))(
    "of %s with %o has exactly the documented keys in the documented order",
    (event, choice) => {
      const body: unknown = JSON.parse(render(fullFacts(event), choice));
      const isConsult = (CONSULT_EVENTS as readonly string[]).includes(event);
      expect(Array.isArray(body)).toBe(isConsult);
      for (const one of isConsult ? (body as unknown[]) : [body]) {
        expect(keysOf(one, "")).toEqual(documentedKeys(event, choice));
      }
    },
  );

  test("carries the unpaid balance for a patient's invoice and for no package, whatever the facts hold", () => {
    const sample = sampleFacts("invoice.updated");
    const types = [
      "patient_invoice",
      "clinic_package",
      "clinic_package_membership",
      "clinic_package_gift_certificate",
    ] as const;
    const carrying = types.filter((type) => {
      const body = project(
        { ...sample, invoice: { ...sample.invoice, type } },
        { practitioner: "off", patient: "off" },
      );
      return "unpaid_subtotal_balance" in body.invoice;
    });
    expect(carrying).toEqual(["patient_invoice"]);
  });

  test("tells an invoice without a practitioner (null) from one whose practitioner was not selected (no key)", () => {
    const none = { ...sampleFacts("invoice.created"), practitioner: null };
    const bodies = (["off", "id", "all"] as const).map((practitioner) =>
      project(none, { practitioner, patient: "off" }),
    );
    expect(bodies.map((body) => ("practitioner" in body ? body.practitioner : "absent"))).toEqual([
      "absent",
      null,
      null,
    ]);
  });

  test("keeps the key of an unknown e-mail and says null", () => {
    const text = render(sampleFacts("webinar_participant.added"), { practitioner: "off", patient: "all" });
    expect(text).toContain('"client":{"id":5102,"name":"Robin Example","email":null}');
  });

  test("is the same text for the same facts in any key order, with any unknown keys in them", () => {
    const disordered = facts.chain((straight) => fc.tuple(fc.constant(straight), disorder(straight)));
    fc.assert(
      fc.property(disordered, choices, ([straight, mixed], choice) => {
        expect(render(mixed as Facts, choice)).toBe(render(straight, choice));
      }),
      { numRuns: 500 },
    );
  });

  test("neither changes the facts nor shares an object with them", () => {
    fc.assert(
      fc.property(facts, choices, (given, choice) => {
        const shared = objectsIn(project(frozen(given), choice)).filter((object) => objectsIn(given).includes(object));
        expect(shared).toEqual([]);
      }),
    );
  });

  test("is never made from facts that lack something: that is a bug, and no value appears in its message", () => {
    const { participants, ...rest } = sampleFacts("consult.updated");
    const nameless = { ...rest, participants: participants.map(({ id, email }) => ({ id, email })) };
    const choice = { practitioner: "all", patient: "all" } as const;
    expect(() => render(nameless as never, choice)).toThrow("facts of consult.updated lack name");
    const { client: _, ...clientless } = sampleFacts("membership.started");
    expect(() => render(clientless as never, choice)).toThrow("facts of membership.started lack client");
    const bill = sampleFacts("invoice.created");
    const endless = { ...bill, invoice: { ...bill.invoice, total: Number.NaN } };
    expect(() => render(endless, choice)).toThrow("facts of invoice.created hold something other than a plain value");
  });
});

describe("a consult's participants", () => {
  test("each have their own object, and nobody's data is in another's", () => {
    fc.assert(
      fc.property(crowdedConsults, choices, (given, choice) => {
        const objects = project(given, choice).map((one) => JSON.stringify(one));
        const shown = choice.patient === "all";
        for (const [index, text] of objects.entries()) {
          expect([...text.matchAll(/Member <(\d+)>/g)].map((mark) => Number(mark[1]))).toEqual(shown ? [index] : []);
          const found = [...text.matchAll(/"<(\d+)>@/g)].map((mark) => Number(mark[1]));
          expect(found).toEqual(shown && index % 3 !== 0 ? [index] : []);
          const ids = [...text.matchAll(/"participant":\{"id":(\d+)/g)].map((mark) => Number(mark[1]));
          expect(ids).toEqual(choice.patient === "off" ? [] : [1_000_000 + index]);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("count the same under every data choice", () => {
    fc.assert(
      fc.property(crowdedConsults, choices, (given, choice) => {
        expect(project(given, choice)).toHaveLength(given.participants.length);
      }),
      { numRuns: 50 },
    );
  });

  test("are split without one lost, doubled or moved", () => {
    const sizes = fc.integer({ min: 1, max: PARTICIPANTS_PER_REQUEST_MAX });
    fc.assert(
      fc.property(crowdedConsults, choices, sizes, (given, choice, participantsPerRequest) => {
        const parts = Array.from({ length: countParts(given, participantsPerRequest) }, (_, part) =>
          project(given, choice, { part, participantsPerRequest }),
        );
        expect(parts.flat()).toEqual(project(given, choice));
        expect(parts.every((part) => part.length >= 1 && part.length <= participantsPerRequest)).toBe(true);
        expect(parts.slice(0, -1).every((part) => part.length === participantsPerRequest)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test("go alone, still in an array, with one participant per request", () => {
    const given = sampleFacts("consult.updated");
    const choice = { practitioner: "off", patient: "id" } as const;
    const texts = [0, 1, 2].map((part) => project(given, choice, { part, participantsPerRequest: 1 }));
    expect(texts.map((body) => body.map((one) => one.participant))).toEqual([
      [{ id: 5101 }],
      [{ id: 5102 }],
      [{ id: 5103 }],
    ]);
  });

  test("make 1, 1, 2 and 3 requests for 1, 200, 201 and 401 of them, and none for nobody", () => {
    const given = sampleFacts("consult.updated");
    const person = given.participants[0] ?? expect.fail("the sample has participants");
    const count = (length: number) =>
      countParts({ ...given, participants: Array(length).fill(person) }, PARTICIPANTS_PER_REQUEST_MAX);
    expect([0, 1, 200, 201, 401].map(count)).toEqual([0, 1, 1, 2, 3]);
  });

  test("are refused a part that does not exist and a size out of range", () => {
    const given = sampleFacts("consult.updated");
    const cut = (part: number, participantsPerRequest: number) => () =>
      project(given, { practitioner: "off", patient: "off" }, { part, participantsPerRequest });
    for (const part of [-1, 3, 0.5, Number.NaN]) expect(cut(part, 1)).toThrow(RangeError);
    for (const size of [0, 201, 1.5, Number.NaN]) expect(cut(0, size)).toThrow(RangeError);
    expect(cut(2, 1)).not.toThrow();
    const invoice = sampleFacts("invoice.created");
    const second = { part: 1, participantsPerRequest: 1 };
    expect(() => project(invoice, { practitioner: "off", patient: "off" }, second)).toThrow(RangeError);
  });
});

describe("the narrower of two choices", () => {
  test("is the same both ways round, and a choice with itself is itself", () => {
    for (const a of CHOICES) {
      expect(narrower(a, a)).toEqual(a);
      for (const b of CHOICES) expect(narrower(a, b)).toEqual(narrower(b, a));
    }
  });

  test("never gives a key that either choice alone would not", () => {
    fc.assert(
      fc.property(facts, choices, choices, (given, a, b) => {
        const keys = (choice: DataChoice) => new Set(keysOf(project(given, choice), ""));
        const both = keys(narrower(a, b));
        expect([...both].filter((key) => !keys(a).has(key) || !keys(b).has(key))).toEqual([]);
      }),
    );
  });

  test("takes each block on its own: off under id under all", () => {
    expect(narrower({ practitioner: "all", patient: "off" }, { practitioner: "id", patient: "all" })).toEqual({
      practitioner: "id",
      patient: "off",
    });
  });
});

test("what a choice comes to: no practitioner where there is none, the account's patient always", () => {
  const off = { practitioner: "off", patient: "off" } as const;
  const all = { practitioner: "all", patient: "all" } as const;
  expect(effectiveChoice("patient_account.created", off)).toEqual({ practitioner: "off", patient: "all" });
  expect(effectiveChoice("membership.started", all)).toEqual({ practitioner: "off", patient: "all" });
  expect(effectiveChoice("invoice.created", all)).toEqual(all);
});

/** The same facts with every object's keys shuffled and foreign keys strewn in. */
function disorder(value: unknown): fc.Arbitrary<unknown> {
  if (Array.isArray(value)) return value.length === 0 ? fc.constant([]) : fc.tuple(...value.map(disorder));
  if (typeof value !== "object" || value === null) return fc.constant(value);
  const tempting = ["unpaid_subtotal_balance", "payment", "participant", "client", "toJSON", "__proto__", "note"];
  const foreignKeys = fc.array(fc.oneof(fc.constantFrom(...tempting), fc.string()), { maxLength: 3 });
  const foreign = fc
    .tuple(foreignKeys, fc.jsonValue({ maxDepth: 1 }))
    .map(([keys, extra]) =>
      keys.filter((key) => !Object.hasOwn(value, key)).map((key): [string, unknown] => [key, extra]),
    );
  const own = fc.tuple(
    ...Object.entries(value).map(([key, below]) => disorder(below).map((mixed): [string, unknown] => [key, mixed])),
  );
  return fc
    .tuple(own, foreign)
    .chain(([known, unknown]) => {
      const entries = [...known, ...unknown];
      return fc.shuffledSubarray(entries, { minLength: entries.length });
    })
    .map((entries) => Object.fromEntries(entries));
}

function objectsIn(value: unknown): object[] {
  if (typeof value !== "object" || value === null) return [];
  return [value, ...Object.values(value).flatMap(objectsIn)];
}

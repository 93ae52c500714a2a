/**
 * Values that fit a schema, by fast-check: the schema says the kind, the name of a field says what is likely to be meant, so
 * that many requests are really carried out and not only refused.
 *
 * An id is not chosen here but named (`Pick`): which ids there are is known only when the request is sent.
 */
import fc from "fast-check";
import type { Schema } from "./schema.ts";

/** One of the ids known by then. */
export interface Pick {
  readonly $pick: string;
  readonly at: number;
}

const LIST_MAX_ITEMS = 4;
const DEPTH_MAX = 8;

/** Arbitrary values that are as the schema says; `name` is the field's. */
export function fitting(schema: Schema, name = "", depth = 0): fc.Arbitrary<unknown> {
  if (depth > DEPTH_MAX) throw new Error(`The schema of ${name} is nested too deeply.`);
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants !== undefined) return fc.oneof(...variants.map((variant) => fitting(variant, name, depth + 1)));
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if ("const" in schema) return fc.constant(schema.const);
  const types = [schema.type ?? "any"].flat();
  return fc.oneof(...types.map((type) => ofType(type, { ...schema, type }, { name, depth })));
}

interface Where {
  readonly name: string;
  readonly depth: number;
}

function ofType(type: string, schema: Schema, { name, depth }: Where): fc.Arbitrary<unknown> {
  if (type === "null") return fc.constant(null);
  if (type === "boolean") return fc.boolean();
  if (type === "string") return text(schema, name);
  if (type === "integer" || type === "number") return number(schema, name);
  if (type === "array") return list(schema, { name, depth });
  if (type === "object") return object(schema, depth);
  return fc.jsonValue({ maxDepth: 2 });
}

function object({ properties = {}, required = [] }: Schema, depth: number): fc.Arbitrary<unknown> {
  const fields = Object.entries(properties).map(([name, schema]) => [name, fitting(schema, name, depth + 1)]);
  const all = fc.record(Object.fromEntries(fields), { requiredKeys: required as never[], noNullPrototype: true });
  // With many fields that may be left out, one of them is nearly always refused: often there are only the needed ones.
  const needed = fc.record(Object.fromEntries(fields.filter(([name]) => required.includes(name as string))), {
    noNullPrototype: true,
  });
  return fc.oneof(needed, all);
}

function list(schema: Schema, { name, depth }: Where): fc.Arbitrary<unknown> {
  if (schema.prefixItems !== undefined) {
    return fc.tuple(...schema.prefixItems.map((item) => fitting(item, name, depth + 1)));
  }
  const item =
    typeof schema.items === "object" ? fitting(schema.items, name.replace(/s$/, ""), depth + 1) : fc.jsonValue();
  const minLength = schema.minItems ?? 0;
  return fc.array(item, { minLength, maxLength: Math.max(minLength, Math.min(schema.maxItems ?? 9, LIST_MAX_ITEMS)) });
}

/** Whose id a field holds, by its name without `_id`. */
const NOUNS: Readonly<Record<string, string>> = {
  ...{ service: "services", practitioner: "practitioners", patient: "patients", client: "patients", payer: "patients" },
  ...{ purchaser: "patients", to_consult: "consults", to_invoice: "invoices", plan: "membership-plans" },
  ...{ webhook: "webhooks", credit: "credits", item: "courses", line_item: "line_items", payment: "payments" },
};

export function pick(noun: string): fc.Arbitrary<Pick> {
  return fc.nat({ max: 50 }).map((at) => ({ $pick: noun, at }));
}

function number(schema: Schema, name: string): fc.Arbitrary<unknown> {
  const noun = name.endsWith("_id") ? NOUNS[name.slice(0, -3)] : undefined;
  const { minimum: min = -1_000, maximum: max = 1_000 } = schema;
  const anything =
    schema.type === "integer"
      ? fc.oneof(
          fc.integer({ min: Math.max(min, -50), max: Math.min(max, Math.max(min, 50)) }),
          fc.maxSafeInteger().map((n) => clamp(n, min, max)),
        )
      : fc.oneof(
          fc.integer({ min: 1, max: 500 }),
          fc.nat({ max: 50_000 }).map((n) => n / 100),
          fc.double({ noNaN: true }),
        );
  const likely = LIKELY_NUMBERS[name];
  if (noun !== undefined) return fc.oneof({ weight: 9, arbitrary: pick(noun) }, anything);
  return likely === undefined ? anything : fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...likely) }, anything);
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}

const LIKELY_NUMBERS: Readonly<Record<string, readonly number[]>> = {
  duration: [15, 30, 45, 60, 90],
  tax_rate: [0, 5, 13, 14.975],
  units: [1, 2, 0.5],
  capacity: [1, 2, 6, 12],
  discount: [0, 1, 10.5],
};

const GOOD_TIMES = ["2026-11-30T09:00", "2026-12-01T10:30:00-05:00", "2026-12-02T17:15", "2026-12-03T08:00Z"];
const TIMES = [
  ...GOOD_TIMES,
  ...GOOD_TIMES,
  ...["2026-11-30T09:00", "2026-12-01T10:30:00-05:00", "2026-03-08T02:30", "2026-11-01T01:30", "2027-06-30"],
  ...[
    "18:00",
    "2026-12-31T23:59:59Z",
    "0001-01-01T00:00",
    "9999-12-31T23:59",
    "2026-02-30T10:00",
    "+275760-09-13T00:00Z",
  ],
];
const GOOD_DATES = ["2026-11-30", "2026-12-24", "2026-11-30", "2027-01-15", "2026-11-29", "2026-12-01"];
const DATES = [
  ...GOOD_DATES,
  "2026-11-30",
  "2026-12-24",
  "2027-06-30",
  "2026-02-30",
  "0000-01-01",
  "9999-12-31",
  "-000001-01-01",
];
const GOOD_EMAILS = ["patient.one@example.test", "zoe@example.test"];
const EMAILS = [
  ...GOOD_EMAILS,
  ...GOOD_EMAILS,
  ...GOOD_EMAILS,
  "patient.one@example.test",
  "zoe@example.test",
  "a@b",
  "a b@example.test",
  `${"x".repeat(250)}@example.test`,
];
const CSV = [
  "name,email\nTest Patient,test@example.test\n",
  "name;email\n\n",
  'id,name\n1,"open',
  "﻿name,email\r\nZoé,\r\n",
];
const LIKELY: Readonly<Record<string, readonly unknown[]>> = {
  ...{
    start_time: TIMES,
    starts_at: TIMES,
    at: TIMES,
    from: [...GOOD_DATES, ...TIMES, ...DATES],
    to: [...GOOD_DATES, ...TIMES],
  },
  ...{ up_to: TIMES, expires_at: TIMES, until: DATES, invoice_date: DATES, expires_on: DATES, email: EMAILS, csv: CSV },
  ...{ currency: ["cad", "usd", "jpy", "kwd", "CAD", "xxx"], country: ["CA", "US", "ca", "ZZ"] },
  ...{
    subject: ["invoice:1", "consult:2", "patient:3", "course-access:4", "nothing"],
    limit: ["1", "5", "100", "0", "101"],
  },
  ...{ name: ["Test Person", "Zoé Sample", "田中", " "], key: ["k1", "k2", "k3", "k4", "k5", "k6"] },
  ...{
    value: ["plain", "12", "two words"],
    event: ["participant.added", "invoice.created", "membership.started", "nothing"],
  },
  ...{ kind: ["patients", "consults", "invoices"], cursor: ["WzFd", "WyJ4Il0", "W10", "bnVsbA", "WzEsMl0", "e30"] },
  ...{
    url: [
      { $pick: "inbox", at: 0 },
      { $pick: "inbox", at: 0 },
      "https://10.0.0.1/x",
      "https://[::1]/",
      "http://localhost/",
      "ftp://a",
    ],
  },
};

function text({ minLength = 0, maxLength = 40, pattern }: Schema, name: string): fc.Arbitrary<unknown> {
  const max = Math.min(maxLength, Math.max(minLength, 40));
  const anything = fc.string({ minLength, maxLength: max, unit: "grapheme" }).map((value) => value.slice(0, maxLength));
  const noun = name.endsWith("_id") ? NOUNS[name.slice(0, -3)] : undefined;
  const likely = LIKELY[name];
  if (noun !== undefined) return fc.oneof({ weight: 4, arbitrary: pick(noun) }, fc.constantFrom("1", "7"), anything);
  if (likely !== undefined) return fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...likely) }, anything);
  return pattern === undefined ? anything : fc.oneof(anything, fc.constantFrom("1", "12", "abc"));
}

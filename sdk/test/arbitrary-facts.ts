/** Facts of every event, made up by fast-check from the shapes, nasty strings and extreme numbers included. */
import fc from "fast-check";
import { EVENT_NAMES, type EventName } from "../src/catalogue.ts";
import { BLOCK_CHOICES, type DataChoice } from "../src/choice.ts";
import { FACTS_SHAPES, type Facts } from "../src/facts.ts";
import type { ConsultFacts } from "../src/payloads/consult.ts";
import type { Person } from "../src/payloads/persons.ts";
import type { ObjectShape, Shape } from "../src/shapes.ts";

/** Enough to see every effect of a list; splitting has its own generator. */
const LIST_MADE_MAX = 4;

export const CONSULT_EVENTS = ["participant.added", "consult.updated", "participant.removed"] as const;

/** All 9 choices. */
export const CHOICES: DataChoice[] = BLOCK_CHOICES.flatMap((practitioner) =>
  BLOCK_CHOICES.map((patient) => ({ practitioner, patient })),
);

export const choices: fc.Arbitrary<DataChoice> = fc.constantFrom(...CHOICES);

export const facts: fc.Arbitrary<Facts> = fc.constantFrom(...EVENT_NAMES).chain(factsOf);

function factsOf(event: EventName): fc.Arbitrary<Facts> {
  return made(FACTS_SHAPES[event]) as fc.Arbitrary<Facts>;
}

/** Consult facts with many participants, each carrying a mark that no other has: `<0>`, `<1>`, … */
export const crowdedConsults: fc.Arbitrary<ConsultFacts> = fc
  .tuple(fc.constantFrom(...CONSULT_EVENTS).chain(factsOf), fc.integer({ min: 1, max: 450 }))
  .map(([one, count]) => ({ ...(one as ConsultFacts), participants: Array.from({ length: count }, marked) }));

/** The mark is in the name and the address; the id has no other's digits followed by a comma. */
function marked(_: unknown, index: number): Person {
  return {
    id: 1_000_000 + index,
    name: `Member <${index}>`,
    email: index % 3 === 0 ? null : `<${index}>@example.test`,
  };
}

function made(shape: Shape): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case "object":
      return madeObject(shape);
    case "list":
      return fc.array(made(shape.of), { minLength: shape.minItems, maxLength: LIST_MADE_MAX });
    case "nullable":
      return fc.option(made(shape.of), { nil: null });
    case "when":
      return made(shape.of);
    case "oneOf":
      return fc.constantFrom(...shape.values);
    case "whole":
      return fc.integer({ min: 0, max: shape.max });
    case "text":
      return shape.isName ? name : fc.string({ unit: "grapheme", maxLength: 50 });
    default:
      return MADE[shape.kind];
  }
}

function madeObject(shape: ObjectShape): fc.Arbitrary<unknown> {
  const all = fc.record(Object.fromEntries(Object.entries(shape.keys).map(([key, of]) => [key, made(of)])));
  return all.map((value) => {
    for (const [key, of] of Object.entries(shape.keys)) {
      if (of.kind === "when" && value[of.key] !== of.value) delete value[key];
    }
    return value;
  });
}

const name = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 50 })
  .map((text) => text.trim() || "N")
  .filter((text) => text.length <= 300);

const instants = fc.date({
  min: new Date("2000-01-01T00:00:00Z"),
  max: new Date("2099-12-31T23:59:59Z"),
  noInvalidDate: true,
});

const MADE = {
  id: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  flag: fc.boolean(),
  money: fc.integer({ min: -99_999_999_999, max: 99_999_999_999 }).map((cents) => (cents === 0 ? 0 : cents / 100)),
  email: fc.constantFrom("one@example.test", "two+tag@example.test", "d'oh@example.test", "zoé@example.test"),
  currency: fc.constantFrom("cad", "usd", "jpy", "kwd"),
  date: instants.map((date) => date.toISOString().slice(0, 10)),
  time: fc
    .tuple(instants, fc.constantFrom("-05:00", "+05:45", "+00:00", "-03:30"))
    .map(([date, offset]) => date.toISOString().slice(0, 19) + offset),
} as const;

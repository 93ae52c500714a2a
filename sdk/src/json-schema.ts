/**
 * JSON Schema 2020-12 of what is sent, per event and data choice, derived from the same shapes as the body itself.
 *
 * Promises that every body `project` makes fits the schema of its event and choice, and that nothing with a key more or
 * less does.
 */
import { type EventName, eventDefinition } from "./catalogue.ts";
import { CURRENCY_PATTERN, DATE_PATTERN, EMAIL_PATTERN, TIME_PATTERN } from "./check.ts";
import type { DataChoice } from "./choice.ts";
import { bodyShape, PARTICIPANTS_PER_REQUEST_MAX } from "./project.ts";
import { EMAIL_MAX_CHARACTERS, MONEY_MAX_MAJOR_UNITS, type ObjectShape, type Shape } from "./shapes.ts";

/** A JSON Schema as a plain value. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** The schema of an event's body under a data choice, with the event's own words as title and description. */
export function jsonSchema(event: EventName, choice: DataChoice): JsonSchema {
  const { label, sentence, shape } = eventDefinition(event);
  const one = schemaOf(bodyShape(event, choice));
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: label.en,
    description: sentence.en,
    ...(shape === "consult" ? { type: "array", minItems: 1, maxItems: PARTICIPANTS_PER_REQUEST_MAX, items: one } : one),
  };
}

function schemaOf(shape: Shape): JsonSchema {
  switch (shape.kind) {
    case "object":
      return schemaOfObject(shape);
    case "list":
      return { type: "array", minItems: shape.minItems, maxItems: shape.maxItems, items: schemaOf(shape.of) };
    case "nullable":
      return { anyOf: [schemaOf(shape.of), { type: "null" }] };
    case "when":
      return schemaOf(shape.of);
    case "oneOf":
      return shape.values.length === 1 ? { const: shape.values[0] } : { enum: [...shape.values] };
    case "text":
      return { type: "string", ...(shape.isName ? { minLength: 1 } : {}), maxLength: shape.maxCharacters };
    case "whole":
      return { type: "integer", minimum: 0, maximum: shape.max };
    default:
      return { ...VALUE_SCHEMAS[shape.kind] };
  }
}

const VALUE_SCHEMAS = {
  id: { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
  flag: { type: "boolean" },
  money: { type: "number", minimum: -MONEY_MAX_MAJOR_UNITS, maximum: MONEY_MAX_MAJOR_UNITS },
  email: { type: "string", format: "idn-email", pattern: EMAIL_PATTERN, maxLength: EMAIL_MAX_CHARACTERS },
  currency: { type: "string", pattern: CURRENCY_PATTERN },
  date: { type: "string", format: "date", pattern: DATE_PATTERN },
  time: { type: "string", format: "date-time", pattern: TIME_PATTERN },
} as const satisfies Record<string, JsonSchema>;

function schemaOfObject(shape: ObjectShape): JsonSchema {
  const entries = Object.entries(shape.keys);
  const conditions = entries.flatMap(([key, of]) =>
    of.kind === "when"
      ? {
          if: { properties: { [of.key]: { const: of.value } } },
          // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema, in a value that is never awaited.
          then: { required: [key] },
          else: { properties: { [key]: false } },
        }
      : [],
  );
  return {
    type: "object",
    properties: Object.fromEntries(entries.map(([key, of]) => [key, schemaOf(of)])),
    required: entries.filter(([, of]) => of.kind !== "when").map(([key]) => key),
    additionalProperties: false,
    ...(conditions.length > 0 ? { allOf: conditions } : {}),
  };
}

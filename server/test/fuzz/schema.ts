/**
 * JSON Schema as the server's own description uses it, judged here by hand.
 *
 * Promises to know every word that the description uses and to throw at one that it does not, so that nothing passes
 * because it was not looked at. Independent of the library from which the description is made.
 */

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly items?: boolean | Schema;
  readonly prefixItems?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
}

const SILENT = new Set(["description", "title", "default", "examples", "format", "properties", "required"]);

/** Where and how a value is not as its schema says, or null where it is. */
export function mismatch(schema: Schema, value: unknown, place = ""): string | null {
  for (const [word, rule] of Object.entries(schema)) {
    if (SILENT.has(word)) continue;
    const check = WORDS[word as keyof Schema];
    if (check === undefined) throw new Error(`The description uses "${word}", which the fuzzer does not know.`);
    const found = check(rule as never, { schema, value, place });
    if (found !== null) return found;
  }
  return isObject(value) ? propertiesMismatch(schema, value, place) : null;
}

interface Look {
  readonly schema: Schema;
  readonly value: unknown;
  readonly place: string;
}
type Check = (rule: never, look: Look) => string | null;

function onNumber(holds: (value: number, bound: number) => boolean, words: string): Check {
  return (bound: number, { value, place }) =>
    typeof value !== "number" || holds(value, bound) ? null : `${place}: is not ${words} ${bound}`;
}

function onLength(kind: "text" | "list", holds: (length: number, bound: number) => boolean): Check {
  return (bound: number, { value, place }) => {
    const length = kind === "list" ? Array.isArray(value) && value.length : typeof value === "string" && value.length;
    return length === false || holds(length, bound) ? null : `${place}: has the length ${length}, not ${bound}`;
  };
}

function oneMatches(schemas: readonly Schema[], { value, place }: Look): string | null {
  const found = schemas.map((schema) => mismatch(schema, value, place));
  return found.includes(null) ? null : `${place}: none of ${schemas.length} fits, the first because of ${found[0]}`;
}

const WORDS: Partial<Record<keyof Schema, Check>> = {
  type: (types: string | readonly string[], { value, place }) =>
    [types].flat().some((type) => isOfType(type, value)) ? null : `${place}: is not ${[types].flat().join(" or ")}`,
  enum: (values: readonly unknown[], { value, place }) =>
    values.includes(value) ? null : `${place}: is none of the list`,
  const: (only: unknown, { value, place }) => (value === only ? null : `${place}: is not ${String(only)}`),
  anyOf: (schemas: readonly Schema[], look) => oneMatches(schemas, look),
  oneOf: (schemas: readonly Schema[], look) => oneMatches(schemas, look),
  pattern: (pattern: string, { value, place }) =>
    typeof value !== "string" || new RegExp(pattern, "u").test(value) ? null : `${place}: does not fit ${pattern}`,
  minLength: onLength("text", (length, bound) => length >= bound),
  maxLength: onLength("text", (length, bound) => length <= bound),
  minItems: onLength("list", (length, bound) => length >= bound),
  maxItems: onLength("list", (length, bound) => length <= bound),
  minimum: onNumber((value, bound) => value >= bound, "at least"),
  maximum: onNumber((value, bound) => value <= bound, "at most"),
  exclusiveMinimum: onNumber((value, bound) => value > bound, "above"),
  exclusiveMaximum: onNumber((value, bound) => value < bound, "below"),
  prefixItems: (schemas: readonly Schema[], { value, place }) =>
    Array.isArray(value)
      ? first(schemas, (schema, at) => (at < value.length ? mismatch(schema, value[at], `${place}.${at}`) : null))
      : null,
  items: (rule: boolean | Schema, { schema, value, place }) => {
    const rest = Array.isArray(value) ? value.slice(schema.prefixItems?.length ?? 0) : [];
    if (typeof rule === "boolean") return rule || rest.length === 0 ? null : `${place}: has too many items`;
    return first(rest, (item, at) => mismatch(rule, item, `${place}.${at}`));
  },
  propertyNames: (rule: Schema, { value, place }) =>
    isObject(value) ? first(Object.keys(value), (key) => mismatch(rule, key, `${place}.${key}`)) : null,
  additionalProperties: (rule: boolean | Schema, { schema, value, place }) => {
    const known = schema.properties ?? {};
    const others = isObject(value) ? Object.keys(value).filter((key) => !Object.hasOwn(known, key)) : [];
    if (rule === false) return others.length === 0 ? null : `${place}: has ${others.join(", ")} too many`;
    return rule === true ? null : first(others, (key) => mismatch(rule, (value as Fields)[key], `${place}.${key}`));
  },
};

function propertiesMismatch(schema: Schema, value: Fields, place: string): string | null {
  const missing = schema.required?.find((key) => !Object.hasOwn(value, key));
  if (missing !== undefined) return `${place}.${missing}: is missing`;
  return first(Object.entries(schema.properties ?? {}), ([key, property]) =>
    Object.hasOwn(value, key) ? mismatch(property, value[key], `${place}.${key}`) : null,
  );
}

function first<Item>(items: readonly Item[], check: (item: Item, at: number) => string | null): string | null {
  for (const [at, item] of items.entries()) {
    const found = check(item, at);
    if (found !== null) return found;
  }
  return null;
}

export type Fields = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOfType(type: string, value: unknown): boolean {
  if (type === "integer") return Number.isInteger(value);
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  return type === "object" ? isObject(value) : typeof value === type;
}

/** What may be wrong with a request: values that nobody expects, and where they are put. */
import fc from "fast-check";
import { isObject } from "./schema.ts";

/** What is done to a request that fitted. `at` chooses the place; places are counted when it is done. */
export type Damage =
  | { readonly kind: "none" | "unknown_query" | "wrong_method" }
  | { readonly kind: "drop"; readonly at: number }
  | { readonly kind: "add"; readonly at: number; readonly key: string; readonly value: unknown }
  | { readonly kind: "replace"; readonly at: number; readonly value: unknown }
  | { readonly kind: "foreign"; readonly at: number }
  | { readonly kind: "raw"; readonly how: RawDamage }
  | { readonly kind: "content_type"; readonly type: string };

type RawDamage = (typeof RAW)[number];
const RAW = ["cut_off", "words", "key_twice", "no_utf8", "utf16", "too_deep", "proto", "too_long", "nothing"] as const;

const DEEP: unknown = JSON.parse(`${"[".repeat(50)}${"]".repeat(50)}`);

/** Texts with what no keyboard writes, numbers past every range, and the wrong kinds. */
export const NASTY: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, [], {}, "", " ", [null], [[]], { a: {} }, DEEP),
  fc.constantFrom<unknown>(
    0,
    -1,
    0.1,
    -0,
    1e308,
    5e-324,
    2 ** 31,
    2 ** 53,
    2 ** 63,
    -(2 ** 63),
    1e21,
    9999999999999.99,
  ),
  fc.constantFrom<unknown>(
    "\0",
    "a\0b",
    "\ud800",
    "a\udfffb",
    "\u202eabc",
    "\ufeff",
    "a\u0301",
    "İ",
    "ß",
    "👩‍👩‍👧",
    "\u2028",
    "a\nb",
  ),
  fc.constantFrom<unknown>(
    "1",
    "-1",
    "1e3",
    "0x10",
    "NaN",
    "null",
    "true",
    "9007199254740993",
    "__proto__",
    "constructor",
  ),
  fc.constantFrom<unknown>("' or 1=1 --", "{{7*7}}", "<b>x</b>", "%00", "../../etc", "\\", "%", "_", "{}", "[]", "$1"),
  fc.constantFrom(100, 5_000, 70_000).map((length) => "é".repeat(length)),
  fc.constantFrom(20, 1_500).map((length) => Array.from({ length }, (_, at) => at)),
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.double(),
  fc.jsonValue({ maxDepth: 3 }),
);

/** As text in an address. */
export const NASTY_TEXT: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    "0",
    "-1",
    "1.5",
    "1e3",
    "9007199254740991",
    "9007199254740992",
    "99999999999999999999",
    "01",
    "+1",
    " 1",
  ),
  fc.constantFrom(
    "\0",
    "a\0b",
    "null",
    "undefined",
    "é",
    "👩‍👩‍👧",
    "'",
    '"',
    "%",
    "\\",
    "a/b",
    "a:b",
    "x".repeat(190),
    "__proto__",
  ),
  fc.constantFrom("00000000-0000-7000-8000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "msg_1"),
  fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 30 })
    .filter((text) => text.isWellFormed() && !/^\.{1,2}$/.test(text)),
);

const KEYS = ["surprise", "ID", "clinic_id", "id ", "constructor", "é", "", "$where", "toString", "a.b"];
const CONTENT_TYPES = [
  ...["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml"],
  ...["application/jsonp", "text/json", "application/json-patch+json"],
];
const at = fc.nat({ max: 1_000 });

export function damages(hasBody: boolean): fc.Arbitrary<Damage> {
  const simple = fc.constantFrom<Damage>({ kind: "unknown_query" }, { kind: "wrong_method" });
  const none = { weight: 5, arbitrary: fc.constant<Damage>({ kind: "none" }) };
  if (!hasBody) return fc.oneof(none, simple);
  return fc.oneof(
    none,
    simple,
    fc.record({ kind: fc.constant("drop" as const), at }),
    fc.record({ kind: fc.constant("foreign" as const), at }),
    fc.record({
      kind: fc.constant("add" as const),
      at,
      key: fc.constantFrom(...KEYS),
      value: fc.constantFrom(1, "x", null),
    }),
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("replace" as const), at, value: NASTY }) },
    fc.record({ kind: fc.constant("raw" as const), how: fc.constantFrom(...RAW) }),
    fc.record({ kind: fc.constant("content_type" as const), type: fc.constantFrom(...CONTENT_TYPES) }),
  );
}

type Path = readonly (string | number)[];

/** The body with the damage done to it; what is not about its content leaves it as it is. */
export function damaged(body: unknown, damage: Damage): unknown {
  if (damage.kind === "add") {
    const places = [[], ...pathsIn(body)].filter((path) => isPlain(valueAt(body, path)));
    return changeAt(body, chosen(places, damage.at), (value) => ({ ...(value as object), [damage.key]: damage.value }));
  }
  if (damage.kind === "drop") {
    const path = chosen(
      pathsIn(body).filter((place) => typeof place.at(-1) === "string"),
      damage.at,
    );
    const key = path?.at(-1);
    return changeAt(body, path?.slice(0, -1), (value) =>
      Object.fromEntries(Object.entries(value as object).filter(([name]) => name !== key)),
    );
  }
  if (damage.kind === "replace") return changeAt(body, chosen([[], ...pathsIn(body)], damage.at), () => damage.value);
  if (damage.kind === "foreign") {
    const places = pathsIn(body).filter((path) => isPick(valueAt(body, path)));
    return changeAt(body, chosen(places, damage.at), (value) => ({ ...(value as object), $pick: foreignOf(value) }));
  }
  return body;
}

/** Another clinic's ids of the same kind. */
function foreignOf(value: unknown): string {
  return `foreign ${(value as { $pick: string }).$pick}`;
}

export function isPick(value: unknown): value is { readonly $pick: string; readonly at: number } {
  return isObject(value) && typeof value.$pick === "string";
}

function isPlain(value: unknown): boolean {
  return isObject(value) && !isPick(value);
}

function chosen(paths: readonly Path[], place: number): Path | undefined {
  return paths.length === 0 ? undefined : paths[place % paths.length];
}

/** Every place in a value but its root. */
function pathsIn(value: unknown): Path[] {
  if (typeof value !== "object" || value === null || isPick(value)) return [];
  const keys: (string | number)[] = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return keys.flatMap((key) => [[key], ...pathsIn(valueAt(value, [key])).map((path) => [key, ...path])]);
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce((inner, key) => (inner as Record<string | number, unknown>)[key], value);
}

function changeAt(value: unknown, path: Path | undefined, change: (value: unknown) => unknown): unknown {
  if (path === undefined) return value;
  const [key, ...rest] = path;
  if (key === undefined) return change(value);
  const changed = changeAt(valueAt(value, [key]), rest, change);
  if (Array.isArray(value)) return value.with(key as number, changed);
  return { ...(value as object), [key]: changed };
}

/** The bytes of a body, broken on purpose. */
export function rawBody(body: unknown, how: RawDamage): Buffer {
  const text = JSON.stringify(body) ?? "";
  switch (how) {
    case "cut_off":
      return Buffer.from(text.slice(0, -1));
    case "words":
      return Buffer.from("please do it");
    case "key_twice":
      return Buffer.from('{"name":"a","name":"b"}');
    case "no_utf8":
      return Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]);
    case "utf16":
      return Buffer.from(text, "utf16le");
    case "too_deep":
      return Buffer.from("[".repeat(100_000));
    case "proto":
      return Buffer.from('{"__proto__":{"role":"manager"}}');
    case "too_long":
      return Buffer.from(JSON.stringify({ name: "x".repeat(9 * 1024 * 1024) }));
    case "nothing":
      return Buffer.alloc(0);
  }
}

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProblemError } from "../errors.ts";
import { parseStrictJson } from "./json.ts";

const parse = (text: string, keysMax?: number) => parseStrictJson(Buffer.from(text), keysMax);
/** The sentence of the refusal, or null. */
function refusal(text: string, keysMax?: number): string | null {
  try {
    parse(text, keysMax);
    return null;
  } catch (error) {
    if (error instanceof ProblemError) return error.title;
    throw error;
  }
}

describe("strict JSON", () => {
  it("is what JSON.parse makes of it, for every value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        if (!text.includes("__proto__")) expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ['{"a":1,"a":1}', "a"],
    ['{"a":1,"\\u0061":2}', "a"],
    ['[{"b":{"c":[{"d":1,"e":"}","d":2}]}}]', "d"],
    ['{"\\\\\\"":1,"\\\\\\"":2}', "\\"],
  ])("refuses a key that stands twice in one object, and names it: %s", (text, key) => {
    expect(refusal(text)).toContain(`the key "${key}`);
  });

  it.each(['{"a:b":"{:","c":["a:1,",{"a:b":1}]}', '[{"a":1},{"a":1}]', '{"a":{"a":{"a":"\\\\"}}}', '":"', "[]"])(
    "takes colons in strings and equal keys of several objects: %s",
    (text) => expect(refusal(text)).toBeNull(),
  );

  it("refuses __proto__, however it is written, and too many keys", () => {
    expect(refusal('{"__proto__":1}')).toContain("__proto__");
    expect(refusal('{"\\u005f_proto__":1}')).toContain("__proto__");
    expect(refusal('{"a":1,"b":2}', 2)).toBeNull();
    expect(refusal('{"a":1,"b":2}', 1)).toContain("more than 1 keys");
  });
});

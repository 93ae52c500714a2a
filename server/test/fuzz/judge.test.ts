/** The fuzzer's judge sees what it is there for: each of these answers is wrong in one way, and it says so. */
import { describe, expect, it } from "vitest";
import { type Asked, broken } from "./judge.ts";
import type { Schema } from "./schema.ts";

const THING: Schema = {
  type: "object",
  properties: { id: { type: "integer", minimum: 1 }, name: { type: "string", maxLength: 5 } },
  required: ["id"],
  additionalProperties: false,
};
const PROBLEM: Schema = {
  type: "object",
  required: ["status", "code", "detail"],
  properties: { errors: { type: "array", items: { type: "object", required: ["field", "message"] } } },
};
const OPERATION = {
  ...{ id: "post_things", method: "POST", path: "/v1/things", parameters: [], body: THING, needsBody: true },
  ...{ answers: { "201": THING }, isOpen: false, takesKeys: false, isForPrograms: false },
};
const DESCRIPTION = {
  operations: [OPERATION],
  problem: PROBLEM,
  methods: new Map([["/v1/things", new Set(["POST"])]]),
};

function judged(status: number, body: unknown, asked: Partial<Asked> = {}, headers: Record<string, string> = {}) {
  const type = status < 400 ? "application/json" : "application/problem+json";
  const request: Asked = {
    ...{
      operation: OPERATION,
      caller: "manager",
      method: "POST",
      damage: { kind: "none" },
      query: {},
      body: { id: 1 },
    },
    ...asked,
  };
  const answer = { status, headers: new Headers({ "content-type": type, ...headers }), text: JSON.stringify(body) };
  return broken(request, answer, DESCRIPTION).join("; ");
}

const refusal = (status: number, errors?: object[]) => ({
  ...{ status, code: "invalid_request", detail: "This is not possible here. Do it so." },
  ...(errors && { errors }),
});
const MISSING = [{ field: "id", message: "This field is missing. Add it." }];

describe("the judge", () => {
  it("has nothing to say of a good answer or a good refusal", () => {
    expect(judged(201, { id: 7, name: "a" })).toBe("");
    expect(judged(400, refusal(400, MISSING), { body: {} })).toBe("");
    expect(judged(405, refusal(405), { method: "GET", damage: { kind: "wrong_method" } }, { allow: "POST" })).toBe("");
  });

  it.each([
    ["a fault of the server", judged(500, {}), /^answered 500/],
    ["an answer that lacks a field", judged(201, { name: "a" }), /201 is not as described: \.id: is missing/],
    ["an answer with a field too many", judged(201, { id: 1, secret: "x" }), /secret too many/],
    ["a value that is too long", judged(201, { id: 1, name: "abcdef" }), /has the length 6/],
    ["a status that is not described", judged(200, { id: 1 }), /which is not described/],
    ["another clinic's data", judged(201, { id: 1, name: "Quokka-Foreign" }), /another clinic's data/],
    ["a missing field that was taken", judged(201, { id: 1 }, { body: {} }), /id: is missing: accepted with 201/],
    ["an unknown field that was taken", judged(201, { id: 1 }, { body: { id: 1, x: 1 } }), /x too many: accepted/],
    [
      "a refusal that names another field",
      judged(400, refusal(400, [{ ...MISSING[0], field: "name" }]), { body: {} }),
      /id is not named/,
    ],
    ["a refusal that names no field", judged(400, refusal(400)), /names no field/],
    [
      "a refusal without a remedy",
      judged(400, refusal(400, [{ field: "id", message: "Invalid input" }])),
      /without a remedy/,
    ],
    ["a refusal that is no document", judged(400, { message: "no" }), /no problem document/],
    ["nobody who gets an answer", judged(201, { id: 1 }, { caller: "nobody" }), /no credential: accepted/],
    ["a key without the scope", judged(404, refusal(404), { caller: "feed_key" }), /without the scope: answered 404/],
    [
      "another method that is taken",
      judged(201, { id: 1 }, { damage: { kind: "wrong_method" } }),
      /another method: accepted/,
    ],
    [
      "405 without the methods",
      judged(405, refusal(405), { method: "GET", damage: { kind: "wrong_method" } }),
      /Allow leaves out POST/,
    ],
    ["429 without the time", judged(429, refusal(429)), /429 without Retry-After/],
  ])("says it of %s", (_, said, expected) => {
    expect(said).toMatch(expected);
  });

  it("does not pass over a word of JSON Schema that it does not know", () => {
    const operation = { ...OPERATION, answers: { "201": { uniqueItems: true } as Schema } };
    expect(() => judged(201, {}, { operation })).toThrow(/uniqueItems/);
  });
});

import { expect, test } from "vitest";
import { conflict, forbidden, invalid, invalidFields, notFound, ProblemError, together } from "./errors.ts";

test("each kind of refusal has its status, its code, and names field and remedy", () => {
  const problems = [
    invalid("capacity", "Choose fewer places.", "capacity_range"),
    notFound("consult 17"),
    conflict("consult_cancelled", "This consult is cancelled. Restore it first.", "status"),
    forbidden("Only a manager may change webhooks."),
  ];
  expect(
    problems.map(({ status, code, message, fields }) => ({
      status,
      code,
      message,
      fields: fields.map((f) => f.field),
    })),
  ).toEqual([
    { status: 400, code: "invalid_request", message: "capacity: Choose fewer places.", fields: ["capacity"] },
    {
      status: 404,
      code: "not_found",
      message: expect.stringMatching(/^The consult 17 was not found\. Check the id/),
      fields: [],
    },
    {
      status: 409,
      code: "consult_cancelled",
      message: "This consult is cancelled. Restore it first.",
      fields: ["status"],
    },
    { status: 403, code: "forbidden", message: "Only a manager may change webhooks.", fields: [] },
  ]);
});

test("a refusal that names a field says in the field, too, which it is", () => {
  expect(conflict("already_invited", "This person is invited already.", "email").fields).toEqual([
    { field: "email", message: "This person is invited already.", code: "already_invited" },
  ]);
  expect(notFound("the patient", "patient_id").fields[0]?.code).toBe("not_found");
});

test("what is not found is named with its article, and the remedy is one for how it was looked for", () => {
  expect(notFound("delivery").message).toBe(notFound("the delivery").message);
  expect(notFound("the gift certificate", "code", "Check the code.").message).toBe(
    "The gift certificate was not found. Check the code.",
  );
});

test("fields that are checked together are refused together, and what is no bad input goes through at once", () => {
  const bad = (field: string) => () => {
    throw invalid(field, "Choose another one.", "invalid");
  };
  expect(together({ a: () => 1, b: () => "two" })).toEqual({ a: 1, b: "two" });
  expect(() => together({ a: bad("a"), b: () => 1, c: bad("c") })).toThrow(
    /^a: Choose another one\. c: Choose another/,
  );
  expect(() => together({ a: bad("a"), b: () => Promise.reject.call(null, 1) })).toThrow(TypeError);
});

test("all wrong fields are named at once", () => {
  const problem = invalidFields([
    { field: "url", message: "Give an address." },
    { field: "events", message: "Choose at least one." },
  ]);
  expect(problem.fields).toHaveLength(2);
  expect(problem.title).toBe("url: Give an address. events: Choose at least one.");
});

test("a code that programs cannot switch on is a bug", () => {
  expect(() => new ProblemError({ status: 400, code: "Not A Slug", title: "x" })).toThrow(TypeError);
});

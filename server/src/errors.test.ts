import { expect, test } from "vitest";
import { conflict, forbidden, invalid, invalidFields, notFound, ProblemError } from "./errors.ts";

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
      message: expect.stringMatching(/^Consult 17 was not found\. Check the id/),
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

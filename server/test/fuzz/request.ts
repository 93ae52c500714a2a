/** Whole requests to one operation: who asks, with which path, query, headers and body, and what is wrong with it. */
import fc from "fast-check";
import { type Damage, damages, NASTY_TEXT } from "./damage.ts";
import type { Operation, Parameter } from "./description.ts";
import { fitting, pick } from "./values.ts";

export const CALLERS = ["manager", "front_desk", "feed_key", "pull_key", "embed_key", "bad_key", "nobody"] as const;
export type CallerName = (typeof CALLERS)[number];

/** A request as it was planned; ids are still to be chosen. */
export interface Plan {
  readonly caller: CallerName;
  /** by name, for the braces in the path */
  readonly path: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly idempotencyKey: string | null;
  readonly body: unknown;
  readonly damage: Damage;
  /** one of the methods that the path does not have, where the damage is that */
  readonly methodAt: number;
}

/** Arbitrary requests to the operation. */
export function requests(operation: Operation): fc.Arbitrary<Plan> {
  const { body, method, parameters } = operation;
  return fc.record({
    caller: callers(operation),
    path: fc.record(named(parameters, "path", (parameter) => pathPart(operation.path, parameter.name))),
    query: queries(parameters),
    idempotencyKey: method === "POST" ? idempotencyKeys : fc.constant(null),
    body: body === null ? fc.constant(undefined) : fitting(body),
    damage: damages(body !== null),
    methodAt: fc.nat({ max: 10 }),
  });
}

/** Often only what is needed, as in bodies. */
function queries(parameters: readonly Parameter[]): fc.Arbitrary<Record<string, unknown>> {
  const needed = parameters.filter(({ required }) => required);
  const only = fc.record(
    named(needed, "query", ({ name, schema }) => fitting(schema, name)),
    { noNullPrototype: true },
  );
  const any = fc.record(named(parameters, "query", queryPart), { requiredKeys: [] as never[], noNullPrototype: true });
  return fc.oneof(only, any);
}

function callers({ takesKeys }: Operation): fc.Arbitrary<CallerName> {
  const others = fc.constantFrom<CallerName>("front_desk", "bad_key", "nobody", "feed_key", "pull_key", "embed_key");
  const programs = fc.constantFrom<CallerName>("feed_key", "pull_key", "embed_key");
  const manager = { weight: 8, arbitrary: fc.constant<CallerName>("manager") };
  return fc.oneof(manager, others, { weight: takesKeys ? 6 : 0, arbitrary: programs });
}

function named(parameters: readonly Parameter[], kind: string, of: (parameter: Parameter) => fc.Arbitrary<unknown>) {
  return Object.fromEntries(parameters.filter((one) => one.in === kind).map((one) => [one.name, of(one)]));
}

/** `/v1/consults/{id}` means a consult, `{patient_id}` a patient, wherever it stands. */
function pathPart(path: string, name: string): fc.Arbitrary<unknown> {
  const before = path.split(`/{${name}}`)[0]?.split("/").at(-1) ?? "";
  const noun = PATH_NOUNS[name] ?? before;
  return fc.oneof({ weight: 8, arbitrary: pick(noun) }, pick(`foreign ${noun}`), NASTY_TEXT);
}

const PATH_NOUNS: Readonly<Record<string, string>> = {
  ...{ patient_id: "patients", line_item_id: "line_items", payment_id: "payments", recovery_id: "recover" },
};

function queryPart({ name, schema }: Parameter): fc.Arbitrary<unknown> {
  const twice = NASTY_TEXT.map((text) => [text, text]);
  return fc.oneof({ weight: 7, arbitrary: fitting(schema, name) }, { weight: 2, arbitrary: NASTY_TEXT }, twice);
}

const idempotencyKeys = fc.oneof(
  { weight: 8, arbitrary: fc.constant(null) },
  fc.constantFrom("a-key", "b-key", "!", "x".repeat(128)),
  fc.constantFrom("x".repeat(129), "two words", "é"),
);

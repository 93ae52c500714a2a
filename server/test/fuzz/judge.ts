/**
 * What must hold for every answer, whatever was asked. Says each broken promise in a sentence; an empty list is a good answer.
 */
import type { Damage } from "./damage.ts";
import type { Description, Operation } from "./description.ts";
import type { CallerName } from "./request.ts";
import { isObject, mismatch } from "./schema.ts";
import { type Answer, FOREIGN_CANARY } from "./server.ts";

/** A request as it was sent, with what is known of it. */
export interface Asked {
  readonly operation: Operation;
  readonly caller: CallerName;
  readonly method: string;
  readonly damage: Damage;
  readonly query: Readonly<Record<string, unknown>>;
  /** null where the bytes sent are no JSON */
  readonly body: unknown;
}

interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly { readonly field: string; readonly message: string; readonly code?: string }[];
}

/** A library's words, which name no remedy. */
const RAW_WORDS = /^(Invalid|Too (small|big)|Unrecognized|Expected|Required)|, received |[<>]=|undefined|NaN/;
const SENTENCE = /^\p{Lu}.{8,}[.!?]$/su;

/** The promises that the answer breaks. */
export function broken(asked: Asked, answer: Answer, description: Description): string[] {
  const found: string[] = [];
  const { status, text } = answer;
  if (status >= 500) return [`answered ${status}: ${text.slice(0, 300)}`];
  if (text.includes(FOREIGN_CANARY)) found.push("shows another clinic's data");
  if (status >= 400) {
    const problem = parse(text);
    const wrong = mismatch(description.problem, problem);
    if (wrong !== null) return [...found, `refused with ${status} and no problem document (${wrong})`];
    found.push(
      ...badProblem(answer, problem as Problem),
      ...badRefusal(asked, answer, problem as Problem, description),
    );
  } else {
    found.push(...badSuccess(asked, answer));
  }
  return found;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Holds for every refusal. */
function badProblem({ status, headers }: Answer, problem: Problem): string[] {
  const found: string[] = [];
  const type = headers.get("content-type") ?? "";
  if (!type.startsWith("application/problem+json")) found.push(`a refusal of the type ${type}`);
  if (problem.status !== status) found.push(`the document says ${problem.status}, the answer ${status}`);
  if (!SENTENCE.test(problem.detail) && problem.errors === undefined) found.push(`no sentence: ${problem.detail}`);
  if (status === 429 && !headers.has("retry-after")) found.push("429 without Retry-After");
  for (const { field, message } of problem.errors ?? []) {
    if (!SENTENCE.test(message) || RAW_WORDS.test(message))
      found.push(`${field} is refused without a remedy: ${message}`);
  }
  if (problem.code === "invalid_request" && status === 400 && problem.errors === undefined) {
    found.push(`400 names no field: ${problem.detail}`);
  }
  return found;
}

/** The refusal that was due, and not another one. */
function badRefusal(asked: Asked, answer: Answer, problem: Problem, description: Description): string[] {
  const due = refusalDue(asked);
  if (answer.status === 405) return badAllow(asked, answer, description);
  if (due === null || answer.status === 429) return [];
  if (!due.statuses.includes(answer.status)) return [`${due.because}: answered ${answer.status} (${problem.code})`];
  if (due.field === undefined || answer.status !== 400) return [];
  const isNamed = problem.errors?.some(({ field }) => field === due.field || field.endsWith(`.${due.field}`)) ?? false;
  return isNamed ? [] : [`${due.because}: ${due.field} is not named, but ${problem.errors?.map(({ field }) => field)}`];
}

function badAllow({ operation, method }: Asked, { headers }: Answer, { methods }: Description): string[] {
  const allow = (headers.get("allow") ?? "").split(", ").filter((one) => one !== "HEAD");
  const real = [...(methods.get(operation.path) ?? [])];
  if (real.includes(method)) return [`405 for ${method}, which is described`];
  const missing = real.filter((one) => !allow.includes(one));
  return missing.length === 0 ? [] : [`Allow leaves out ${missing.join(", ")}`];
}

interface Due {
  readonly because: string;
  readonly statuses: readonly number[];
  /** the last part of the field that must be named */
  readonly field?: string;
}

/** What must be refused and how; null where both are possible. In the order in which the server looks. */
function refusalDue(asked: Asked): Due | null {
  const { caller, damage, operation } = asked;
  if (damage.kind === "wrong_method") return { because: "another method", statuses: [405] };
  if (!operation.isOpen && (caller === "nobody" || caller === "bad_key")) {
    return { because: "no credential", statuses: [401] };
  }
  if (!operation.isOpen && (caller !== "manager" || operation.isForPrograms)) return programDue(asked);
  return contentDue(asked, []);
}

/** Who is not a manager may be turned away before anything else is looked at. */
function programDue(asked: Asked): Due | null {
  const isProgram = asked.caller.endsWith("_key");
  if (isProgram && !asked.operation.takesKeys) return { because: "a key without the scope", statuses: [403] };
  return contentDue(asked, [403]);
}

function contentDue({ operation, damage, query, body }: Asked, also: readonly number[]): Due | null {
  if (damage.kind === "content_type") return { because: "a wrong content type", statuses: [415, ...also] };
  if (damage.kind === "raw" && damage.how === "nothing" && !operation.needsBody) return null;
  if (damage.kind === "raw") return { because: `a body that is ${damage.how}`, statuses: [400, 413, ...also] };
  if (damage.kind === "unknown_query" && !operation.isOpen) {
    return {
      because: "an unknown parameter",
      statuses: [400, ...also],
      ...(operation.body === null && { field: "surprise" }),
    };
  }
  const wrong = queryMismatch(operation, query) ?? (operation.body === null ? null : mismatch(operation.body, body));
  if (wrong === null) return null;
  const due = { because: wrong, statuses: [400, 413, ...also] };
  if (damage.kind === "add" && wrong.endsWith("too many")) return { ...due, field: damage.key };
  const [, missing] = /^[^: ]*\.([a-z_]+): is missing$/.exec(wrong) ?? [];
  return missing === undefined ? due : { ...due, field: missing };
}

function queryMismatch({ parameters }: Operation, query: Asked["query"]): string | null {
  for (const { name, in: where, required, schema } of parameters) {
    if (where !== "query") continue;
    if (!Object.hasOwn(query, name)) {
      if (required) return `.${name}: is missing`;
      continue;
    }
    const wrong = mismatch(schema, query[name], `?${name}`);
    if (wrong !== null) return wrong;
  }
  return null;
}

function badSuccess(asked: Asked, { status, headers, text }: Answer): string[] {
  const due = refusalDue(asked);
  if (due !== null) return [`${due.because}: accepted with ${status}`];
  const { answers } = asked.operation;
  if (!Object.hasOwn(answers, status)) return [`answered ${status}, which is not described`];
  const schema = answers[status] ?? null;
  if (schema === null) return [];
  if (!(headers.get("content-type") ?? "").startsWith("application/json")) return ["JSON is described, but not sent"];
  const body = parse(text);
  const wrong = mismatch(schema, body);
  if (wrong !== null) return [`${status} is not as described: ${wrong}`];
  return isObject(body) || Array.isArray(body) || body === null ? [] : ["a bare value"];
}

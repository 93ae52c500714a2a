/** The server's own description, as a list of operations. */
import { isObject, type Schema } from "./schema.ts";

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly schema: Schema;
}

export interface Operation {
  readonly id: string;
  /** in capitals */
  readonly method: string;
  /** with its parameters in braces */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** null where it takes no body */
  readonly body: Schema | null;
  readonly needsBody: boolean;
  /** per documented status; null where that answer has no JSON */
  readonly answers: Readonly<Record<string, Schema | null>>;
  readonly isOpen: boolean;
  readonly takesKeys: boolean;
  /** No person may call it. */
  readonly isForPrograms: boolean;
}

export interface Description {
  readonly operations: readonly Operation[];
  readonly problem: Schema;
  /** the methods of each path */
  readonly methods: ReadonlyMap<string, ReadonlySet<string>>;
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>;

interface Described {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
  readonly security?: readonly object[];
}

/** Throws where it is not a description as openapi.ts makes it. */
export function readDescription(document: unknown): Description {
  if (!isObject(document) || !isObject(document.paths)) throw new Error("The server's description has no paths.");
  const paths = document.paths as Record<string, Record<string, Described>>;
  const { schemas } = document.components as { schemas: { Problem: Schema } };
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, described]) => toOperation(path, method.toUpperCase(), described)),
  );
  const methods = new Map(operations.map(({ path }) => [path, new Set<string>()]));
  for (const { path, method } of operations) methods.get(path)?.add(method);
  return { operations, problem: schemas.Problem, methods };
}

function toOperation(path: string, method: string, described: Described): Operation {
  const { operationId, parameters = [], requestBody, responses, security } = described;
  const answers = Object.entries(responses)
    .filter(([status]) => status !== "default")
    .map(([status, { content }]) => [status, content?.["application/json"]?.schema ?? null] as const);
  return {
    ...{ id: operationId, method, path, parameters },
    body: requestBody?.content["application/json"]?.schema ?? null,
    needsBody: requestBody?.required ?? false,
    answers: Object.fromEntries(answers),
    isOpen: security?.length === 0,
    takesKeys: security?.some((way) => "key" in way) ?? false,
    isForPrograms: (security?.length ?? 0) > 0 && security?.every((way) => "key" in way) === true,
  };
}

/**
 * Requests made up from the server's own description, sent to it and judged (judge.ts).
 *
 * Promises that the same seed asks the same things in the same order, and that a fault is told with the smallest request
 * that still shows it. Ends after `rounds` or `seconds`, whichever comes first.
 */
import fc from "fast-check";
import { damaged, isPick, rawBody } from "./damage.ts";
import { type Description, type Operation, readDescription } from "./description.ts";
import { type Asked, broken } from "./judge.ts";
import { type Plan, requests } from "./request.ts";
import { isObject } from "./schema.ts";
import type { FuzzServer, Sent } from "./server.ts";

export interface FuzzOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly requestsPerRound: number;
  readonly seconds?: number;
  /** the operationId of the only one to be asked */
  readonly only?: string;
}

export interface FuzzReport {
  readonly requests: number;
  readonly operations: number;
  /** how often each status was answered */
  readonly statuses: Readonly<Record<string, number>>;
  /** operations that never did what they are for */
  readonly neverDone: readonly string[];
  readonly faults: readonly string[];
}

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];
/** For making a failing request smaller; each attempt is a request. */
const SHRINKING_MS = 5_000;

/** Sends until the bound is reached; each operation's first fault is kept, and the operation left alone after it. */
export async function fuzz(server: FuzzServer, options: FuzzOptions): Promise<FuzzReport> {
  const description = readDescription(await server.description());
  const run = new Run(server, description);
  const chosen = description.operations.filter(({ id }) => options.only === undefined || id === options.only);
  const endsAt = performance.now() + (options.seconds ?? Number.POSITIVE_INFINITY) * 1_000;
  const faults = new Map<string, string>();
  await run.lookAround();
  for (let round = 0; round < options.rounds && performance.now() < endsAt; round += 1) {
    for (const operation of chosen.filter(({ id }) => !faults.has(id))) {
      if (performance.now() >= endsAt) break;
      const seed = options.seed + round;
      const fault = await run.ask(operation, { seed, numRuns: options.requestsPerRound });
      if (fault !== null) faults.set(operation.id, `${operation.id}, seed ${seed}: ${fault}`);
    }
  }
  const neverDone = chosen.filter(({ id }) => !run.done.has(id)).map(({ id }) => id);
  const statuses = Object.fromEntries(run.statuses);
  return { requests: run.count, operations: chosen.length, statuses, neverDone, faults: [...faults.values()] };
}

class Run {
  count = 0;
  readonly statuses = new Map<number, number>();
  readonly done = new Set<string>();
  readonly #server: FuzzServer;
  readonly #description: Description;

  constructor(server: FuzzServer, description: Description) {
    this.#server = server;
    this.#description = description;
  }

  /** Reads every list, so that what the demo has can be asked for from the first request on. */
  async lookAround(): Promise<void> {
    const lists = this.#description.operations.filter(({ method, path }) => method === "GET" && !path.includes("{"));
    for (const { path } of lists) {
      const credential = await this.#server.credential("manager");
      const answer = await this.#server.send({ method: "GET", path, headers: credential, body: null });
      if (answer.status === 200 && answer.text.startsWith("{")) this.#server.learn(path, JSON.parse(answer.text));
    }
  }

  /** Null, or the fault with its smallest request. */
  async ask(operation: Operation, bounds: { seed: number; numRuns: number }): Promise<string | null> {
    let smallest = "";
    let failedAtMs = 0;
    const property = fc.asyncProperty(requests(operation), async (plan) => {
      if (failedAtMs > 0 && performance.now() - failedAtMs > SHRINKING_MS) return;
      const fault = await this.#try(operation, plan);
      if (fault === null) return;
      failedAtMs ||= performance.now();
      smallest = fault;
      throw new Error(fault);
    });
    const { failed, errorInstance } = await fc.check(property, bounds);
    // What is no judgement of ours is a fault of the fuzzer, or of the connection.
    if (failed && smallest === "") throw new Error(`${operation.id} could not be asked`, { cause: errorInstance });
    return failed ? smallest : null;
  }

  async #try(operation: Operation, plan: Plan): Promise<string | null> {
    const made = this.#make(operation, plan);
    if (made === null) return null;
    const { asked, sent } = made;
    const credential = operation.isOpen ? {} : await this.#server.credential(plan.caller);
    const answer = await this.#server.send({ ...sent, headers: { ...sent.headers, ...credential } });
    this.count += 1;
    this.statuses.set(answer.status, (this.statuses.get(answer.status) ?? 0) + 1);
    if (answer.status < 300) {
      this.done.add(operation.id);
      if (answer.text.startsWith("{")) this.#server.learn(operation.path, JSON.parse(answer.text));
    }
    const found = broken(asked, answer, this.#description);
    return found.length === 0 ? null : tell(plan, sent, found);
  }

  #make(operation: Operation, plan: Plan): { asked: Asked; sent: Sent } | null {
    const { damage, caller } = plan;
    const body = asJson(this.#choose(damaged(plan.body, damage)));
    const query = this.#choose(plan.query) as Record<string, unknown>;
    const params = this.#choose(plan.path) as Record<string, unknown>;
    if (operation.method === "DELETE" && this.#server.isKept(operation.path, params.id)) return null;
    const method = damage.kind === "wrong_method" ? this.#otherMethod(operation, plan.methodAt) : operation.method;
    if (method === null) return null;
    const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params[name])));
    const asked = { operation, caller, method, damage, query: asTexts(query), body };
    return { asked, sent: { method, path: path + search(query, damage.kind), ...content(operation, plan, body) } };
  }

  #otherMethod({ path }: Operation, at: number): string | null {
    const has = new Set(
      [...this.#description.methods].filter(([other]) => canMean(other, path)).flatMap(([, m]) => [...m]),
    );
    const others = METHODS.filter((method) => !has.has(method));
    return others[at % others.length] ?? null;
  }

  /** Ids for what was only named; a noun of which none is known yet gives an id that none has. */
  #choose(value: unknown): unknown {
    if (isPick(value)) {
      const known = this.#server.ids.get(value.$pick) ?? [];
      return known[value.at % known.length] ?? 987_654;
    }
    if (Array.isArray(value)) return value.map((item) => this.#choose(item));
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, this.#choose(inner)]));
  }
}

/** `/v1/webhooks/check-url` is also an address of the form `/v1/webhooks/{id}`. */
function canMean(pattern: string, path: string): boolean {
  return new RegExp(`^${pattern.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(path);
}

/** As it arrives: what JSON does not know, such as NaN, is null there. */
function asJson(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

/** Numbers become texts in an address. */
function asTexts(query: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => [name, Array.isArray(value) ? value.map(String) : String(value)]),
  );
}

function search(query: Readonly<Record<string, unknown>>, damage: string): string {
  const pairs = Object.entries(query).flatMap(([name, value]) => [value].flat().map((one) => [name, String(one)]));
  if (damage === "unknown_query") pairs.push(["surprise", "1"]);
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs).toString()}`;
}

function content(
  operation: Operation,
  { damage, idempotencyKey }: Plan,
  body: unknown,
): Pick<Sent, "headers" | "body"> {
  const headers: Record<string, string> = idempotencyKey === null ? {} : { "idempotency-key": idempotencyKey };
  const isAnother = damage.kind === "wrong_method";
  if (operation.body === null || body === undefined || isAnother) return { headers, body: null };
  headers["content-type"] = damage.kind === "content_type" ? damage.type : "application/json";
  return { headers, body: damage.kind === "raw" ? rawBody(body, damage.how) : Buffer.from(JSON.stringify(body)) };
}

const TOLD_MAX_CHARACTERS = 600;

function tell({ caller, damage }: Plan, { method, path, headers, body }: Sent, found: readonly string[]): string {
  const key = headers["idempotency-key"] === undefined ? "" : ` (Idempotency-Key ${headers["idempotency-key"]})`;
  const request = `${method} ${path}${key} ${body?.toString("utf8") ?? ""}`.slice(0, TOLD_MAX_CHARACTERS);
  return `${found.join("; ")}\n    ${caller}, ${damage.kind}: ${request}`;
}

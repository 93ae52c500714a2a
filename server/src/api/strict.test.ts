/** What a route does not know is refused and named, on every route of the API's own description, with real requests. */
import { sampleFacts } from "@hookwell/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Caller, startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";
import { embedKey, withToken } from "../../test/embed.ts";

// biome-ignore lint/suspicious/noExplicitAny: a description is plain JSON
type Json = any;

let api: TestApi;
let clinic: TestClinic;
let program: Caller;
let routes: { method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE"; path: string; pattern: string; operation: Json }[];

beforeAll(async () => {
  api = await startTestApi();
  clinic = await api.newClinic();
  program = withToken(api, (await embedKey(clinic)).key);
  const { paths } = (await api.anonymous("/openapi.json")).json as Json;
  routes = Object.entries<Json>(paths)
    .filter(([path]) => path.startsWith("/v1/"))
    .flatMap(([path, item]) =>
      Object.entries<Json>(item).map(([method, operation]) => ({
        ...{ method: method.toUpperCase() as never, operation, pattern: path },
        path: path.replaceAll(/\{\w+\}/g, "1"),
      })),
    );
});
afterAll(() => api.close());

/** Whoever gets as far as being read: a manager, and a program where no person may call. */
const callerOf = ({ operation }: { operation: Json }): Caller =>
  operation.security?.every((one: Json) => "key" in one) ? program : clinic.as.manager;

/** Paths of objects in a schema that would take any further field. */
function open(schema: Json, path: string): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  if (Array.isArray(schema)) return schema.flatMap((one, at) => open(one, `${path}[${at}]`));
  const own = schema.type === "object" && schema.additionalProperties !== false ? [path] : [];
  return [...own, ...Object.entries(schema).flatMap(([key, inner]) => open(inner, `${path}.${key}`))];
}

/** The feed's events are checked by the SDK, whose own shapes say what they hold; see below. */
const CHECKED_BY_THE_SDK = /^POST \/v1\/events\..*\.facts$/;

describe("every route", () => {
  it("describes bodies that take no field beside those it names, at any depth", () => {
    const bodies = routes.filter(({ operation }) => operation.requestBody);
    expect(bodies.length).toBeGreaterThan(60);
    const loose = bodies.flatMap(({ method, path, operation }) => open(operation.requestBody, `${method} ${path}`));
    expect(loose.filter((path) => !CHECKED_BY_THE_SDK.test(path))).toEqual([]);
  });

  it("finds nothing under a path with a character that no text of the database holds", async () => {
    const withParts = routes.filter(({ pattern }) => pattern.includes("{"));
    expect(withParts.length).toBeGreaterThan(60);
    const wrong: unknown[] = [];
    for (const { method, pattern, operation } of withParts) {
      const path = pattern.replaceAll(/\{\w+\}/g, "a%00b");
      const body = method === "GET" || method === "DELETE" ? {} : { body: {} };
      const answer = await callerOf({ operation })(path, { method, ...body });
      // Where a body is asked for, that one is missing may be said first.
      if (answer.status !== 404 && !(operation.requestBody && answer.status === 400))
        wrong.push([method, pattern, answer.status, answer.json?.detail]);
    }
    expect(wrong).toEqual([]);
  });

  it("refuses a parameter with such a character, and names it", async () => {
    const asked = routes.flatMap((route) =>
      (route.operation.parameters ?? [])
        .filter((one: Json) => one.in === "query")
        .map((one: Json, _at: number, all: Json[]) => ({
          ...{ ...route, name: one.name as string },
          required: all.filter((other) => other.required && other !== one).map((other) => other.name),
        })),
    );
    expect(asked.length).toBeGreaterThan(30);
    const wrong: unknown[] = [];
    for (const { method, path, operation, name, required } of asked) {
      const others = required.map((other: string) => `&${other}=2026-11-02T08:00:00Z`).join("");
      const answer = await callerOf({ operation })(`${path}?${name}=a%00b${others}`, { method });
      const fields = (answer.json?.errors ?? []).map(({ field }: Json) => field);
      if (answer.status !== 400 || !fields.includes(name)) wrong.push([method, path, name, answer.status, answer.json]);
    }
    expect(wrong).toEqual([]);
  });

  it("refuses a question that it does not know, and names it", async () => {
    const wrong: unknown[] = [];
    for (const { method, path, operation } of routes) {
      const body = method === "GET" || method === "DELETE" ? {} : { body: {} };
      const answer = await callerOf({ operation })(`${path}?surprise=1`, { method, ...body });
      const fields = (answer.json?.errors ?? []).map(({ field, code }: Json) => `${field} ${code}`);
      if (answer.status !== 400 || !(fields.includes("surprise unknown_field") || method !== "GET")) {
        wrong.push([method, path, answer.status, fields]);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("refuses a field that it does not know, and names it", async () => {
    const wrong: unknown[] = [];
    for (const { method, path, operation } of routes.filter(({ method }) => method !== "GET")) {
      const answer = await callerOf({ operation })(path, { method, body: { surprise: 1 } });
      const fields = (answer.json?.errors ?? []).map(({ field, code }: Json) => `${field} ${code}`);
      if (answer.status !== 400 || !fields.some((field: string) => /(^|\.)surprise unknown_field$/.test(field))) {
        wrong.push([method, path, answer.status, fields]);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("refuses a field that it does not know in the facts of an event, at any depth", async () => {
    const { key } = (
      await clinic.as.manager("/v1/api-keys", { method: "POST", body: { name: "Feed", scopes: ["feed"] } })
    ).json;
    const headers = { authorization: `Bearer ${key}` };
    const facts: Json = sampleFacts("participant.added");
    for (const changed of [
      { ...facts, surprise: 1 },
      { ...facts, consult: { ...facts.consult, surprise: 1 } },
      { ...facts, participants: [{ ...facts.participants[0], surprise: 1 }] },
    ]) {
      const answer = await api.anonymous("/v1/events", { method: "POST", headers, body: { key: "k", facts: changed } });
      expect([answer.status, answer.json.errors?.[0]?.field]).toEqual([400, expect.stringContaining("surprise")]);
    }
  });
});

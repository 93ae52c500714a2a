/** The description that programs read: whole, and made from the same table as the bodies themselves. */
import { EVENT_NAMES, jsonSchema } from "@hookwell/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi } from "../../test/api.ts";

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly security?: object[];
  readonly parameters: { name: string; in: string }[];
  readonly responses: Record<string, { content?: Record<string, unknown> }>;
}
interface Description {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly webhooks: Record<string, { post: { requestBody: { content: Record<string, { schema: object }> } } }>;
}

let api: TestApi;
let description: Description;
let operations: { path: string; method: string; operation: Operation }[];

beforeAll(async () => {
  api = await startTestApi();
  description = (await api.anonymous("/openapi.json")).json;
  operations = Object.entries(description.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );
});
afterAll(() => api.close());

describe("the description", () => {
  it("gives every operation a name of its own and says how it refuses", () => {
    const names = operations.map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain("post_consults_id_participants");
    for (const { operation } of operations) {
      expect(operation.responses.default?.content).toHaveProperty(["application/problem+json"]);
    }
  });

  it("says of every operation in one sentence of its own what it does", () => {
    const bad = operations.filter(({ operation }) => !/^[A-Z][^.\n]{5,98}\.$/.test(operation.summary ?? ""));
    expect(bad.map(({ path, method, operation }) => [method, path, operation.summary])).toEqual([]);
    const same = Map.groupBy(operations, ({ operation }) => operation.summary);
    expect([...same].filter(([, those]) => those.length > 1).map(([summary]) => summary)).toEqual([]);
  });

  it("says of every POST of /v1, and of nothing else, that it takes an Idempotency-Key", () => {
    const takes = ({ parameters }: Operation) => parameters.some(({ name }) => name === "Idempotency-Key");
    for (const { path, method, operation } of operations) {
      expect(takes(operation)).toBe(method === "post" && path.startsWith("/v1/"));
    }
  });

  it("tells the limits of custom headers that the server keeps to", () => {
    const body = description.paths["/v1/webhooks"]?.post as unknown as {
      requestBody: { content: Record<string, { schema: { properties: Record<string, object> } }> };
    };
    expect(body.requestBody.content["application/json"]?.schema.properties.headers).toMatchObject({
      maxItems: 10,
      items: { properties: { name: { maxLength: 100 }, value: { minLength: 1, maxLength: 1_000 } } },
    });
  });

  it("says which operations an API key opens", () => {
    const keyed = operations.filter(({ operation }) => operation.security?.some((way) => "key" in way));
    expect(keyed.map(({ path, method }) => `${method} ${path}`).sort()).toEqual([
      "delete /v1/embed-sessions/{id}",
      "get /v1/webhooks/{id}/deliveries",
      "post /v1/embed-sessions",
      "post /v1/events",
      "put /v1/consults/{id}",
      "put /v1/invoices/{id}",
      "put /v1/memberships/{id}",
    ]);
  });

  it("shows each of the 13 events with the schema of its body", () => {
    expect(Object.keys(description.webhooks)).toEqual([...EVENT_NAMES]);
    for (const event of EVENT_NAMES) {
      const { schema } = description.webhooks[event]?.post.requestBody.content["application/json"] ?? {};
      const { $schema: _, ...expected } = jsonSchema(event, { practitioner: "all", patient: "all" });
      expect(schema).toEqual(expected);
    }
  });
});

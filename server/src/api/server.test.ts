/** What holds for every request: headers, problem documents, who may call, limits, idempotency. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, TEST_ORIGIN, type TestApi, type TestClinic } from "../../test/api.ts";
import { JSON_DEPTH_MAX } from "./json.ts";

let api: TestApi;
let clinic: TestClinic;

beforeAll(async () => {
  api = await startTestApi();
  clinic = await api.newClinic();
});
afterAll(() => api.close());

const NEW_PATIENT = { name: "Test Patient", email: null };

async function rawPost(path: string, payload: string | Buffer, type = "application/json") {
  return api.app.inject({ method: "POST", url: path, payload, headers: { "content-type": type } });
}

describe("every answer", () => {
  it("carries a strict content security policy whose nonce is used once", async () => {
    const policies = await Promise.all(
      ["/v1/me", "/nowhere", "/openapi.json"].map(async (path) => {
        const { headers } = await api.anonymous(path);
        expect(headers["x-content-type-options"]).toBe("nosniff");
        expect(headers["referrer-policy"]).toBe("no-referrer");
        expect(headers["x-frame-options"]).toBe("DENY");
        return String(headers["content-security-policy"]);
      }),
    );
    for (const policy of policies) {
      expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self' 'nonce-[^']{20,}';/);
      expect(policy).toContain("frame-ancestors 'none'; base-uri 'none'");
      expect(policy).not.toMatch(/unsafe|\*/);
    }
    expect(new Set(policies).size).toBe(policies.length);
  });

  it("asks browsers to stay on https where the page is served so, and only there", async () => {
    const secure = await startTestApi({ publicUrl: "https://hooks.example.test" });
    const [https, http] = await Promise.all([secure.anonymous("/v1/me"), api.anonymous("/v1/me")]);
    await secure.close();
    expect(https.headers["strict-transport-security"]).toMatch(/^max-age=\d{8,}/);
    expect(http.headers).not.toHaveProperty("strict-transport-security");
  });
});

describe("a refusal is a problem document", () => {
  const shape = { type: "about:blank", title: expect.any(String), detail: expect.any(String) };

  it("for nobody signed in, an unknown address, and a method that an address does not have", async () => {
    const signIn = await api.anonymous("/v1/me");
    expect(signIn.json).toEqual({ ...shape, status: 401, code: "sign_in_required" });
    expect(signIn.headers["content-type"]).toMatch(/^application\/problem\+json/);
    expect((await api.anonymous("/nowhere")).json).toEqual({ ...shape, status: 404, code: "not_found" });
    const wrongMethod = await clinic.as.manager("/v1/webhooks/1", { method: "PUT", body: {} });
    expect(wrongMethod.json).toEqual({ ...shape, status: 405, code: "method_not_allowed" });
    expect(wrongMethod.headers.allow).toBe("GET, HEAD, PATCH, DELETE");
  });

  it("that names each wrong field in plain words, and quotes no value", async () => {
    const body = { name: 7, email: "canary-secret", surprise: 1 };
    const answer = await clinic.as.manager("/v1/patients", { method: "POST", body });
    expect(answer.status).toBe(400);
    expect(answer.json.code).toBe("invalid_request");
    expect(answer.json.errors).toEqual([
      { field: "name", message: "This must be text in quotes.", code: "wrong_type" },
      {
        field: "surprise",
        message: "There is no such field here. Leave it out, or check its spelling.",
        code: "unknown_field",
      },
    ]);
    expect(answer.text).not.toContain("canary-secret");
  });

  it("for an unknown field, even one that every object of the language has, and an unknown parameter", async () => {
    const refused = {
      code: "unknown_field",
      message: "There is no such field here. Leave it out, or check its spelling.",
    };
    const body = { ...NEW_PATIENT, constructor: 1, toString: 1 };
    const fields = await clinic.as.manager("/v1/patients", { method: "POST", body });
    expect(fields.json.errors).toEqual([
      { field: "constructor", ...refused },
      { field: "toString", ...refused },
    ]);
    const parameters = await clinic.as.manager("/v1/me?surprise=1");
    expect([parameters.status, parameters.json.errors]).toEqual([400, [{ field: "surprise", ...refused }]]);
  });

  it("for a body that is too large, no JSON, no UTF-8, of another type, or ambiguous", async () => {
    const code = async (payload: string | Buffer, type?: string) =>
      (await rawPost("/api/auth/sign-in/email", payload, type)).json().code;
    expect(await code(`{"a":"${"x".repeat(256 * 1024)}"}`)).toBe("too_large");
    expect(await code("{")).toBe("invalid_json");
    expect(await code(Buffer.from([0x22, 0xff, 0x22]))).toBe("invalid_json");
    expect(await code('{"a":1}', "text/plain")).toBe("wrong_content_type");
    expect(await code("a=1", "application/x-www-form-urlencoded")).toBe("wrong_content_type");
    expect(await code('{"email":"a","email":"b"}')).toBe("invalid_json");
    expect(await code('{"email":"a","\\u0065mail":"b"}')).toBe("invalid_json");
    expect(await code('{"__proto__":{"admin":true}}')).toBe("invalid_json");
    expect(await code("[".repeat(JSON_DEPTH_MAX + 1) + "]".repeat(JSON_DEPTH_MAX + 1))).toBe("invalid_json");
    expect(await code(JSON.stringify(Object.fromEntries(Array.from({ length: 5_001 }, (_, i) => [i, 0]))))).toBe(
      "invalid_json",
    );
  });

  it("that tells nothing of a fault of our own but where to find it in the log", async () => {
    await api.database.pools.owner.query("alter table services rename to services_hidden");
    try {
      const answer = await clinic.as.manager("/v1/services");
      expect(answer.status).toBe(500);
      expect(answer.json).toEqual({
        ...shape,
        status: 500,
        code: "internal_error",
        request_id: answer.headers["x-request-id"],
      });
      expect(answer.text).not.toMatch(/services|relation|sql/i);
    } finally {
      await api.database.pools.owner.query("alter table services_hidden rename to services");
    }
  });
});

describe("a page of another site", () => {
  it.each([
    [{ "sec-fetch-site": "cross-site" }, 403],
    [{ "sec-fetch-site": "same-site" }, 403],
    [{ origin: "https://elsewhere.example.test" }, 403],
    [{ origin: "null" }, 403],
    [{ "sec-fetch-site": "same-origin", origin: TEST_ORIGIN }, 201],
    [{ "sec-fetch-site": "none" }, 201],
    [{}, 201],
  ])("with %o gets %i for a change", async (headers, status) => {
    const answer = await clinic.as.manager("/v1/patients", { method: "POST", body: NEW_PATIENT, headers });
    expect(answer.status).toBe(status);
  });

  it("may not even delete or patch, and is not asked for its session", async () => {
    for (const method of ["PATCH", "DELETE"] as const) {
      const answer = await api.anonymous("/v1/webhooks/1", { method, headers: { "sec-fetch-site": "cross-site" } });
      expect(answer.json.code).toBe("other_site");
    }
  });
});

describe("Idempotency-Key", () => {
  const add = (key: string, body: unknown = NEW_PATIENT, caller = clinic.as.manager) =>
    caller("/v1/patients", { method: "POST", body, headers: { "idempotency-key": key } });
  const patients = async () => (await clinic.as.manager("/v1/patients?limit=100")).json.data.length as number;

  it("makes the same request with the same key happen once, with the same answer", async () => {
    const before = await patients();
    const first = await add("key-1");
    const second = await add("key-1");
    expect(first.status).toBe(201);
    expect([second.status, second.json]).toEqual([first.status, first.json]);
    expect(second.headers["idempotency-replayed"]).toBe("true");
    expect(await patients()).toBe(before + 1);
  });

  it("is refused for another body, and nothing happens", async () => {
    await add("key-2");
    const before = await patients();
    const other = await add("key-2", { name: "Somebody Else", email: null });
    expect(other.status).toBe(409);
    expect(other.json.code).toBe("idempotency_key_reused");
    expect(await patients()).toBe(before);
  });

  it("lets only one of many at the same time through; the others wait and get its answer", async () => {
    const before = await patients();
    const answers = await Promise.all(Array.from({ length: 8 }, () => add("key-3")));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers["idempotency-replayed"] === "true")).toHaveLength(7);
    expect(await patients()).toBe(before + 1);
  });

  it("is each person's own", async () => {
    const mine = await add("key-4");
    const theirs = await add("key-4", NEW_PATIENT, clinic.as.front_desk);
    expect(theirs.status).toBe(201);
    expect(theirs.json.id).not.toBe(mine.json.id);
  });

  it("is not used up by a refused request", async () => {
    expect((await add("key-5", { name: "", email: null })).status).toBe(400);
    expect((await add("key-5")).status).toBe(201);
  });

  it("is kept as a hash beside a sealed answer", async () => {
    await add("key-canary-6", { name: "Canary Patient", email: null });
    const { rows } = await api.database.pools.owner.query<{ row: string }>(
      "select idempotency_keys::text as row from idempotency_keys",
    );
    const hidden = (text: string) => Buffer.from(text).toString("hex");
    for (const { row } of rows) {
      expect(row).not.toContain(hidden("Canary Patient"));
      expect(row).not.toContain(hidden("key-canary-6"));
    }
  });

  it.each(["", "x".repeat(129), "two words", "é"])("is refused where it is %j", async (key) => {
    const answer = await add(key);
    expect(answer.status).toBe(400);
    expect(answer.json.errors[0].field).toBe("Idempotency-Key");
  });
});

describe("one person", () => {
  it("may ask 600 times a minute, then has to wait; nobody else has", async () => {
    const busy = (await api.newClinic()).as;
    const answers = await Promise.all(Array.from({ length: 610 }, () => busy.practitioner("/v1/event-types")));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(10);
    expect(refused[0]?.json.code).toBe("too_many_requests");
    expect(Number(refused[0]?.headers["retry-after"])).toBeGreaterThan(0);
    expect((await busy.front_desk("/v1/event-types")).status).toBe(200);
  });
});

describe("one API key that reads", () => {
  it("is held back like a person, and the clinic's people are not", async () => {
    const { manager, front_desk } = (await api.newClinic()).as;
    const post = async (path: string, body: object) => (await manager(path, { method: "POST", body })).json;
    const webhook = await post("/v1/webhooks", { url: "https://hooks.example.test/in", events: ["consult.updated"] });
    const { key } = await post("/v1/api-keys", { name: "Pull", scopes: ["deliveries:pull"], webhook_id: webhook.id });
    const headers = { authorization: `Bearer ${key}` };
    const path = `/v1/webhooks/${webhook.id}/deliveries?limit=0`;
    const answers = await Promise.all(Array.from({ length: 610 }, () => api.anonymous(path, { headers })));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(10);
    expect(Number(refused[0]?.headers["retry-after"])).toBeGreaterThan(0);
    expect((await front_desk("/v1/event-types")).status).toBe(200);
  });
});

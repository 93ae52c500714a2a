/** The operator's routes: for the operator's key alone, and for what concerns the server alone. */
import { createSecretKey } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";
import { createKysely } from "../db/pool.ts";
import { OPERATOR_REQUESTS_PER_MINUTE_MAX, operatorRoutes } from "./operator.ts";
import { type App, createServer } from "./server.ts";

const KEY = "k".repeat(40);
let api: TestApi;
let clinic: TestClinic;
let server: App;

beforeAll(async () => {
  api = await startTestApi();
  clinic = await api.newClinic();
  const db = createKysely(api.database.pools.owner);
  server = await createServer(api.context, {
    v1: [],
    open: [operatorRoutes({ key: createSecretKey(Buffer.from(KEY)), db })],
  });
});
afterAll(async () => {
  await server.close();
  await api.close();
});

async function call(
  path: string,
  { body, authorization = `Bearer ${KEY}` }: { body?: object; authorization?: string } = {},
) {
  const answer = await server.inject({
    method: body === undefined ? "GET" : "POST",
    url: `/operator/v1/${path}`,
    headers: { authorization },
    ...(body && { payload: body }),
  });
  return { status: answer.statusCode, json: answer.json() };
}

const scope = () => ({ clinic_id: clinic.id, webhook_id: null, reason: "asked by its receiver" });

describe("the operator's key", () => {
  it.each(["", "Bearer", `Bearer ${KEY}x`, `Bearer ${KEY.slice(1)}`, `Basic ${KEY}`])(
    "is the whole key and nothing else: %j is turned away before a body is read",
    async (authorization) => {
      expect(await call("sending", { authorization })).toMatchObject({ status: 401, json: { code: "operator_only" } });
      const paused = await call("sending/pause", { authorization, body: { nonsense: true } });
      expect(paused).toMatchObject({ status: 401, json: { code: "operator_only" } });
    },
  );

  it("is guessed at a limited number of times a minute from one client address; the right one waits there, too", async () => {
    const from = async (remoteAddress: string, key: string) =>
      server.inject({ url: "/operator/v1/sending", remoteAddress, headers: { authorization: `Bearer ${key}` } });
    for (let count = 0; count < OPERATOR_REQUESTS_PER_MINUTE_MAX; count += 1)
      expect((await from("203.0.113.9", `guess ${count}`)).statusCode).toBe(401);
    const refused = await from("203.0.113.9", "one more");
    expect([refused.statusCode, refused.json().code]).toEqual([429, "too_many_requests"]);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect((await from("203.0.113.9", KEY)).statusCode).toBe(429);
    expect((await from("203.0.113.10", KEY)).statusCode).toBe(200);
  });

  it("opens no clinic's routes, and without one configured its own are not there", async () => {
    const authorization = `Bearer ${KEY}`;
    for (const path of ["/v1/webhooks", "/v1/patients", "/v1/me"]) {
      expect((await api.anonymous(path, { headers: { authorization } })).status).toBe(401);
    }
    expect((await api.anonymous("/operator/v1/sending", { headers: { authorization } })).status).toBe(404);
  });
});

describe("pausing", () => {
  it("is shown to the operator, told to the clinic's managers in the list of webhooks, and ended", async () => {
    const body = { url: "https://hooks.example.test/", events: ["participant.added"] };
    const { id } = (await clinic.as.manager("/v1/webhooks", { method: "POST", body })).json;
    const shown = async () => (await clinic.as.manager(`/v1/webhooks/${id}`)).json;
    expect(await shown()).toMatchObject({ sending_paused: false, address_answered: false });
    const nudges = api.nudges();
    expect(await call("sending/pause", { body: scope() })).toEqual({ status: 200, json: { changed: true } });
    expect(api.nudges()).toBe(nudges + 1);
    expect(await call("sending/pause", { body: scope() })).toEqual({ status: 200, json: { changed: false } });
    expect((await call("sending")).json.items).toMatchObject([scope()]);
    expect(await shown()).toMatchObject({ sending_paused: true, enabled: true });
    const test = { method: "POST", body: { event: "participant.added" } } as const;
    expect((await clinic.as.manager(`/v1/webhooks/${id}/test`, test)).json.code).toBe("sending_paused");
    expect(await call("sending/resume", { body: scope() })).toEqual({ status: 200, json: { changed: true } });
    expect(await shown()).toMatchObject({ sending_paused: false });
    expect((await call("sending")).json.items).toEqual([]);
  });

  it("names every wrong field and changes nothing", async () => {
    const wrong = await call("sending/pause", { body: { clinic_id: 0, webhook_id: null, reason: " ", other: 1 } });
    expect(wrong.status).toBe(400);
    expect((await call("sending/pause", { body: { ...scope(), clinic_id: 999_999 } })).status).toBe(404);
    expect((await call("sending")).json.items).toEqual([]);
  });
});

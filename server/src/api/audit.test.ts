/** The audit trail as managers see it: who changed what, from where, and whether anything is missing. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signIn, startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";
import type { TrustProxy } from "../config.ts";
import { OPEN_ROUTES, V1_ROUTES } from "./routes.ts";
import { createServer } from "./server.ts";

let api: TestApi;
let clinic: TestClinic;
let keyId: number;

beforeAll(async () => {
  api = await startTestApi();
  clinic = await api.newClinic();
  const made = await clinic.as.manager("/v1/api-keys", { method: "POST", body: { name: "=2+3", scopes: ["feed"] } });
  keyId = made.json.id;
  await clinic.as.manager("/v1/retention", { method: "PATCH", body: { days: 7 } });
  await clinic.as.manager("/v1/retention", { method: "PATCH", body: { days: 3 } });
  await clinic.as.manager(`/v1/api-keys/${keyId}`, { method: "DELETE" });
});
afterAll(() => api.close());

const actionsOf = async (query: string) =>
  (await clinic.as.manager(`/v1/audit${query}`)).json.data.map(({ action }: { action: string }) => action);

describe("GET /v1/audit", () => {
  it("shows who changed what, when and from where, with before and after, newest first", async () => {
    const { json } = await clinic.as.manager("/v1/audit");
    expect(json.data.map(({ sequence }: { sequence: number }) => sequence)).toEqual([4, 3, 2, 1]);
    const { id } = json.data[0].actor;
    expect(json.data[1]).toEqual({
      ...{ sequence: 3, at: expect.stringMatching(/^\d{4}-.+[+-]\d\d:\d\d$/), actor: { id, name: "Test manager" } },
      ...{ origin: "127.0.0.1", action: "retention.changed", target: "clinic", target_name: null },
      ...{ before: { days: 7 }, after: { days: 3 } },
    });
    expect(json.data[3]).toMatchObject({ action: "api_key.created", target: `api_key:${keyId}`, target_name: "=2+3" });
  });

  it("names the address of the client, whoever it is", async () => {
    const there = await api.newClinic();
    const session = await signIn(api.app, { email: there.emails.manager, password: there.password });
    await session("/v1/retention", { method: "PATCH", body: { days: 5 }, remoteAddress: "203.0.113.40" });
    expect((await session("/v1/audit")).json.data[0].origin).toBe("203.0.113.40");
  });

  it("believes no word of the client on its own address, and a reverse proxy's only where the operator trusts it", async () => {
    const { owner } = api.database.pools;
    const forwarded = {
      "x-forwarded-for": "198.51.100.1, 203.0.113.50",
      "x-real-ip": "198.51.100.2",
      forwarded: "for=198.51.100.3",
    };
    const there = await api.newClinic();
    const originBehind = async (trustProxy: TrustProxy | undefined) => {
      const app = await createServer({ ...api.context, trustProxy }, { v1: V1_ROUTES, open: OPEN_ROUTES });
      const call = await signIn(app, { email: there.emails.manager, password: there.password });
      await call("/v1/retention", { method: "PATCH", body: { days: null } });
      await call("/v1/retention", {
        method: "PATCH",
        body: { days: 11 },
        headers: forwarded,
        remoteAddress: "10.0.0.5",
      });
      await app.close();
      const last = "select origin from audit where clinic_id = $1 order by sequence desc limit 1";
      return (await owner.query(last, [there.id])).rows[0].origin;
    };
    expect(await originBehind(undefined)).toBe("10.0.0.5");
    expect(await originBehind(["10.0.0.0/24"])).toBe("203.0.113.50");
    expect(await originBehind(1)).toBe("203.0.113.50");
    expect(await originBehind(["10.9.9.9"])).toBe("10.0.0.5");
  });

  it("is narrowed by who, what, on what and on which days", async () => {
    expect(await actionsOf("?action=retention.changed")).toEqual(["retention.changed", "retention.changed"]);
    expect(await actionsOf(`?target=api_key:${keyId}`)).toEqual(["api_key.revoked", "api_key.created"]);
    expect(await actionsOf("?actor=nobody")).toEqual([]);
    const { json } = await clinic.as.manager("/v1/audit/actors");
    expect(json.data).toEqual([{ id: expect.any(String), name: "Test manager" }]);
    expect(await actionsOf(`?actor=${json.data[0].id}`)).toHaveLength(4);
    const today = Temporal.Now.plainDateISO("America/Toronto");
    const days = (from: number, to: number) =>
      `?from_date=${today.add({ days: from })}&to_date=${today.add({ days: to })}`;
    expect(await actionsOf(days(-1, 1))).toHaveLength(4);
    expect(await actionsOf(days(-9, -2))).toEqual([]);
    expect(await actionsOf(days(2, 9))).toEqual([]);
  });

  it("goes page by page, each entry once", async () => {
    const first = await clinic.as.manager("/v1/audit?limit=3");
    const second = await clinic.as.manager(`/v1/audit?limit=3&cursor=${first.json.next_cursor}`);
    const sequences = [...first.json.data, ...second.json.data].map(({ sequence }) => sequence);
    expect(sequences).toEqual([4, 3, 2, 1]);
    expect(second.json.next_cursor).toBe(null);
  });

  it.each(["?action=nothing", "?from_date=tomorrow", "?from_date=2026-02-02&to_date=2026-02-01", "?cursor=x", "?x=1"])(
    "refuses %s and says which field",
    async (query) => {
      const answer = await clinic.as.manager(`/v1/audit${query}`);
      expect([answer.status, answer.json.errors.length]).toEqual([400, 1]);
    },
  );
});

describe("GET /v1/audit/check", () => {
  it("says that the trail is complete, or where it breaks", async () => {
    const there = await api.newClinic();
    for (const days of [1, 2, 3]) await there.as.manager("/v1/retention", { method: "PATCH", body: { days } });
    const check = async () => (await there.as.manager("/v1/audit/check")).json;
    expect(await check()).toEqual({ complete: true, checked_count: 3, total_count: 3, broken_at: null });
    const { owner } = api.database.pools;
    await owner.query("alter table audit disable trigger user");
    await owner.query(`update audit set after = '{"days":9}' where clinic_id = $1 and sequence = 2`, [there.id]);
    await owner.query("alter table audit enable trigger user");
    expect(await check()).toEqual({ complete: false, checked_count: 1, total_count: null, broken_at: 2 });
  });
});

describe("the trail as a file", () => {
  it("is CSV in which nothing can be taken for a formula, and the export stands in the trail", async () => {
    const answer = await clinic.as.manager(`/v1/audit/export.csv?target=api_key:${keyId}`);
    expect(answer.headers["content-type"]).toBe("text/csv; charset=utf-8");
    expect(answer.headers["content-disposition"]).toBe('attachment; filename="audit.csv"');
    const lines = answer.text.replace(/^\uFEFF/, "").split("\r\n");
    expect(lines).toHaveLength(4);
    expect(lines[0]).toBe("sequence,at,actor,actor_name,origin,action,target,target_name,before,after");
    expect(lines[2]).toContain(",'=2+3,");
    expect(answer.text).not.toMatch(/(^|,)"?[=+@-]/m);
    expect((await clinic.as.manager("/v1/audit?limit=1")).json.data[0]).toMatchObject({
      ...{ action: "audit.exported", target: "audit", after: { entries: 2, filter: { target: `api_key:${keyId}` } } },
    });
  });

  it("is JSON with the same entries as the list", async () => {
    const list = (await clinic.as.manager("/v1/audit?action=retention.changed")).json.data;
    const file = await clinic.as.manager("/v1/audit/export.json?action=retention.changed");
    expect(file.json).toEqual(list);
    expect((await clinic.as.manager("/v1/audit/export.json?actor=nobody")).json).toEqual([]);
  });

  it("is whole, however many pages it takes", async () => {
    const there = await api.newClinic();
    await api.database.pools.owner.query(
      "insert into audit (clinic_id, actor, action, target) select $1, 'user', 'webhook.changed', 'webhook:' || n from generate_series(1, 2500) n",
      [there.id],
    );
    const { json } = await there.as.manager("/v1/audit/export.json");
    expect(json.map(({ sequence }: { sequence: number }) => sequence)).toEqual(
      Array.from({ length: 2_501 }, (_, n) => 2_501 - n),
    );
  });
});

describe("what reads the whole trail", () => {
  it.each(["check", "export.csv", "export.json"])("is limited for each person and minute: %s", async (path) => {
    const there = await api.newClinic();
    for (let count = 0; count < 10; count += 1) expect((await there.as.manager(`/v1/audit/${path}`)).status).toBe(200);
    const refused = await there.as.manager(`/v1/audit/${path}`);
    expect([refused.status, refused.json.code]).toEqual([429, "too_many_requests"]);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect((await clinic.as.manager(`/v1/audit/${path}`)).status).toBe(200);
    expect((await there.as.manager("/v1/audit")).status).toBe(200);
  });
});

import { getMigrations } from "better-auth/db/migration";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signIn, startTestApi, TEST_ORIGIN, type TestApi } from "../../test/api.ts";
import { silentLog } from "../log.ts";
import { authOptions, SIGN_INS_PER_MINUTE_MAX } from "./auth.ts";

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

describe("the accounts' tables", () => {
  it("are what better-auth wants: it has nothing to add", async () => {
    const options = authOptions({
      pool: api.database.pools.auth,
      secret: "a secret for nobody but this test, long enough",
      publicUrl: TEST_ORIGIN,
      log: silentLog(),
      firstClinicOf: async () => null,
      belongs: async () => false,
      isFresh: async () => true,
      onNewPassword: async () => {},
    });
    const missing = await getMigrations(options);
    expect(missing.toBeCreated).toEqual([]);
    expect(missing.toBeAdded).toEqual([]);
    expect(missing.toBeAddedIndexes).toEqual([]);
    expect(missing.schemaProblems).toEqual([]);
  });

  it("are closed to the clinics' role", async () => {
    await expect(api.database.pools.app.query('select * from auth."user"')).rejects.toThrow(/permission denied/);
  });
});

describe("signing in", () => {
  it("gives a session for the person's clinic and role, in a cookie that scripts cannot read", async () => {
    const clinic = await api.newClinic();
    const answer = await api.app.inject({
      method: "POST",
      url: "/api/auth/sign-in/email",
      payload: { email: clinic.emails.manager, password: clinic.password },
    });
    expect(answer.statusCode).toBe(200);
    const cookie = String(answer.headers["set-cookie"]);
    expect(cookie).toMatch(/^hookwell\.session_token=[^;]+;.*HttpOnly.*SameSite=Lax/i);
    expect(cookie).not.toMatch(/Domain=|Secure/i);
    const me = await clinic.as.manager("/v1/me");
    expect(me.json).toMatchObject({ role: "manager", clinic: { id: clinic.id, time_zone: "America/Toronto" } });
    expect(me.headers["cache-control"]).toBe("no-store");
  });

  it("under https uses a cookie that only this host and only https can set", async () => {
    const secure = await startTestApi({ publicUrl: "https://hooks.example.test" });
    try {
      const clinic = await secure.newClinic();
      const answer = await secure.app.inject({
        method: "POST",
        url: "/api/auth/sign-in/email",
        payload: { email: clinic.emails.manager, password: clinic.password },
      });
      const cookie = String(answer.headers["set-cookie"]);
      expect(cookie).toMatch(/^__Host-hookwell\.session_token=/);
      expect(cookie).toMatch(/; Secure/);
      expect(cookie).toMatch(/; Path=\//);
      expect(cookie).not.toMatch(/Domain=/);
      expect((await clinic.as.manager("/v1/me")).status).toBe(200);
    } finally {
      await secure.close();
    }
  });

  it("refuses a wrong password and an unknown person with the same words", async () => {
    const clinic = await api.newClinic();
    const attempt = (email: string) =>
      api.anonymous("/api/auth/sign-in/email", { method: "POST", body: { email, password: "not the right password" } });
    const wrong = await attempt(clinic.emails.manager);
    const unknown = await attempt("nobody.at.all@example.test");
    expect(wrong.status).toBe(401);
    expect(wrong.json.code).toBe("sign_in_refused");
    expect(unknown.json).toEqual(wrong.json);
  });

  it("is limited in number for each client address", async () => {
    const attempt = () =>
      api.app.inject({
        method: "POST",
        url: "/api/auth/sign-in/email",
        payload: { email: "guess@example.test", password: "guessing and guessing" },
        remoteAddress: "203.0.113.9",
        headers: { "x-forwarded-for": `198.51.100.${Math.floor(Math.random() * 200)}` },
      });
    for (let i = 0; i < SIGN_INS_PER_MINUTE_MAX; i++) expect((await attempt()).statusCode).toBe(401);
    const refused = await attempt();
    expect(refused.statusCode).toBe(429);
    expect(refused.json().code).toBe("too_many_requests");
  });

  it("is refused to a page of another site", async () => {
    const clinic = await api.newClinic();
    const answer = await api.anonymous("/api/auth/sign-in/email", {
      method: "POST",
      body: { email: clinic.emails.manager, password: clinic.password },
      headers: { origin: "https://elsewhere.example.test", "sec-fetch-site": "cross-site" },
    });
    expect(answer.status).toBe(403);
    expect(answer.json.code).toBe("other_site");
    expect(answer.headers["set-cookie"]).toBeUndefined();
  });

  it("ends with signing out: the old cookie opens nothing", async () => {
    const clinic = await api.newClinic();
    const caller = await signIn(api.app, { email: clinic.emails.manager, password: clinic.password });
    expect((await caller("/v1/me")).status).toBe(200);
    expect(
      (await caller("/api/auth/sign-out", { method: "POST", body: {}, headers: { origin: TEST_ORIGIN } })).status,
    ).toBe(200);
    expect((await caller("/v1/me")).status).toBe(401);
  });

  it("has no sign-up and none of better-auth's other routes", async () => {
    const body = { email: "new@example.test", password: "a long enough password", name: "New" };
    for (const path of [
      "/api/auth/sign-up/email",
      "/api/auth/update-user",
      "/api/auth/request-password-reset",
      "/api/auth/two-factor/send-otp",
      "/api/auth/verify-password",
    ]) {
      expect((await api.anonymous(path, { method: "POST", body })).status).toBe(404);
    }
  });
});

describe("a principal", () => {
  it("loses the clinic with the very next request when the staff row is gone, and a changed role counts at once", async () => {
    const clinic = await api.newClinic();
    expect((await clinic.as.manager("/v1/me")).json.role).toBe("manager");
    const change = (text: string) => api.database.pools.owner.query(text, [clinic.id]);
    await change("update staff set role = 'front_desk' where clinic_id = $1 and role = 'manager'");
    expect((await clinic.as.manager("/v1/me")).json.role).toBe("front_desk");
    await change("delete from staff where clinic_id = $1");
    expect((await clinic.as.manager("/v1/me")).status).toBe(401);
  });

  it("is nobody with a cookie that was made up or altered", async () => {
    const caller = await api.anonymous("/v1/me", { headers: { cookie: "hookwell.session_token=made.up" } });
    expect(caller.status).toBe(401);
    expect(caller.json.code).toBe("sign_in_required");
  });
});

/** Patients' sessions and staff's are apart: none ever opens what is the other's (security, people and tenants). */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { anyAddress, callerWith, cookieOf, startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";
import { type OpenPortal, openPortal, PortalSteps, portalNameOf } from "../../test/portal.ts";
import { kept } from "../../test/sign-in.ts";

let opened: OpenPortal;
let api: TestApi;
let clinic: TestClinic;
let portal: PortalSteps;
let cookie: string;

beforeAll(async () => {
  opened = await openPortal();
  ({ api, clinic, steps: portal } = opened);
  cookie = cookieOf(await portal.confirmed("patient.one@example.test"));
});
afterAll(() => opened?.close());

describe("a patient's session", () => {
  it("opens no route of staff, under its own name or under theirs", async () => {
    const token = cookie.split("=")[1] ?? "";
    const { paths } = (await api.anonymous("/openapi.json")).json as { paths: Record<string, object> };
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      path.startsWith("/v1/")
        ? Object.keys(methods).map((method) => ({ method: method.toUpperCase() as "GET", path }))
        : [],
    );
    expect(routes.length).toBeGreaterThan(100);
    for (const cookies of [cookie, `hookwell.session_token=${token}`]) {
      const caller = callerWith(api.app, cookies);
      for (const { method, path } of routes) {
        const answer = await caller(path.replaceAll(/\{\w+\}/g, "1"), {
          method,
          ...(method === "GET" ? {} : { body: {} }),
        });
        expect([method, path, ...kept(answer)]).toEqual([method, path, 401, "sign_in_required"]);
      }
      expect((await caller("/api/auth/get-session")).json?.user).toBeUndefined();
    }
    const bearer = await api.anonymous("/v1/me", { headers: { authorization: `Bearer ${token}` } });
    expect(bearer.status).toBe(401);
  });

  it("is no member of staff's: a manager's cookie opens no patient's page, under its own name or under theirs", async () => {
    const { emails, password } = clinic;
    await clinic.as.manager("/v1/me");
    const answer = await api.anonymous("/api/auth/sign-in/email", {
      ...({ method: "POST", body: { email: emails.manager, password }, remoteAddress: anyAddress() } as const),
    });
    const cookie = cookieOf(answer);
    const token = decodeURIComponent(cookie.split("=").slice(1).join("="));
    for (const cookies of [cookie, `hookwell-portal=${token}`, `hookwell-portal=${token.split(".")[0]}`]) {
      expect(kept(await portal.own(callerWith(api.app, cookies)))).toEqual([401, "sign_in_required"]);
    }
    expect(kept(await portal.post("session", { email: emails.manager, password }))).toEqual([401, "sign_in_refused"]);
  });

  it("has a cookie that only this host and only https can set, under https", async () => {
    const secure = await startTestApi({ publicUrl: "https://hooks.example.test", mail: opened.mail.sender });
    try {
      const name = await portalNameOf(secure, (await secure.newClinic()).id);
      const confirmed = await new PortalSteps(secure, opened.mail, name).confirmed("patient.two@example.test");
      expect(String(confirmed.headers["set-cookie"])).toMatch(
        /^__Host-hookwell-portal=[^;]+; .*Path=\/; HttpOnly; SameSite=Strict; Secure$/,
      );
      const page = (cookies: string) => callerWith(secure.app, cookies)(`/portal-api/${name}/session`);
      const secured = cookieOf(confirmed);
      expect([(await page(secured)).status, (await page(secured.replace("__Host-", ""))).status]).toEqual([200, 401]);
    } finally {
      await secure.close();
    }
  });

  it("is refused to a page of another site, for everything that changes something", async () => {
    for (const [method, path] of [
      ...[
        ["POST", "session"],
        ["DELETE", "session"],
        ["POST", "confirm"],
        ["POST", "reset"],
        ["POST", "reset-requests"],
      ],
    ] as const) {
      const call = { method, body: {}, headers: { "sec-fetch-site": "same-site" } } as { method: "POST"; body: object };
      expect(kept(await api.anonymous(`/portal-api/${portal.portal}/${path}`, call))).toEqual([403, "other_site"]);
    }
  });
});

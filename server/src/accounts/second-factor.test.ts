/** The second step of a sign-in (security, people and tenants). */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callerWith, cookieOf, startTestApi, type TestApi } from "../../test/api.ts";
import { kept, SignInSteps } from "../../test/sign-in.ts";
import { codeOf } from "../../test/totp.ts";
import { WRONG_CODES_MAX } from "./auth.ts";
import { TRY_RULES } from "./limits.ts";

let api: TestApi;
let steps: SignInSteps;

beforeAll(async () => {
  api = await startTestApi();
  steps = new SignInSteps(api);
});
afterAll(async () => {
  await api.close();
});

const NEW_PASSWORD = "another invented pass phrase";
const query = async (text: string, values: unknown[] = []) => (await api.database.pools.owner.query(text, values)).rows;

describe("the second step", () => {
  it("is on only after a code has shown that the app works, and then the session has a new id", async () => {
    const login = await steps.someone();
    const caller = await steps.session(login);
    const { json } = await steps.post("two-factor/enable", { password: login.password }, caller);
    expect(json.totp_uri).toMatch(/^otpauth:\/\/totp\/Hookwell:.*issuer=Hookwell/);
    expect(json.backup_codes).toHaveLength(10);
    expect(json.token).toBeUndefined();
    expect((await caller("/v1/me")).json.second_factor).toBe(false);
    expect(kept(await steps.post("two-factor/verify-totp", { code: "000000" }, caller))).toEqual([401, "wrong_code"]);
    await steps.session(login);
    const on = await steps.enrolled();
    expect((await on.caller("/v1/me")).json.second_factor).toBe(true);
  });

  it("is asked for at the sign-in: the password alone opens nothing, and a code opens once", async () => {
    const login = await steps.enrolled();
    const first = await steps.half(login);
    expect((await first("/v1/me")).status).toBe(401);
    const code = codeOf(login.uri);
    const done = await steps.post("two-factor/verify-totp", { code: `${code.slice(0, 3)} ${code.slice(3)}` }, first);
    expect(done.status).toBe(200);
    expect(done.text).not.toMatch(/token/);
    expect((await callerWith(api.app, cookieOf(done))("/v1/me")).status).toBe(200);
    expect(kept(await steps.post("two-factor/verify-totp", { code }, await steps.half(login)))).toEqual([
      401,
      "wrong_code",
    ]);
    const next = await steps.post("two-factor/verify-totp", { code: codeOf(login.uri, 1) }, await steps.half(login));
    expect(next.status).toBe(200);
  });

  it("can be done with each backup code once, and new ones close the old ones", async () => {
    const login = await steps.enrolled();
    const [one, two] = login.backup;
    expect((await steps.post("two-factor/verify-backup-code", { code: one }, await steps.half(login))).status).toBe(
      200,
    );
    expect(kept(await steps.post("two-factor/verify-backup-code", { code: one }, await steps.half(login)))).toEqual([
      401,
      "wrong_code",
    ]);
    const fresh = await steps.post("two-factor/generate-backup-codes", { password: login.password }, login.caller);
    expect(fresh.json.backup_codes).toHaveLength(10);
    expect(kept(await steps.post("two-factor/verify-backup-code", { code: two }, await steps.half(login)))).toEqual([
      401,
      "wrong_code",
    ]);
    const [first] = fresh.json.backup_codes;
    expect((await steps.post("two-factor/verify-backup-code", { code: first }, await steps.half(login))).status).toBe(
      200,
    );
  });

  it("is kept so that a copy of the tables opens nothing: no key, no backup code, no link and no trusted device in clear", async () => {
    const login = await steps.enrolled();
    const { uri, backup } = login;
    const code = { code: codeOf(uri), trust_device: true };
    expect((await steps.post("two-factor/verify-totp", code, await steps.half(login))).status).toBe(200);
    await steps.half(login);
    const rows = JSON.stringify([
      await query('select * from auth."twoFactor"'),
      await query("select * from auth.verification"),
    ]);
    for (const word of [new URL(uri).searchParams.get("secret"), ...backup, "trust-device-", "2fa-"]) {
      expect(rows).not.toContain(word);
    }
  });

  it("may be guessed few times: a sign-in ends after 5 wrong codes, an account is closed after 10, and says for how long", async () => {
    const login = await steps.enrolled();
    let caller = await steps.half(login);
    for (let wrong = 1; wrong <= WRONG_CODES_MAX; wrong += 1) {
      const answer = await steps.post("two-factor/verify-totp", { code: "000000" }, caller);
      expect(kept(answer)).toEqual([401, "wrong_code"]);
      if (wrong !== 5) continue;
      expect(kept(await steps.post("two-factor/verify-totp", { code: "000000" }, caller))).toEqual([
        401,
        "sign_in_again",
      ]);
      caller = await steps.half(login);
    }
    const closed = await steps.post("two-factor/verify-totp", { code: codeOf(login.uri) }, await steps.half(login));
    expect(kept(closed)).toEqual([429, "too_many_requests"]);
    expect(Number(closed.headers["retry-after"])).toBeGreaterThan(0);
    expect(
      (await steps.post("two-factor/verify-backup-code", { code: login.backup[0] }, await steps.half(login))).status,
    ).toBe(429);
  });

  it("is left out on a device that its person trusts, until the second step is turned off or the password changes", async () => {
    const login = await steps.enrolled();
    const done = await steps.post(
      "two-factor/verify-totp",
      { code: codeOf(login.uri), trust_device: true },
      await steps.half(login),
    );
    const trusted = cookieOf(done);
    expect(trusted).toContain("hookwell.trust_device=");
    const again = await steps.post(
      "sign-in/email",
      { email: login.email, password: login.password },
      callerWith(api.app, trusted),
    );
    expect(again.json.user.email).toBe(login.email);
    const renewed = cookieOf(again);
    const changed = await steps.post(
      "change-password",
      { current_password: login.password, new_password: NEW_PASSWORD },
      callerWith(api.app, renewed),
    );
    expect(changed.status).toBe(200);
    await steps.half({ email: login.email, password: NEW_PASSWORD }, renewed);
  });

  it("is turned off by the password alone, never without it; afterwards an old trusted device is trusted no more", async () => {
    const login = await steps.enrolled();
    const done = await steps.post(
      "two-factor/verify-totp",
      { code: codeOf(login.uri), trust_device: true },
      await steps.half(login),
    );
    const trusted = cookieOf(done);
    expect(kept(await steps.post("two-factor/disable", {}, login.caller))).toEqual([400, "invalid_request"]);
    const wrong = await steps.post("two-factor/disable", { password: "not the right password" }, login.caller);
    expect([wrong.status, wrong.json.errors[0]]).toMatchObject([400, { field: "password", code: "wrong_password" }]);
    expect((await steps.post("two-factor/disable", { password: login.password }, api.anonymous)).status).toBe(401);
    expect((await steps.post("two-factor/disable", { password: login.password }, login.caller)).status).toBe(200);
    const now = await steps.session(login);
    expect((await now("/v1/me")).json.second_factor).toBe(false);
    const { json } = await steps.post("two-factor/enable", { password: login.password }, now);
    expect((await steps.post("two-factor/verify-totp", { code: codeOf(json.totp_uri) }, now)).status).toBe(200);
    await steps.half(login, trusted);
  });

  it("cannot be begun, renewed or turned off by guessing the password in an open session", async () => {
    const login = await steps.someone();
    const caller = await steps.session(login);
    for (let tries = 0; tries < TRY_RULES.password_check.max; tries += 1) {
      expect((await steps.post("two-factor/enable", { password: "not the right password" }, caller)).status).toBe(400);
    }
    const refused = await steps.post("two-factor/enable", { password: login.password }, caller);
    expect(kept(refused)).toEqual([429, "too_many_requests"]);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
  });
});

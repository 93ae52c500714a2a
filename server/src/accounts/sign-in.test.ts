/** Second factor, forgotten and changed passwords, and how often they may be tried (security, people and tenants). */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Answer,
  anyAddress,
  type Caller,
  callerWith,
  cookieOf,
  startTestApi,
  TEST_ORIGIN,
  type TestApi,
} from "../../test/api.ts";
import { startTestMail, type TestMail, tokenIn } from "../../test/mail.ts";
import { codeOf } from "../../test/totp.ts";
import { WRONG_CODES_MAX } from "./auth.ts";
import { TRY_RULES, Tries } from "./limits.ts";

let api: TestApi;
let mail: TestMail;

beforeAll(async () => {
  mail = await startTestMail();
  api = await startTestApi({ mail: mail.sender });
});
afterAll(async () => {
  await api.close();
  await mail.close();
});

const NEW_PASSWORD = "another invented pass phrase";
const query = async (text: string, values: unknown[] = []) => (await api.database.pools.owner.query(text, values)).rows;
const post = (path: string, body: object, caller: Caller = api.anonymous) =>
  caller(`/api/auth/${path}`, { method: "POST", body, address: anyAddress(), headers: { origin: TEST_ORIGIN } });
const kept = ({ status, json }: Answer) => [status, json?.code];

interface Login {
  readonly email: string;
  readonly password: string;
}

/** A manager of a new clinic, who has not signed in yet. */
async function someone(): Promise<Login> {
  const { emails, password } = await api.newClinic();
  return { email: emails.manager, password };
}

async function session({ email, password }: Login): Promise<Caller> {
  const answer = await post("sign-in/email", { email, password });
  expect(answer.status).toBe(200);
  return callerWith(api.app, cookieOf(answer));
}

/** As another node would, and without the hashing that each costs. */
async function countTries(email: string, count: number): Promise<void> {
  const other = new Tries(api.database.pools.auth, api.secret);
  for (let tries = 0; tries < count; tries += 1) expect(await other.take("sign_in", email)).toBeNull();
}

interface Enrolled extends Login {
  readonly uri: string;
  readonly backup: string[];
  readonly caller: Caller;
}

/** Turns the second step on, with the code before the one of now, so that the next ones are unused. */
async function enrolled(): Promise<Enrolled> {
  const login = await someone();
  const before = await session(login);
  const begun = await post("two-factor/enable", { password: login.password }, before);
  expect(begun.status).toBe(200);
  const { totp_uri: uri, backup_codes: backup } = begun.json;
  const done = await post("two-factor/verify-totp", { code: codeOf(uri, -1) }, before);
  expect(done.status).toBe(200);
  expect((await before("/v1/me")).status).toBe(401);
  return { ...login, uri, backup, caller: callerWith(api.app, cookieOf(done)) };
}

/** The first step: the password alone. */
async function half({ email, password }: Login, cookies = ""): Promise<Caller> {
  const answer = await post("sign-in/email", { email, password }, callerWith(api.app, cookies));
  expect([answer.status, answer.json]).toEqual([200, { two_factor_redirect: true }]);
  return callerWith(api.app, cookieOf(answer));
}

describe("the second step", () => {
  it("is on only after a code has shown that the app works, and then the session has a new id", async () => {
    const login = await someone();
    const caller = await session(login);
    const { json } = await post("two-factor/enable", { password: login.password }, caller);
    expect(json.totp_uri).toMatch(/^otpauth:\/\/totp\/Hookwell:.*issuer=Hookwell/);
    expect(json.backup_codes).toHaveLength(10);
    expect(json.token).toBeUndefined();
    expect((await caller("/v1/me")).json.second_factor).toBe(false);
    expect(kept(await post("two-factor/verify-totp", { code: "000000" }, caller))).toEqual([401, "wrong_code"]);
    await session(login);
    const on = await enrolled();
    expect((await on.caller("/v1/me")).json.second_factor).toBe(true);
  });

  it("is asked for at the sign-in: the password alone opens nothing, and a code opens once", async () => {
    const login = await enrolled();
    const first = await half(login);
    expect((await first("/v1/me")).status).toBe(401);
    const code = codeOf(login.uri);
    const done = await post("two-factor/verify-totp", { code: `${code.slice(0, 3)} ${code.slice(3)}` }, first);
    expect(done.status).toBe(200);
    expect(done.text).not.toMatch(/token/);
    expect((await callerWith(api.app, cookieOf(done))("/v1/me")).status).toBe(200);
    expect(kept(await post("two-factor/verify-totp", { code }, await half(login)))).toEqual([401, "wrong_code"]);
    const next = await post("two-factor/verify-totp", { code: codeOf(login.uri, 1) }, await half(login));
    expect(next.status).toBe(200);
  });

  it("can be done with each backup code once, and new ones close the old ones", async () => {
    const login = await enrolled();
    const [one, two] = login.backup;
    expect((await post("two-factor/verify-backup-code", { code: one }, await half(login))).status).toBe(200);
    expect(kept(await post("two-factor/verify-backup-code", { code: one }, await half(login)))).toEqual([
      401,
      "wrong_code",
    ]);
    const fresh = await post("two-factor/generate-backup-codes", { password: login.password }, login.caller);
    expect(fresh.json.backup_codes).toHaveLength(10);
    expect(kept(await post("two-factor/verify-backup-code", { code: two }, await half(login)))).toEqual([
      401,
      "wrong_code",
    ]);
    const [first] = fresh.json.backup_codes;
    expect((await post("two-factor/verify-backup-code", { code: first }, await half(login))).status).toBe(200);
  });

  it("is kept so that a copy of the tables opens nothing: no key, no backup code, no link and no trusted device in clear", async () => {
    const { uri, backup } = await enrolled();
    const rows = JSON.stringify([
      await query('select * from auth."twoFactor"'),
      await query("select * from auth.verification"),
    ]);
    for (const word of [new URL(uri).searchParams.get("secret"), ...backup, "trust-device-", "reset-password:"]) {
      expect(rows).not.toContain(word);
    }
  });

  it("may be guessed few times: a sign-in ends after 5 wrong codes, an account is closed after 10, and says for how long", async () => {
    const login = await enrolled();
    let caller = await half(login);
    for (let wrong = 1; wrong <= WRONG_CODES_MAX; wrong += 1) {
      const answer = await post("two-factor/verify-totp", { code: "000000" }, caller);
      expect(kept(answer)).toEqual([401, "wrong_code"]);
      if (wrong !== 5) continue;
      expect(kept(await post("two-factor/verify-totp", { code: "000000" }, caller))).toEqual([401, "sign_in_again"]);
      caller = await half(login);
    }
    const closed = await post("two-factor/verify-totp", { code: codeOf(login.uri) }, await half(login));
    expect(kept(closed)).toEqual([429, "too_many_requests"]);
    expect(Number(closed.headers["retry-after"])).toBeGreaterThan(0);
    expect((await post("two-factor/verify-backup-code", { code: login.backup[0] }, await half(login))).status).toBe(
      429,
    );
  });

  it("is left out on a device that its person trusts, until the second step is turned off or the password changes", async () => {
    const login = await enrolled();
    const done = await post(
      "two-factor/verify-totp",
      { code: codeOf(login.uri), trust_device: true },
      await half(login),
    );
    const trusted = cookieOf(done);
    expect(trusted).toContain("hookwell.trust_device=");
    const again = await post(
      "sign-in/email",
      { email: login.email, password: login.password },
      callerWith(api.app, trusted),
    );
    expect(again.json.user.email).toBe(login.email);
    const renewed = cookieOf(again);
    const changed = await post(
      "change-password",
      { current_password: login.password, new_password: NEW_PASSWORD },
      callerWith(api.app, renewed),
    );
    expect(changed.status).toBe(200);
    await half({ email: login.email, password: NEW_PASSWORD }, renewed);
  });

  it("is turned off by the password alone, never without it; afterwards an old trusted device is trusted no more", async () => {
    const login = await enrolled();
    const done = await post(
      "two-factor/verify-totp",
      { code: codeOf(login.uri), trust_device: true },
      await half(login),
    );
    const trusted = cookieOf(done);
    expect(kept(await post("two-factor/disable", {}, login.caller))).toEqual([400, "invalid_request"]);
    const wrong = await post("two-factor/disable", { password: "not the right password" }, login.caller);
    expect([wrong.status, wrong.json.errors[0]]).toMatchObject([400, { field: "password", code: "wrong_password" }]);
    expect((await post("two-factor/disable", { password: login.password }, api.anonymous)).status).toBe(401);
    expect((await post("two-factor/disable", { password: login.password }, login.caller)).status).toBe(200);
    const now = await session(login);
    expect((await now("/v1/me")).json.second_factor).toBe(false);
    const { json } = await post("two-factor/enable", { password: login.password }, now);
    expect((await post("two-factor/verify-totp", { code: codeOf(json.totp_uri) }, now)).status).toBe(200);
    await half(login, trusted);
  });

  it("cannot be begun, renewed or turned off by guessing the password in an open session", async () => {
    const login = await someone();
    const caller = await session(login);
    for (let tries = 0; tries < TRY_RULES.password_check.max; tries += 1) {
      expect((await post("two-factor/enable", { password: "not the right password" }, caller)).status).toBe(400);
    }
    const refused = await post("two-factor/enable", { password: login.password }, caller);
    expect(kept(refused)).toEqual([429, "too_many_requests"]);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
  });
});

describe("signing in", () => {
  it("is limited for each account, known or not, from however many addresses; a letter's link opens it again", async () => {
    const { email, password } = await someone();
    for (const tried of [email, "nobody.at.all@example.test"]) {
      await countTries(tried, TRY_RULES.sign_in.max - 1);
      expect((await post("sign-in/email", { email: tried, password: "" })).status).toBe(401);
      const refused = await post("sign-in/email", { email: ` ${tried.toUpperCase()}`, password });
      expect(kept(refused)).toEqual([429, "too_many_requests"]);
      expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    }
    await post("reset-requests", { email, locale: "en" });
    const [letter] = await mail.lettersTo(email);
    await post("reset-password", { token: tokenIn(letter as never), new_password: NEW_PASSWORD });
    await session({ email, password: NEW_PASSWORD });
  });

  it("that succeeds takes the wrong tries before it away", async () => {
    const login = await someone();
    for (let round = 0; round < 2; round += 1) {
      await countTries(login.email, TRY_RULES.sign_in.max - 2);
      expect((await post("sign-in/email", { ...login, password: "" })).status).toBe(401);
      await session(login);
    }
  });
});

describe("a forgotten password", () => {
  const reset = (token: string, new_password = NEW_PASSWORD) => post("reset-password", { token, new_password });

  it("is replaced by a letter's link, once; every session ends, and the person is told", async () => {
    const login = await someone();
    const open = await session(login);
    const asked = await post("reset-requests", { email: login.email, locale: "fr-CA" });
    expect([asked.status, asked.json]).toEqual([202, { status: "received", sends_letters: true }]);
    const [letter] = await mail.lettersTo(login.email);
    if (letter === undefined) throw new Error("no letter came");
    expect(letter.headers.get("subject")).toBe("Choisissez un nouveau mot de passe Hookwell");
    const token = tokenIn(letter);
    const short = await reset(token, "short");
    expect([short.status, short.json.errors[0].field]).toEqual([400, "new_password"]);
    expect((await open("/v1/me")).status).toBe(200);
    expect((await reset(token)).status).toBe(200);
    expect((await open("/v1/me")).status).toBe(401);
    expect(kept(await reset(token))).toEqual([400, "link_over"]);
    expect(kept(await post("sign-in/email", login))).toEqual([401, "sign_in_refused"]);
    await session({ ...login, password: NEW_PASSWORD });
    const [, told] = await mail.lettersTo(login.email, 2);
    expect(told?.headers.get("subject")).toBe("Your Hookwell password was changed");
  });

  it("has links that are over after their time, and with the first that is used", async () => {
    const { email } = await someone();
    await post("reset-requests", { email, locale: "en" });
    await post("reset-requests", { email, locale: "en" });
    const [one, two] = (await mail.lettersTo(email, 2)).map(tokenIn);
    const of = 'where "value" = (select id from auth."user" where email = $1)';
    const times = await query(
      `select "expiresAt" - now() <= interval '30 minutes' as short from auth.verification ${of}`,
      [email],
    );
    expect(times).toEqual([{ short: true }, { short: true }]);
    expect((await reset(one ?? "")).status).toBe(200);
    expect(kept(await reset(two ?? ""))).toEqual([400, "link_over"]);
    await post("reset-requests", { email, locale: "en" });
    const last = tokenIn((await mail.lettersTo(email, 4)).at(-1) as never);
    await query(`update auth.verification set "expiresAt" = now() ${of}`, [email]);
    expect(kept(await reset(last))).toEqual([400, "link_over"]);
  });

  it("is answered alike for an address that nobody has: same words, same statements before the answer, and no letter", async () => {
    const { email } = await someone();
    const known = await post("reset-requests", { email, locale: "en" });
    const unknown = await post("reset-requests", { email: "nobody.here@example.test", locale: "en" });
    expect([unknown.status, unknown.json]).toEqual([known.status, known.json]);
    await mail.lettersTo(email);
    expect(mail.smtp.mails.filter(({ to }) => to.includes("nobody.here@example.test"))).toEqual([]);
  });

  it("brings a limited number of letters for each address, known or not", async () => {
    const { email } = await someone();
    for (const asked of [email, "nobody.else@example.test"]) {
      for (let tries = 0; tries < TRY_RULES.reset_letter.max; tries += 1) {
        expect((await post("reset-requests", { email: asked, locale: "en" })).status).toBe(202);
      }
      const refused = await post("reset-requests", { email: asked.toUpperCase(), locale: "en" });
      expect(kept(refused)).toEqual([429, "too_many_requests"]);
      expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    }
  });

  it("does not leave the second step out", async () => {
    const login = await enrolled();
    await post("reset-requests", { email: login.email, locale: "en" });
    expect((await reset(tokenIn((await mail.lettersTo(login.email))[0] as never))).status).toBe(200);
    await half({ email: login.email, password: NEW_PASSWORD });
  });
});

describe("one's own password", () => {
  it("is changed with the old one; the other sessions end, and this one goes on in the same clinic under a new id", async () => {
    const login = await someone();
    const [here, there] = [await session(login), await session(login)];
    const change = (current_password: string, caller = here) =>
      post("change-password", { current_password, new_password: NEW_PASSWORD }, caller);
    const wrong = await change("not the right password");
    expect([wrong.status, wrong.json.errors[0].field]).toEqual([400, "current_password"]);
    expect((await change(login.password, api.anonymous)).status).toBe(401);
    const changed = await change(login.password);
    expect(changed.status).toBe(200);
    for (const old of [here, there]) expect((await old("/v1/me")).status).toBe(401);
    expect((await callerWith(api.app, cookieOf(changed))("/v1/me")).status).toBe(200);
    expect((await post("sign-in/email", login)).status).toBe(401);
  });
});

describe("every address that changes something", () => {
  it.each([
    ...["sign-in/email", "sign-out", "change-password", "reset-password", "reset-requests", "switch-clinic"],
    ...["two-factor/enable", "two-factor/verify-totp", "two-factor/verify-backup-code", "two-factor/disable"],
    "two-factor/generate-backup-codes",
  ])("refuses another site's page: %s", async (path) => {
    for (const site of ["cross-site", "same-site"]) {
      const call = { method: "POST", body: {}, headers: { "sec-fetch-site": site } } as const;
      expect(kept(await api.anonymous(`/api/auth/${path}`, call))).toEqual([403, "other_site"]);
    }
  });
});
